package ledger_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/lobstrail/lobstrail/store/ledger"
)

func TestAFileOfCheckpoints(t *testing.T) {
	k := newKey(t, keyName)
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
	c := ledger.Checkpoint{Origin: ledger.Origin(k.signer.Name(), "büro"), Tree: tlog.Tree{N: 12, Hash: leaf(1)}}
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
	k := newKey(t, keyName)
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
		"a whole line of a signature that is too short": one + strings.Join(lines[:4], "") + "— " + keyName + " AAAA\n",
	} {
		if notes, _, err := ledger.SplitNotes([]byte(file)); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%s: %q, %v", name, notes, err)
		}
	}
}

func FuzzSplitNotes(f *testing.F) {
	k := newKey(f, keyName)
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
