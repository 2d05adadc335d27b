package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/note"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/ledger"
)

// maxCheckpointFile bounds a file of checkpoints: one an hour, for 30 years.
const maxCheckpointFile = 64 << 20

// newestCheckpoint reads a file of checkpoints and answers the one with the most
// entries, which is the last one; nil when there is none in it, or no file. A
// signature is checked if its key is known.
func newestCheckpoint(path string, known []note.Verifier) (*ledger.Signed, error) {
	raw, err := readBounded(path, maxCheckpointFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	notes, err := ledger.SplitNotes(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var newest *ledger.Signed
	for _, n := range notes {
		c, err := ledger.ReadCheckpoint(n)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if newest == nil || c.N >= newest.N {
			newest = &c
		}
	}
	if newest == nil {
		return nil, nil
	}
	// Two programs that append at once may have done so in any order.
	opened, err := openIfKnown(newest.Note, known)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
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
func (a *app) appendCheckpoint(ctx context.Context, s *store.Store, path string, c ledger.Signed, own note.Verifier) (bool, error) {
	last, err := newestCheckpoint(path, []note.Verifier{own})
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
		if err := s.Extends(ctx, last.Tree); err != nil {
			return false, fmt.Errorf("%s and the last checkpoint of %s: %w", s.Path(), path, err)
		}
		if last.Tree == c.Tree && len(last.By) > 0 {
			return false, nil
		}
	}
	return true, appendTo(path, c.Note)
}

// appendTo adds to a file, which is made if it is not there, in one write that
// lasts.
func appendTo(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return store.SyncDir(filepath.Dir(path))
}
