package ledger_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"filippo.io/torchwood"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/lobstrail/lobstrail/store/ledger"
)

const origin = "example.com/lobstrail"

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
	k := newKey(t, origin)
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
	ours, next, stranger := newKey(t, origin), newKey(t, origin), newKey(t, "example.org/stranger")
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
	if _, err := ledger.SignCheckpoint(checkpoint(7), stranger.signer); err == nil {
		t.Error("a key of another name signed")
	}
}

// TestNoByteOfACheckpointCanChange: nor be left out, nor be put in.
func TestNoByteOfACheckpointCanChange(t *testing.T) {
	k := newKey(t, origin)
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

func TestAFileOfCheckpoints(t *testing.T) {
	k := newKey(t, origin)
	one, two := sign(t, k, checkpoint(1)), sign(t, k, checkpoint(2))
	file := slices.Concat(one, two)
	notes, err := ledger.SplitNotes(file)
	if err != nil || len(notes) != 2 || !bytes.Equal(notes[0], one) || !bytes.Equal(notes[1], two) {
		t.Errorf("%q, %v", notes, err)
	}
	if notes, err := ledger.SplitNotes(nil); err != nil || len(notes) > 0 {
		t.Errorf("of nothing: %q, %v", notes, err)
	}
	for cut := 1; cut < len(two); cut++ {
		if notes, err := ledger.SplitNotes(file[:len(file)-cut]); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("cut by %d: %q, %v", cut, notes, err)
		}
	}
}

func TestNamesOfKeys(t *testing.T) {
	for _, name := range []string{"", "two words", "a+b", "a\nb", "a\x00b", "a\u00a0b", "\xff", strings.Repeat("a", 201), "a\u202eb"} {
		if _, _, err := ledger.NewKey(name); err == nil {
			t.Errorf("%q is a name", name)
		}
	}
	newKey(t, "büro.example/lobstrail")
}

// TestASignerKeyIsInNoError: whatever is wrong with it.
func TestASignerKeyIsInNoError(t *testing.T) {
	k := newKey(t, origin)
	seed := k.secret[strings.LastIndex(k.secret, "+A")+2:]
	eachChange([]byte(k.secret), func(changed []byte) {
		if _, err := ledger.VerifierKey(string(changed)); err != nil && strings.Contains(err.Error(), seed[:8]) {
			t.Errorf("%v", err)
		}
	})
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

func FuzzSplitNotes(f *testing.F) {
	k := newKey(f, origin)
	one, two := sign(f, k, checkpoint(1)), sign(f, k, checkpoint(2))
	f.Add(one)
	f.Add(slices.Concat(one, two, two))
	f.Add([]byte("\n\n— "))
	f.Fuzz(func(t *testing.T, file []byte) {
		notes, err := ledger.SplitNotes(file)
		if err != nil && !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%v", err)
		}
		if err == nil && !bytes.Equal(bytes.Join(notes, nil), file) {
			t.Errorf("%q comes apart as %q", file, notes)
		}
	})
}
