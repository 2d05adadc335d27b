package store_test

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
)

// provable is a snapshot as the tables have it.
type provable struct {
	response, received int64
	account, body      string
	gone               bool
}

func provableRows(t *testing.T, s *store.Store) (all []provable) {
	t.Helper()
	rows, err := second(t, s.Path()).Query(`
		SELECT r.id, r.received_at, a.hash, coalesce(d.body, ''), d.body IS NULL
		FROM response r
		JOIN snapshot s ON s.response_id = r.id
		JOIN account a ON a.id = s.account_id
		JOIN document d ON d.id = s.document_id
		ORDER BY r.received_at, r.id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var row provable
		if err := rows.Scan(&row.response, &row.received, &row.account, &row.body, &row.gone); err != nil {
			t.Fatal(err)
		}
		all = append(all, row)
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
	snapshots(t, s, 0, 6, func(*store.Store) {})
	vanish(t, s, fmt.Sprintf("%032x", 3))
	snapshots(t, s, 7, 2, func(*store.Store) {})
	signer, verifier := signing(t)
	all, rng, goneSeen := provableRows(t, s), rand.New(rand.NewPCG(5, 6)), false
	tree, err := s.Tree(t.Context())
	if err != nil || len(all) < 90 {
		t.Fatal(len(all), err)
	}
	for i, want := range all {
		until := want.received
		for _, later := range all[i+1:] {
			if later.account == want.account {
				until = later.received - 1
				break
			}
		}
		if i%fewer(1, 3) > 0 || until < want.received { // or another of the same millisecond holds
			continue
		}
		q := store.ProofQuery{Workspace: "default", Account: want.account, At: time.UnixMilli(want.received + rng.Int64N(until-want.received+1))}
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
	signed, err := ledger.SignCheckpoint(ledger.Checkpoint{Origin: signer.Name(), Tree: made.Tree}, signer)
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
	got := provable{proven.Response.ID, proven.Response.Received, p.Shown.Account, string(p.Document), p.Shown.Document == nil}
	if got != want || !made.Next.IsZero() || made.Taken.UnixMilli() != want.received {
		t.Errorf("proven is %+v, want %+v", got, want)
	}
}

// vanish lets the API answer 404 for an account.
func vanish(t *testing.T, s *store.Store, id string) {
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
		"a document":           `DROP TRIGGER document_is_fixed; UPDATE document SET body = replace(body, '200', '201')`,
		"the instant":          `DROP TRIGGER response_is_fixed; UPDATE response SET received_at = received_at + 1`,
		"a salt":               `DROP TRIGGER account_is_fixed; UPDATE account SET salt = randomblob(32)`,
		"the text of an entry": `DROP TRIGGER entry_is_fixed; UPDATE entry SET text = replace(text, 'held 0', 'held 1')`,
		"entries are gone":     `DROP TRIGGER entry_is_kept; DELETE FROM entry WHERE text LIKE '%response%'`,
		"a snapshot is gone":   `DROP TRIGGER snapshot_is_kept; DELETE FROM snapshot WHERE account_id = 2`,
	} {
		t.Run(name, func(t *testing.T) {
			s := openStore(t, memoryPath(t), at(start))
			snapshots(t, s, 0, 2, func(*store.Store) {})
			if _, err := second(t, s.Path()).Exec(change); err != nil {
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
	snapshots(t, s, 0, 2, func(*store.Store) {})
	signer, verifier := signing(t)
	all, id := provableRows(t, s), fmt.Sprintf("%032x", 0)
	if _, err := s.Redact(t.Context(), "default", id); err != nil {
		t.Fatal(err)
	}
	for _, want := range all {
		q := store.ProofQuery{Workspace: "default", Account: want.account, At: time.UnixMilli(want.received)}
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
		p, err := s.Prove(t.Context(), store.ProofQuery{Workspace: "default", Account: thinned.account, At: time.UnixMilli(thinned.received)})
		if err != nil {
			t.Fatal(err)
		}
		want, next := all[0], time.UnixMilli(all[8].received).UTC()
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
