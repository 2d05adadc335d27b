package ledger

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// ErrInvalid means that a checkpoint or a proof does not hold: it was cut or
// changed, or is somebody else's.
var ErrInvalid = errors.New("not valid")

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrInvalid, fmt.Errorf(format, args...))
}

// Checkpoint is what is signed of a log: how many entries it has, and the hash of
// the tree over them.
type Checkpoint struct {
	Origin string // which log it is: see [Origin]
	tlog.Tree
}

// Origin names the log of a workspace whose checkpoints a key signs: the name of the
// key, a slash, and the workspace, escaped as in a path.
func Origin(key, workspace string) string { return key + "/" + escape(workspace) }

func escape(workspace string) string {
	return strings.ReplaceAll(url.PathEscape(workspace), "+", "%2B") // no name of a key has a plus sign
}

// Workspace is the workspace that the origin names. It returns ErrInvalid if there is
// none.
func (c Checkpoint) Workspace() (string, error) {
	slash := strings.LastIndexByte(c.Origin, '/')
	name, err := url.PathUnescape(c.Origin[slash+1:])
	if slash < 0 || err != nil || name == "" || Origin(c.Origin[:slash], name) != c.Origin {
		return "", invalid("checkpoint of %s names no workspace", c.Origin)
	}
	return name, nil
}

// signedFor reports whether a key of that name signs for the origin.
func (c Checkpoint) signedFor(key string) bool {
	workspace, named := strings.CutPrefix(c.Origin, key+"/")
	return named && !strings.Contains(workspace, "/")
}

// FormatCheckpoint is the text that is signed (https://c2sp.org/tlog-checkpoint):
// the origin, the number of entries and the hash in base64, a line each.
func FormatCheckpoint(c Checkpoint) string {
	return c.Origin + "\n" + strconv.FormatInt(c.N, 10) + "\n" + c.Hash.String() + "\n"
}

// ParseCheckpoint is the inverse of FormatCheckpoint. It returns ErrInvalid for
// any other text, also for one with the extension lines that the form allows:
// nothing could check what they say.
func ParseCheckpoint(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 {
		return Checkpoint{}, invalid("not the three lines of a checkpoint")
	}
	c := Checkpoint{Origin: lines[0]}
	if err := CheckName(c.Origin); err != nil {
		return Checkpoint{}, invalid("origin of a checkpoint: %w", err)
	}
	var wrong error
	if c.N, wrong = strconv.ParseInt(lines[1], 10, 64); wrong == nil {
		c.Hash, wrong = tlog.ParseHash(lines[2])
	}
	if wrong != nil || c.N < 0 || FormatCheckpoint(c) != text {
		return Checkpoint{}, invalid("checkpoint of %s is not spelled as checkpoints are", c.Origin)
	}
	if c.N > MaxEntries {
		return Checkpoint{}, invalid("checkpoint of %s: no log has %d entries", c.Origin, c.N)
	}
	return c, nil
}

// Signed is a checkpoint and who signed it: each as the name of a key, a plus sign
// and its id in eight hex digits.
type Signed struct {
	Checkpoint
	Note    []byte   // all of it: a signed note (https://c2sp.org/signed-note)
	By      []string // whose signatures were checked, and hold
	Unknown []string // whose signatures were not checked, for their keys are not known
}

// SignCheckpoint signs the checkpoint. Its origin must be one of the key.
func SignCheckpoint(c Checkpoint, signer note.Signer) ([]byte, error) {
	if !c.signedFor(signer.Name()) {
		return nil, fmt.Errorf("a checkpoint of %q is not to be signed by the key %q", c.Origin, signer.Name())
	}
	return note.Sign(&note.Note{Text: FormatCheckpoint(c)}, signer)
}

// OpenCheckpoint reads a signed checkpoint. It returns ErrInvalid unless one of
// the keys that are known signed it whose origin it is, and when any
// signature of a known key is not right.
func OpenCheckpoint(signed []byte, known ...note.Verifier) (Signed, error) {
	s, err := open(signed, known)
	if err != nil {
		return Signed{}, err
	}
	if !slices.ContainsFunc(s.By, func(key string) bool { return s.signedFor(keyName(key)) }) {
		return Signed{}, invalid("checkpoint of %s is not signed by a key that is known, but by %s",
			s.Origin, strings.Join(slices.Concat(s.By, s.Unknown), ", "))
	}
	return s, nil
}

// ReadCheckpoint reads a signed checkpoint and checks no signature: anybody could
// have made it. It returns ErrInvalid when it is not of the form.
func ReadCheckpoint(signed []byte) (Signed, error) { return open(signed, nil) }

func open(signed []byte, known []note.Verifier) (Signed, error) {
	n, err := note.Open(signed, note.VerifierList(known...))
	if unverified, ok := errors.AsType[*note.UnverifiedNoteError](err); ok {
		n, err = unverified.Note, nil
	}
	if err != nil {
		return Signed{}, invalid("signed note: %w", err)
	}
	// What note.Open lets pass: another spelling of the same signature, and a second
	// signature of a key, at which it does not look.
	all := slices.Concat(n.Sigs, n.UnverifiedSigs)
	for _, signature := range all {
		if _, err := base64.StdEncoding.Strict().DecodeString(signature.Base64); err != nil {
			return Signed{}, invalid("signature of %s: %w", signature.Name, err)
		}
	}
	if bytes.Count(signed, []byte("\n")) != strings.Count(n.Text, "\n")+1+len(all) {
		return Signed{}, invalid("signed note: a key signed twice")
	}
	c, err := ParseCheckpoint(n.Text)
	return Signed{Checkpoint: c, Note: signed, By: keyNames(n.Sigs), Unknown: keyNames(n.UnverifiedSigs)}, err
}

func keyNames(signatures []note.Signature) (keys []string) {
	for _, s := range signatures {
		keys = append(keys, keyID(s.Name, s.Hash))
	}
	return keys
}

// signatureMark begins the line of a signature. No other line of a checkpoint can
// begin like that, for there are no spaces in them.
const signatureMark = "— "
