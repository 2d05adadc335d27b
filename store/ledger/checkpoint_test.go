package ledger_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"filippo.io/torchwood"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/lobstrail/lobstrail/store/ledger"
)

const (
	keyName   = "example.com/lobstrail"
	workspace = "a \"b\"/+%2B é\n"
)

// origin is that of the log of the workspace, as the key names it.
var origin = ledger.Origin(keyName, workspace)

type key struct {
	secret   string
	signer   note.Signer
	verifier note.Verifier
}

func newKey(t testing.TB, name string) key {
	t.Helper()
	secret, public, err := ledger.NewKey(name)
	if err != nil {
		t.Fatal(err)
	}
	k := key{secret: secret}
	if k.signer, err = ledger.ParseSigner(secret); err != nil {
		t.Fatal(err)
	}
	if k.verifier, err = note.NewVerifier(public); err != nil {
		t.Fatal(err)
	}
	if again, err := ledger.VerifierKey(secret); err != nil || again != public {
		t.Fatalf("the verifier key is %s, %v, want %s", again, err, public)
	}
	return k
}

func checkpoint(n int64) ledger.Checkpoint {
	return ledger.Checkpoint{Origin: origin, Tree: tlog.Tree{N: n, Hash: leaf(n)}}
}

func sign(t testing.TB, k key, c ledger.Checkpoint) []byte {
	t.Helper()
	signed, err := ledger.SignCheckpoint(c, k.signer)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// TestCheckpointsOpenElsewhere: with the libraries of those who wrote the form.
func TestCheckpointsOpenElsewhere(t *testing.T) {
	k := newKey(t, keyName)
	for _, n := range []int64{0, 1, 10, 1 << 40} {
		want := checkpoint(n)
		signed := sign(t, k, want)
		opened, err := note.Open(signed, note.VerifierList(k.verifier))
		if err != nil || opened.Text != ledger.FormatCheckpoint(want) {
			t.Errorf("note.Open of %q: %v", signed, err)
		}
		policy := torchwood.ThresholdPolicy(2, torchwood.OriginPolicy(origin), torchwood.SingleVerifierPolicy(k.verifier))
		theirs, _, err := torchwood.VerifyCheckpoint(signed, policy)
		if err != nil || theirs.Origin != want.Origin || theirs.Tree != want.Tree || theirs.Extension != "" {
			t.Errorf("torchwood reads %+v, %v, want %+v", theirs, err, want)
		}
		if theirs, err := torchwood.NewVerifierFromSigner(k.secret); err != nil || ledger.KeyID(theirs) != ledger.KeyID(k.verifier) {
			t.Errorf("torchwood has another verifier: %v", err)
		}
		ours, err := ledger.OpenCheckpoint(signed, k.verifier)
		wanted := ledger.Signed{Checkpoint: want, Note: signed, By: []string{ledger.KeyID(k.verifier)}}
		if diff := cmp.Diff(wanted, ours); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
	}
}

func TestWhoSignedACheckpoint(t *testing.T) {
	ours, next, stranger := newKey(t, keyName), newKey(t, keyName), newKey(t, "example.org/stranger")
	signed := sign(t, ours, checkpoint(7))
	both, err := note.Sign(&note.Note{Text: ledger.FormatCheckpoint(checkpoint(7))}, ours.signer, stranger.signer)
	if err != nil {
		t.Fatal(err)
	}
	line := signed[bytes.LastIndex(signed, []byte("— ")):]
	twice := slices.Concat(signed, line[:len(line)-5], []byte("AAA=\n"))
	theirs, err := note.Sign(&note.Note{Text: ledger.FormatCheckpoint(checkpoint(7))}, stranger.signer)
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		signed      []byte
		known       []note.Verifier
		by, unknown []string
		valid       bool
	}{
		"by our key":                         {signed, []note.Verifier{ours.verifier}, []string{ledger.KeyID(ours.verifier)}, nil, true},
		"by one of two keys":                 {signed, []note.Verifier{next.verifier, ours.verifier}, []string{ledger.KeyID(ours.verifier)}, nil, true},
		"by us and somebody":                 {both, []note.Verifier{ours.verifier}, []string{ledger.KeyID(ours.verifier)}, []string{ledger.KeyID(stranger.verifier)}, true},
		"by another key of the same name":    {signed, []note.Verifier{next.verifier}, nil, nil, false},
		"by our key, and once more, wrongly": {twice, []note.Verifier{ours.verifier}, nil, nil, false},
		"by nobody known":                    {signed, nil, nil, nil, false},
		"by a known key that is not the log": {theirs, []note.Verifier{ours.verifier, stranger.verifier}, nil, nil, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := ledger.OpenCheckpoint(test.signed, test.known...)
			if test.valid != (err == nil) || err != nil && !errors.Is(err, ledger.ErrInvalid) {
				t.Fatalf("%v", err)
			}
			if !slices.Equal(got.By, test.by) || !slices.Equal(got.Unknown, test.unknown) {
				t.Errorf("by %q and %q, want %q and %q", got.By, got.Unknown, test.by, test.unknown)
			}
		})
	}
	if read, err := ledger.ReadCheckpoint(signed); err != nil || len(read.By) > 0 || len(read.Unknown) != 1 {
		t.Errorf("unverified: %+v, %v", read, err)
	}
}

