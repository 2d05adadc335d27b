package sqlite_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/ledger"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// provable is a snapshot as the tables have it, and what the account was then.
type provable struct {
	at            int64
	account, body string
	gone          bool
}

func provableRows(t *testing.T, s *sqlite.Store) (all []provable) {
	t.Helper()
	for _, row := range rowsOf(t, s.Path(), `
		SELECT r.at || ' ' || a.hash
		FROM response r
		JOIN shown s ON s.ws = r.ws AND s.source = r.source AND s.slot = r.slot AND r.at BETWEEN s.first AND s.last
		JOIN account a ON a.ws = s.ws AND a.id = s.account
		ORDER BY r.at, a.hash`) {
		var p provable
		if _, err := fmt.Sscan(row, &p.at, &p.account); err != nil {
			t.Fatal(err)
		}
		state, err := s.State(t.Context(), "default", p.account, time.UnixMilli(p.at))
		if err != nil {
			t.Fatal(err)
		}
		p.body, p.gone = string(state.List), state.Gone
		all = append(all, p)
	}
	return all
}

// signing is a key, as its owner and as everybody else have it.
func signing(t *testing.T) (note.Signer, note.Verifier) {
	t.Helper()
	secret, public, err := ledger.NewKey("example.com/lobstrail")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ledger.ParseSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(public)
	if err != nil {
		t.Fatal(err)
	}
	return signer, verifier
}

// TestEverySnapshotCanBeProven, at its instant and until the next, under the log as
// it is and under any that had its entry.
func TestEverySnapshotCanBeProven(t *testing.T) {
	t.Parallel()
	s := openStore(t, memoryPath(t), at(start))
	snapshots(t, s, 0, 6, func(*sqlite.Store) {})
	vanish(t, s, fmt.Sprintf("%032x", 3))
	snapshots(t, s, 7, 2, func(*sqlite.Store) {})
	signer, verifier := signing(t)
	all, rng, goneSeen := provableRows(t, s), rand.New(rand.NewPCG(5, 6)), false
	tree, err := s.Tree(t.Context(), "default")
	if err != nil || len(all) < 90 {
		t.Fatal(len(all), err)
	}
	for i, want := range all {
		until := want.at
		for _, later := range all[i+1:] {
			if later.account == want.account {
				until = later.at - 1
				break
			}
		}
		if i%fewer(1, 3) > 0 || until < want.at { // or another of the same millisecond holds
			continue
		}
		q := store.ProofQuery{Workspace: "default", Account: want.account, At: time.UnixMilli(want.at + rng.Int64N(until-want.at+1))}
		p, err := s.Prove(t.Context(), q)
		if err != nil {
			t.Fatalf("%+v: %v", q, err)
		}
		q.Size = p.EntryIndex + 1 + rng.Int64N(tree.N-p.EntryIndex)
		older, err := s.Prove(t.Context(), q)
		if err != nil {
			t.Fatalf("%+v: %v", q, err)
		}
		for _, made := range []store.Proof{p, older} {
			checkProof(t, made, want, signer, verifier)
		}
		goneSeen = goneSeen || want.gone
		q.Size = p.EntryIndex
		if _, err := s.Prove(t.Context(), q); q.Size > 0 && !errors.Is(err, store.ErrLater) {
			t.Errorf("before its entry: %v", err)
		}
	}
	if !goneSeen {
		t.Error("no account was gone")
	}
	_, err = s.Prove(t.Context(), store.ProofQuery{Workspace: "default", Account: all[0].account, At: start.Add(-time.Hour)})
	if !errors.Is(err, store.ErrNotFound) {
		t.Errorf("before the first snapshot: %v", err)
	}
}

func checkProof(t *testing.T, made store.Proof, want provable, signer note.Signer, verifier note.Verifier) {
	t.Helper()
	signed, err := ledger.SignCheckpoint(ledger.Checkpoint{Origin: ledger.Origin(signer.Name(), "default"), Tree: made.Tree}, signer)
	if err != nil {
		t.Fatal(err)
	}
	made.Checkpoint = signed
	p, err := ledger.ParseProof(ledger.FormatProof(made.Proof))
	if err != nil {
		t.Fatal(err)
	}
	proven, err := p.Verify(verifier)
	if err != nil {
		t.Fatal(err)
	}
	got := provable{proven.Response.At, p.Shown.Account, string(p.Document), p.Shown.Document == nil}
	if got != want || proven.Workspace != "default" || !made.Next.IsZero() || made.Taken.UnixMilli() != want.at {
		t.Errorf("proven is %+v, want %+v", got, want)
	}
}

