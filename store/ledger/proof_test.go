package ledger_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"filippo.io/torchwood"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/lobstrail/lobstrail/store/ledger"
)

// history is a log with what is needed to prove what is in it.
type history struct {
	entries []string
	stored  []tlog.Hash
	takes   []take
}

// take is one snapshot.
type take struct {
	proof ledger.Proof // but for InLog and Checkpoint
	line  ledger.Response
}

func (h *history) ReadHashes(indexes []int64) (hashes []tlog.Hash, err error) {
	for _, i := range indexes {
		hashes = append(hashes, h.stored[i])
	}
	return hashes, nil
}

// newHistory is a log of so many entries, each with a few responses of a few
// snapshots.
func newHistory(t testing.TB, rng *rand.Rand, entries int) *history {
	t.Helper()
	h, at := &history{}, int64(at)
	for n := range entries {
		lines := []string{(ledger.Run{ID: int64(n + 1), Scope: "all", State: "running", Warnings: "[]"}).Line()}
		first := len(h.takes)
		for range 1 + rng.IntN(2) {
			at++
			line := h.respond(rng, at, int64(n+1))
			lines = append(lines, line.Line())
		}
		text := ledger.FormatEntry(workspace, int64(n+1), lines)
		for i := first; i < len(h.takes); i++ {
			h.takes[i].proof.Entry, h.takes[i].proof.EntryIndex = text, int64(n)
		}
		more, err := tlog.StoredHashes(int64(n), []byte(text), h)
		if err != nil {
			t.Fatal(err)
		}
		h.entries, h.stored = append(h.entries, text), append(h.stored, more...)
	}
	return h
}

// respond adds the snapshots of a response.
func (h *history) respond(rng *rand.Rand, at, run int64) ledger.Response {
	size := 1 + rng.Int64N(9)
	leaves, first := make([]ledger.Hash, size), len(h.takes)
	for i := range size {
		p := ledger.Proof{Response: at, Index: i, Shown: ledger.Observed{Account: fmt.Sprintf("%032x", i)}}
		if rng.IntN(5) > 0 {
			salt := ledger.NewSalt()
			p.Document, p.Blind = fmt.Appendf(nil, `{"id":"%032x","n":%d}`, i, rng.Int()), salt.DocumentBlind(at)
			p.Shown.Document = new(p.Blind.Document(p.Document))
			if rng.IntN(2) == 0 {
				p.Shown.Counters = new(salt.CountersBlind(at).Counters(nil))
			}
		}
		leaves[i] = p.Shown.Leaf()
		h.takes = append(h.takes, take{proof: p})
	}
	page := ledger.NewPageTree(leaves)
	line := ledger.Response{At: at, Source: "list", Page: -1, Run: run, Sent: at - 1, Shown: size, Root: page.Root()}
	for i := range size {
		taken := &h.takes[first+int(i)]
		taken.proof.InResponse, taken.line = page.Prove(int(i)), line
	}
	return line
}

// prove completes a proof under a checkpoint of a log of that size.
func (h *history) prove(t testing.TB, k key, p ledger.Proof, size int64) ledger.Proof {
	t.Helper()
	root, err := tlog.TreeHash(size, h)
	if err != nil {
		t.Fatal(err)
	}
	if p.InLog, err = tlog.ProveRecord(size, p.EntryIndex, h); err != nil {
		t.Fatal(err)
	}
	p.Checkpoint = sign(t, k, ledger.Checkpoint{Origin: origin, Tree: tlog.Tree{N: size, Hash: root}})
	return p
}

// TestProofsOfRandomHistories: every snapshot can be proven, with its document and
// without, under every later checkpoint; and a C2SP reader finds its entry.
func TestProofsOfRandomHistories(t *testing.T) {
	k, rng := newKey(t, keyName), rand.New(rand.NewPCG(1, 2))
	policy := torchwood.ThresholdPolicy(2, torchwood.OriginPolicy(origin), torchwood.SingleVerifierPolicy(k.verifier))
	for round := range 12 {
		h := newHistory(t, rng, 1+rng.IntN(20))
		for i, taken := range h.takes {
			if rng.IntN(3) == 0 {
				taken.proof.Document, taken.proof.Blind = nil, ledger.Blind{}
			}
			size := taken.proof.EntryIndex + 1 + rng.Int64N(int64(len(h.entries))-taken.proof.EntryIndex)
			proof := h.prove(t, k, taken.proof, size)
			text := ledger.FormatProof(proof)
			parsed, err := ledger.ParseProof(text)
			if diff := cmp.Diff(proof, parsed, cmpopts.EquateEmpty()); err != nil || diff != "" {
				t.Fatalf("history %d, snapshot %d: %v\n%s", round, i, err, diff)
			}
			proven, err := parsed.Verify(k.verifier)
			if diff := cmp.Diff(taken.line, proven.Response); err != nil || diff != "" {
				t.Fatalf("history %d, snapshot %d: %v\n%s\n%s", round, i, err, diff, text)
			}
			if proven.Run != proof.EntryIndex+1 || proven.Workspace != workspace || proven.Entry != proof.EntryIndex+1 || proven.Checkpoint.N != size {
				t.Fatalf("history %d, snapshot %d: %+v", round, i, proven)
			}
			_, inLog, _ := strings.Cut(string(text), proof.Entry+"\n")
			if err := torchwood.VerifyProof(policy, tlog.RecordHash([]byte(proof.Entry)), []byte(inLog)); err != nil {
				t.Fatalf("torchwood: %v", err)
			}
		}
	}
}