// TestOrigins: an origin names the key and the workspace, and nothing else can be read
// out of it; a key signs for its own logs only.
func TestOrigins(t *testing.T) {
	k := newKey(t, keyName)
	for name, want := range map[string]string{
		"default": "default", "a/b": "a%2Fb", "a b": "a%20b", "1+1": "1%2B1", "1%2B1": "1%252B1", "é\n": "%C3%A9%0A", "..": "..",
	} {
		c := ledger.Checkpoint{Origin: ledger.Origin(keyName, name)}
		got, err := c.Workspace()
		if c.Origin != keyName+"/"+want || got != name || err != nil {
			t.Errorf("%q: the origin is %s, and names %q, %v", name, c.Origin, got, err)
		}
		if s, err := ledger.OpenCheckpoint(sign(t, k, c), k.verifier); err != nil || s.Origin != c.Origin {
			t.Errorf("%q: signed and opened: %+v, %v", name, s, err)
		}
	}
	for _, wrong := range []string{"", "noslash", keyName + "/", keyName + "/a%2", keyName + "/%64efault", keyName + "/a b", keyName + "/1+1"} {
		if name, err := (ledger.Checkpoint{Origin: wrong}).Workspace(); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%q names the workspace %q, %v", wrong, name, err)
		}
	}
	for _, wrong := range []string{keyName, keyName + "x/default", keyName + "/a/b", "example.com/default", "default"} {
		if _, err := ledger.SignCheckpoint(ledger.Checkpoint{Origin: wrong}, k.signer); err == nil {
			t.Errorf("a checkpoint of %q was signed by the key %s", wrong, keyName)
		}
	}
}

// TestNoByteOfACheckpointCanChange: nor be left out, nor be put in.
func TestNoByteOfACheckpointCanChange(t *testing.T) {
	k := newKey(t, keyName)
	signed := sign(t, k, checkpoint(123456))
	tried := eachChange(signed, func(changed []byte) {
		if got, err := ledger.OpenCheckpoint(changed, k.verifier); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%q is taken for %+v, %v", changed, got, err)
		}
	})
	if tried < 9*len(signed) {
		t.Errorf("only %d changes were tried", tried)
	}
}

// eachChange calls fn with every text that differs in one bit, lacks one byte, or
// has one byte twice or a line feed too many.
func eachChange(text []byte, fn func(changed []byte)) (tried int) {
	try := func(changed []byte) {
		if !bytes.Equal(changed, text) {
			fn(changed)
			tried++
		}
	}
	for i := range text {
		for bit := range 8 {
			changed := bytes.Clone(text)
			changed[i] ^= 1 << bit
			try(changed)
		}
		try(slices.Concat(text[:i], text[i+1:]))
		try(slices.Concat(text[:i], text[i:i+1], text[i:]))
		try(slices.Concat(text[:i], []byte("\n"), text[i:]))
	}
	return tried
}

func FuzzParseCheckpoint(f *testing.F) {
	f.Add(ledger.FormatCheckpoint(checkpoint(0)))
	f.Add(ledger.FormatCheckpoint(checkpoint(99)))
	f.Add("a\n01\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ledger.ParseCheckpoint(text)
		theirs, their := torchwood.ParseCheckpoint(text)
		switch {
		case err == nil && (their != nil || theirs.Origin != c.Origin || theirs.Tree != c.Tree):
			t.Errorf("%+v, and torchwood: %+v, %v", c, theirs, their)
		case err == nil && ledger.FormatCheckpoint(c) != text:
			t.Errorf("%q comes out as %q", text, ledger.FormatCheckpoint(c))
		case err != nil && !errors.Is(err, ledger.ErrInvalid):
			t.Errorf("%v", err)
		}
	})
}