// vanish lets the API answer 404 for an account.
func vanish(t *testing.T, s *sqlite.Store, id string) {
	t.Helper()
	when := start.Add(6*time.Hour + time.Minute)
	run, err := s.Begin(t.Context(), "default", store.ScopeNamed)
	if err != nil {
		t.Fatal(err)
	}
	_, err = run.Append(t.Context(), store.Response{Source: store.Detail, Sent: when, Received: when.Add(time.Second), Absent: []string{id}, Requests: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Finish(t.Context(), store.Outcome{State: store.Complete, Requested: 1}); err != nil {
		t.Fatal(err)
	}
}

// TestWhatWasChangedCannotBeProven: the proof would not hold, and is not given.
func TestWhatWasChangedCannotBeProven(t *testing.T) {
	for name, change := range map[string]string{
		"a document":           `UPDATE fact SET value = '"201"' WHERE value = '"200"'`,
		"the instant":          `UPDATE response SET at = at + 1`,
		"a salt":               `UPDATE account SET salt = randomblob(32)`,
		"the text of an entry": `UPDATE entry SET text = replace(text, ' sent ', ' held 1 sent ')`,
		"entries are gone":     `DELETE FROM entry WHERE text LIKE '%response%'`,
		"a snapshot is gone":   `DROP TRIGGER shown_delete; DELETE FROM shown WHERE account = 2`,
	} {
		t.Run(name, func(t *testing.T) {
			s := openStore(t, memoryPath(t), at(start))
			snapshots(t, s, 0, 2, func(*sqlite.Store) {})
			if _, err := second(t, s.Path()).Exec(`INSERT INTO setting VALUES ('erasing', 1);` + change); err != nil {
				t.Fatal(err)
			}
			_, err := s.Prove(t.Context(), store.ProofQuery{Workspace: "default", Account: fmt.Sprintf("%032x", 0)})
			if !errors.Is(err, store.ErrDamaged) {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestARedactedAccount can be proven to have been seen, and no more.
func TestARedactedAccount(t *testing.T) {
	s := openStore(t, memoryPath(t), at(start))
	snapshots(t, s, 0, 2, func(*sqlite.Store) {})
	signer, verifier := signing(t)
	all, id := provableRows(t, s), fmt.Sprintf("%032x", 0)
	if _, err := s.Redact(t.Context(), "default", id); err != nil {
		t.Fatal(err)
	}
	for _, want := range all {
		q := store.ProofQuery{Workspace: "default", Account: want.account, At: time.UnixMilli(want.at)}
		p, err := s.Prove(t.Context(), q)
		if want.account == id {
			if !errors.Is(err, store.ErrRedacted) || !strings.Contains(err.Error(), "was redacted") {
				t.Errorf("%v", err)
			}
			q.WithoutDocument, want.body = true, ""
			p, err = s.Prove(t.Context(), q)
		}
		if err != nil {
			t.Fatal(err)
		}
		checkProof(t, p, want, signer, verifier)
	}
}

// TestThinnedSnapshotsCannotBeProven: the one before is, and the next is told.
func TestThinnedSnapshotsCannotBeProven(t *testing.T) {
	s := openStore(t, memoryPath(t), at(start))
	for hour := range 9 {
		take(t, s, start.Add(time.Duration(hour)*time.Hour), accountObject(``))
	}
	signer, verifier := signing(t)
	all := provableRows(t, s)
	if done, err := s.Prune(t.Context(), "default", store.Keep{}, nil); err != nil || done.Thinned != 7 {
		t.Fatalf("%+v, %v", done, err)
	}
	for i, thinned := range all {
		p, err := s.Prove(t.Context(), store.ProofQuery{Workspace: "default", Account: thinned.account, At: time.UnixMilli(thinned.at)})
		if err != nil {
			t.Fatal(err)
		}
		want, next := all[0], time.UnixMilli(all[8].at).UTC()
		switch i {
		case 0:
			next = time.Time{}
		case 8:
			want, next = all[8], time.Time{}
		}
		if !p.Next.Equal(next) {
			t.Errorf("at hour %d the next is %v, want %v", i, p.Next, next)
		}
		p.Next = time.Time{}
		checkProof(t, p, want, signer, verifier)
	}
}
