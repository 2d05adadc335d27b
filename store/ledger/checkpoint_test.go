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
	both := string(one) + string(two)
	tests := map[string]struct {
		file string
		want []string
		tail int // bytes that were not written to their end
	}{
		"nothing":                    {"", nil, 0},
		"two checkpoints":            {both, []string{string(one), string(two)}, 0},
		"CRLF":                       {strings.ReplaceAll(both, "\n", "\r\n"), []string{string(one), string(two)}, 0},
		"blank lines":                {"\n\n" + strings.ReplaceAll(both, "\n", "\n\n") + "\n \n", []string{string(one), string(two)}, 0},
		"no blank line at all":       {strings.ReplaceAll(both, "\n\n", "\n"), []string{string(one), string(two)}, 0},
		"no last line ending":        {strings.TrimSuffix(both, "\n"), []string{string(one), string(two)}, 0},
		"a byte order mark":          {"\ufeff" + both, []string{string(one), string(two)}, 0},
		"spaces at the ends":         {strings.ReplaceAll(both, "\n", " \t\n"), []string{string(one), string(two)}, 0},
		"zeros after a power cut":    {both + strings.Repeat("\x00", 100), []string{string(one), string(two)}, 100},
		"a beginning and zeros":      {both + string(one[:30]) + "\x00\x00", []string{string(one), string(two)}, 32},
		"only a beginning":           {string(one[:30]), nil, 30},
		"only blank lines and a BOM": {"\ufeff\r\n\n", nil, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			notes, written, err := ledger.SplitNotes([]byte(test.file))
			var got []string
			for _, note := range notes {
				got = append(got, string(note))
			}
			if err != nil || !slices.Equal(got, test.want) || written != len(test.file)-test.tail {
				t.Errorf("%q, %d of %d bytes written, %v", got, written, len(test.file), err)
			}
		})
	}
}

// TestACheckpointThatWasCutShort: wherever the write of the second one ended, it is
// as good as not written; the file is whole up to there, and with the rest again.
func TestACheckpointThatWasCutShort(t *testing.T) {
	k := newKey(t, "büro.example/lobstrail")
	c := ledger.Checkpoint{Origin: k.signer.Name(), Tree: tlog.Tree{N: 12, Hash: leaf(1)}}
	one, two := sign(t, k, c), sign(t, k, ledger.Checkpoint{Origin: c.Origin, Tree: tlog.Tree{N: 34, Hash: leaf(2)}})
	for _, ending := range []string{"\n", "\r\n"} {
		first, second := strings.ReplaceAll(string(one), "\n", ending), strings.ReplaceAll(string(two), "\n", ending)
		for cut := range len(second) {
			file := first + second[:cut]
			want, whole := 1, len(first)
			if cut >= len(strings.TrimRight(second, "\r\n")) {
				want, whole = 2, len(file)
			}
			notes, written, err := ledger.SplitNotes([]byte(file))
			if err != nil || len(notes) != want || written != whole && strings.TrimSpace(file[min(written, whole):]) != "" {
				t.Errorf("cut to %q: %d checkpoints, %d of %d bytes, %v", second[:cut], len(notes), written, len(file), err)
			}
		}
	}
}

// TestAFileOfCheckpointsThatWasChanged: only the last one may be cut, and only at
// its end. What is no beginning of a checkpoint is none that was cut.
func TestAFileOfCheckpointsThatWasChanged(t *testing.T) {
	k := newKey(t, origin)
	one, two := string(sign(t, k, checkpoint(1))), string(sign(t, k, checkpoint(2)))
	lines := strings.SplitAfter(two, "\n")
	for name, file := range map[string]string{
		"the first was cut":   one[:len(one)-30] + two,
		"a line is missing":   one + lines[0] + lines[2] + lines[3] + lines[4],
		"a bit of the hash":   one + strings.Replace(two, lines[2][:4], "AAA-", 1),
		"no number":           one + origin + "\nx\n",
		"a sentence":          one + "all is well\n",
		"a verifier key":      "example.com/lobstrail+abcdef01+AAAA\n",
		"a negative number":   origin + "\n-5\n",
		"four lines":          origin + "\n5\n" + lines[2] + "x\n",
		"zeros in the middle": one + "\x00\x00" + two,
		"a whole line of a signature that is too short": one + strings.Join(lines[:4], "") + "— " + origin + " AAAA\n",
	} {
		if notes, _, err := ledger.SplitNotes([]byte(file)); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%s: %q, %v", name, notes, err)
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
	f.Add(append(bytes.ReplaceAll(one, []byte("\n"), []byte("\r\n")), two[:50]...))
	f.Fuzz(func(t *testing.T, file []byte) {
		notes, written, err := ledger.SplitNotes(file)
		if err != nil && !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%v", err)
		}
		if err != nil {
			return
		}
		for what, text := range map[string][]byte{"the notes": bytes.Join(notes, nil), "what was written": file[:written]} {
			again, all, err := ledger.SplitNotes(text)
			if err != nil || !slices.EqualFunc(again, notes, bytes.Equal) || all != len(text) {
				t.Errorf("%s of %q: %q, then %q (%d of %d bytes), %v", what, file, notes, again, all, len(text), err)
			}
		}
	})
}
