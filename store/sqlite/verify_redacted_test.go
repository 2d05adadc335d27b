package sqlite_test

import (
	"testing"

	"github.com/lobstrail/lobstrail/store"
)

// TestVerifyFindsWhatWasDoneToRedacted alters what is left of an account that was
// redacted, which cannot be derived again; and erases something else in the same
// way, without an entry.
func TestVerifyFindsWhatWasDoneToRedacted(t *testing.T) {
	t.Parallel()
	path := memoryPath(t)
	fullStore(t, path)
	f := newForger(t, path)
	const its = ` WHERE ws = 1 AND account = 1`
	for i, alter := range []string{
		`UPDATE version SET health = 'healthy' WHERE ws = 1 AND account = 1 AND number = 2`, `UPDATE version SET username = 'x'` + its,
		`DELETE FROM change` + its, `UPDATE change SET after = after + 1` + its, `UPDATE status_step SET at = at + 1` + its,
		`UPDATE assignment SET from_after = 5` + its, `UPDATE state SET health = 'locked'` + its, `UPDATE state SET known = '{}'` + its,
		`UPDATE said SET digest = zeroblob(32)` + its, `UPDATE said SET leaf = zeroblob(32)` + its,
		`INSERT INTO body (ws, account, endpoint, body) VALUES (1, 1, 1, '{}')`, `INSERT INTO counter VALUES (1, 1, 5, 1767592861000, '1', NULL)`,
		`INSERT INTO fact VALUES (1, 1, 1, 2, 1767592861000, '"x"', NULL)`, `INSERT INTO usage VALUES (1, 1767592861000, 1, 5, '1', NULL)`,
		`UPDATE account SET salt = x'01' WHERE ws = 1 AND id = 1`, `UPDATE account SET first_at = first_at + 1 WHERE ws = 1 AND id = 1`,
		`UPDATE squid_name SET name = 'x' WHERE ws = 1`,
		`UPDATE response SET news = 0 WHERE ws = 1 AND at = 1767593281000`, `UPDATE response SET news = news + 9 WHERE ws = 1 AND at = 1767593281000`,
		`DELETE FROM redacted WHERE what = 'account'`, `DELETE FROM redacted WHERE what = 'document'`, `DELETE FROM redacted`,
		`UPDATE redacted SET hash = zeroblob(32) WHERE what = 'account'`, `UPDATE redacted SET hash = zeroblob(32) WHERE what = 'document'`,
		`UPDATE redacted SET hash = zeroblob(32) WHERE what = 'counters'`, `UPDATE redacted SET what = 'other' WHERE what = 'account'`,
		`UPDATE redacted SET at = at + 1 WHERE what = 'document'`, `UPDATE redacted SET part = part + 1 WHERE what = 'document'`,
		`INSERT INTO redacted SELECT ws, id, 'account', 0, 0, zeroblob(32) FROM account WHERE ws = 1 AND id = 2`,
		`INSERT INTO redacted SELECT ws, account, 'document', endpoint, at, zeroblob(32) FROM fact WHERE ws = 1 AND account = 2 AND name = 2`,
		`UPDATE account SET salt = x'' WHERE ws = 2`,
		// Erased as by a redaction, but for the entry.
		`UPDATE failure SET message = 'redacted', salt = x'' WHERE n = 1`,
		`DELETE FROM fact WHERE ws = 1 AND account = 2; DELETE FROM usage WHERE ws = 1 AND account = 2; UPDATE account SET salt = x'' WHERE ws = 1 AND id = 2`,
	} {
		if i%fewer(1, 4) > 0 {
			continue
		}
		if !f.forge(alter) {
			t.Errorf("%s: nothing was changed", alter)
		}
		if found := f.found(); len(found) == 0 || found[0].Table == "" {
			t.Errorf("%s: found %v", alter, found)
		}
	}
}

// TestARedactedStoreVerifies, also to checkpoints that are older.
func TestARedactedStoreVerifies(t *testing.T) {
	path := memoryPath(t)
	smallStore(t, path)
	old := store.VerifyOptions{Trees: trees(healthy(t, path))}
	s := openStore(t, path, at(start))
	for _, id := range []string{smallObject(2, ``).ID, smallObject(9, ``).ID} {
		for _, workspace := range []string{"default", "other"} {
			if _, err := s.Redact(t.Context(), workspace, id); err == nil {
				break
			}
		}
		if findings, _ := verify(t, path, old); len(findings) > 0 {
			t.Errorf("%s was redacted, and found: %v", id, findings)
		}
	}
	if err := s.Rederive(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if findings, _ := verify(t, path, old); len(findings) > 0 {
		t.Errorf("derived again, and found: %v", findings)
	}
}
