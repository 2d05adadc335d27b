package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/ledger"
)

// maxCheckpointFile bounds a file of checkpoints: one an hour, for 30 years.
const maxCheckpointFile = 64 << 20

// checkpointFile is a file of signed checkpoints, as it was read.
type checkpointFile struct {
	path    string
	raw     []byte
	notes   [][]byte
	written int // bytes of raw before the checkpoint whose writing was cut short
}

// readCheckpoints reads a file of checkpoints. A missing one is as an empty one.
func (a *app) readCheckpoints(ctx context.Context, path string) (checkpointFile, error) {
	f := checkpointFile{path: path}
	raw, err := readBounded(ctx, path, maxCheckpointFile)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return f, err
	}
	f.raw = raw
	text := raw
	if isUTF16(raw) {
		text = plainText(raw)
	}
	if f.notes, f.written, err = ledger.SplitNotes(text); err != nil {
		return f, fmt.Errorf("%s: %w", path, err)
	}
	if f.written < len(text) {
		a.note("note: %s ends with a checkpoint whose writing was cut short; it does not count", path)
	}
	return f, nil
}

// newest returns the checkpoint of a workspace with the most entries, which is the
// last one; nil if there is none. A signature is checked if its key is known.
func (f checkpointFile) newest(workspace string, known []note.Verifier) (*ledger.Signed, error) {
	var newest *ledger.Signed
	for _, n := range f.notes {
		c, err := ledger.ReadCheckpoint(n)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.path, err)
		}
		if of, err := c.Workspace(); err != nil {
			return nil, fmt.Errorf("%s: %w", f.path, err)
		} else if of != workspace {
			continue
		}
		// Two programs that append at once may have done so in any order.
		if newest == nil || c.N >= newest.N {
			newest = &c
		}
	}
	if newest == nil {
		return nil, nil
	}
	opened, err := openIfKnown(newest.Note, known)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.path, err)
	}
	return &opened, nil
}

// openIfKnown reads a checkpoint, and checks the signature of a key that is known.
// Who signed it with another key is not checked: keys are replaced.
func openIfKnown(signed []byte, known []note.Verifier) (ledger.Signed, error) {
	c, err := ledger.ReadCheckpoint(signed)
	if err != nil {
		return c, err
	}
	for _, key := range c.Unknown {
		for _, verifier := range known {
			if ledger.KeyID(verifier) == key {
				return ledger.OpenCheckpoint(signed, known...)
			}
		}
	}
	return c, nil
}

// appendCheckpoint adds a checkpoint to a file of them, unless it ends with the
// same. The log must still begin as the last one of the file says.
func (a *app) appendCheckpoint(ctx context.Context, s store.Store, path string, c ledger.Signed, own note.Verifier) (bool, error) {
	file, err := a.readCheckpoints(ctx, path)
	if err != nil {
		return false, err
	}
	last, err := file.newest(a.workspace, []note.Verifier{own})
	if err != nil {
		return false, err
	}
	if last != nil {
		if last.Origin != c.Origin {
			return false, usage("%s has checkpoints of %s, and the key is that of %s\nname another file, or sign with a key of that name",
				path, last.Origin, c.Origin)
		}
		if len(last.By) == 0 {
			a.note("note: the last checkpoint of %s was signed by another key, %s: its signature was not checked", path, last.Unknown[0])
		}
		if err := s.Extends(ctx, a.workspace, last.Tree); err != nil {
			return false, fmt.Errorf("%s and the last checkpoint of %s: %w", s.Path(), path, err)
		}
		if last.Tree == c.Tree && len(last.By) > 0 {
			return false, nil
		}
	}
	if err := file.checkTail(c.Origin); err != nil {
		return false, err
	}
	return true, file.add(c.Note)
}

// maxTail is the most that a write of a checkpoint that was cut short can leave.
const maxTail = 4 << 10

// checkTail returns an error if what is to be cut off the file could be anything
// but the beginning of a checkpoint of this log.
func (f checkpointFile) checkTail(origin string) error {
	if isUTF16(f.raw) {
		return usage("%s is UTF-16 text\nconvert it to UTF-8, or name another file", f.path)
	}
	tail := bytes.TrimRight(f.raw[f.written:], "\x00")
	first, _, more := bytes.Cut(tail, []byte("\n"))
	name := string(bytes.TrimRight(first, " \t\r"))
	if len(f.raw)-f.written > maxTail || more && name != origin || !strings.HasPrefix(origin, name) {
		return usage("%s ends with something that is no checkpoint of %s\nname another file", f.path, origin)
	}
	return nil
}

// add appends a checkpoint to the file, which is made if it is not there, in one
// write that lasts. What a write that was cut short has left at its end is cut off
// first; a write that fails now leaves nothing.
func (f checkpointFile) add(text []byte) error {
	file, err := os.OpenFile(f.path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	err = f.addTo(file, text)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return syncDir(filepath.Dir(f.path))
}

func (f checkpointFile) addTo(file *os.File, text []byte) error {
	if f.written < len(f.raw) {
		// Another program may have appended to it, or cut it, since it was read.
		if info, err := file.Stat(); err != nil || info.Size() != int64(len(f.raw)) {
			return cmp.Or(err, fmt.Errorf("%s was changed meanwhile", f.path))
		}
		if err := file.Truncate(int64(f.written)); err != nil {
			return err
		}
	}
	if f.written > 0 && f.raw[f.written-1] != '\n' {
		text = slices.Concat([]byte("\n"), text)
	}
	n, err := file.Write(text)
	if info, unknown := file.Stat(); err != nil && unknown == nil && n > 0 {
		return errors.Join(err, file.Truncate(info.Size()-int64(n)))
	}
	return err
}