// aProof is one with all parts.
func aProof(t testing.TB, k key) (ledger.Proof, *history) {
	t.Helper()
	h := newHistory(t, rand.New(rand.NewPCG(3, 4)), 6)
	for _, taken := range h.takes {
		if p := taken.proof; p.Shown.Counters != nil && p.EntryIndex > 0 && len(p.InResponse) > 1 {
			return h.prove(t, k, p, 6), h
		}
	}
	t.Fatal("no such snapshot")
	return ledger.Proof{}, nil
}

// TestNoByteOfAProofCanChange: nor be left out, nor be put in.
func TestNoByteOfAProofCanChange(t *testing.T) {
	k := newKey(t, keyName)
	proof, _ := aProof(t, k)
	text := ledger.FormatProof(proof)
	tried := eachChange(text, func(changed []byte) {
		p, err := ledger.ParseProof(changed)
		if err == nil {
			_, err = p.Verify(k.verifier)
		}
		if !errors.Is(err, ledger.ErrInvalid) {
			t.Fatalf("%v of %q", err, changed)
		}
	})
	if tried < 9*len(text) {
		t.Errorf("only %d changes were tried", tried)
	}
}

// TestProofsThatDoNotFit are made of parts of others that hold.
func TestProofsThatDoNotFit(t *testing.T) {
	k := newKey(t, keyName)
	proof, h := aProof(t, k)
	other := h.prove(t, k, h.takes[0].proof, 6)
	tests := map[string]func(p *ledger.Proof){
		"another document":           func(p *ledger.Proof) { p.Document = []byte(`{}`) },
		"another blind":              func(p *ledger.Proof) { p.Blind[0]++ },
		"a document of one gone":     func(p *ledger.Proof) { p.Shown.Document, p.Shown.Counters = nil, nil },
		"another account":            func(p *ledger.Proof) { p.Shown.Account = other.Shown.Account + "0" },
		"another place":              func(p *ledger.Proof) { p.Index++ },
		"another response":           func(p *ledger.Proof) { p.Response = 999 },
		"another entry":              func(p *ledger.Proof) { p.Entry = other.Entry },
		"another entry and its path": func(p *ledger.Proof) { p.Entry, p.EntryIndex, p.InLog = other.Entry, other.EntryIndex, other.InLog },
		"no path in the log":         func(p *ledger.Proof) { p.InLog = nil },
		"no path in the response":    func(p *ledger.Proof) { p.InResponse = nil },
		"an older checkpoint":        func(p *ledger.Proof) { p.Checkpoint = h.prove(t, k, h.takes[0].proof, 5).Checkpoint },
		"a log without end": func(p *ledger.Proof) {
			p.Checkpoint = sign(t, k, ledger.Checkpoint{Origin: origin, Tree: tlog.Tree{N: math.MaxInt64}})
		},
		"a stranger's checkpoint": func(p *ledger.Proof) {
			c := ledger.Checkpoint{Origin: origin, Tree: tlog.Tree{N: 6}}
			c.Hash, _ = tlog.TreeHash(6, h)
			p.Checkpoint = sign(t, newKey(t, keyName), c)
		},
	}
	tests["an entry that counts wrongly"] = func(p *ledger.Proof) {
		p.Entry = strings.Replace(p.Entry, fmt.Sprintf(" %d\n", p.EntryIndex+1), " 7\n", 1)
		p.EntryIndex, p.InLog = 0, nil
		p.Checkpoint = sign(t, k, ledger.Checkpoint{Origin: origin, Tree: tlog.Tree{N: 1, Hash: tlog.RecordHash([]byte(p.Entry))}})
	}
	tests["a response without end"] = func(p *ledger.Proof) {
		p.Entry = regexp.MustCompile(` shown \d+`).ReplaceAllString(p.Entry, fmt.Sprintf(" shown %d", math.MaxInt64))
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			p := proof
			change(&p)
			if proven, err := p.Verify(k.verifier); !errors.Is(err, ledger.ErrInvalid) {
				t.Errorf("%+v, %v", proven, err)
			}
		})
	}
	proven, err := proof.Verify()
	if err != nil || len(proven.Checkpoint.By) > 0 || len(proven.Checkpoint.Unknown) != 1 {
		t.Errorf("without a key: %+v, %v", proven, err)
	}
}

func FuzzParseProof(f *testing.F) {
	k := newKey(f, keyName)
	proof, h := aProof(f, k)
	f.Add(ledger.FormatProof(proof))
	for _, taken := range h.takes[:6] {
		f.Add(ledger.FormatProof(h.prove(f, k, taken.proof, 6)))
	}
	f.Add([]byte("lobstrail/1 proof\nshown a gone\nresponse 1 index 0\n\n\n\nc2sp.org/tlog-proof@v1\nindex 0\n\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ledger.ParseProof(text)
		if err != nil {
			if !errors.Is(err, ledger.ErrInvalid) {
				t.Errorf("%v", err)
			}
			return
		}
		if again := ledger.FormatProof(p); !bytes.Equal(again, text) {
			t.Errorf("%q comes out as %q", text, again)
		}
		for _, known := range [][]note.Verifier{nil, {k.verifier}} {
			if _, err := p.Verify(known...); err != nil && !errors.Is(err, ledger.ErrInvalid) {
				t.Errorf("%v", err)
			}
		}
	})
}
