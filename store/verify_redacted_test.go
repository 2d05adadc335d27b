package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/lobstrail/lobstrail/store"
)

// TestVerifyFindsWhatWasDoneToRedacted alters what is left of an account that was
// redacted, which cannot be derived again; and erases something else in the same
// way, without an entry.
func TestVerifyFindsWhatWasDoneToRedacted(t *testing.T) {
	t.Parallel()
	whole := filepath.Join(labFolder(t), "store.db")
	s := redactLab(t, whole)
	if _, err := s.Redact(t.Context(), "default", person); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	healthy(t, whole)
	body, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	const its = ` WHERE account_id = (SELECT account_id FROM redacted)`
	for i, alter := range []string{
		`UPDATE version SET health = 'healthy'` + its, `UPDATE version SET username = 'x'` + its, `DELETE FROM change` + its,
		`UPDATE change SET after = after + 1` + its, `UPDATE status_step SET before = before + 1` + its,
		`UPDATE assignment SET from_before = from_before + 1` + its, `UPDATE head SET health = 'locked'` + its,
		`UPDATE document SET body = '{}'` + its, `UPDATE received SET digest = zeroblob(32)` + its,
		`UPDATE failure SET message = 'x' WHERE length(salt) = 0`, `UPDATE failure SET salt = x'01' WHERE length(salt) = 0`,
		`UPDATE icon SET body = 'x' WHERE body = ''`, `UPDATE icon SET digest = zeroblob(32) WHERE id = (SELECT min(id) FROM icon WHERE body = '')`,
		`UPDATE account SET salt = x'01' WHERE length(salt) = 0`, `UPDATE squid_name SET name = 'x'`,
		`DELETE FROM redacted WHERE what = 'account'`, `DELETE FROM redacted WHERE what = 'document'`, `DELETE FROM redacted`,
		`UPDATE redacted SET hash = zeroblob(32) WHERE what = 'account'`, `UPDATE redacted SET hash = zeroblob(32) WHERE what = 'document'`,
		`UPDATE redacted SET hash = zeroblob(32) WHERE what = 'received'`, `UPDATE redacted SET hash = zeroblob(32) WHERE what = 'failure'`,
		`INSERT INTO usage VALUES (1, (SELECT account_id FROM redacted), '/resets_in', 'null', NULL)`,
		`INSERT INTO redacted SELECT id, 'account', id, zeroblob(32) FROM account WHERE length(salt) > 0`,
		`INSERT INTO redacted SELECT account_id, 'document', id, zeroblob(32) FROM document WHERE account_id NOT IN (SELECT account_id FROM redacted)`,
	} {
		if i%fewer(1, 4) > 0 {
			continue
		}
		dir := labFolder(t)
		lay(t, dir, map[string][]byte{"store.db": body})
		path := filepath.Join(dir, "store.db")
		db := second(t, path)
		db.SetMaxOpenConns(1)
		for _, trigger := range rowsOf(t, path, `SELECT name FROM sqlite_schema WHERE type = 'trigger'`) {
			execute(t, db, `DROP TRIGGER `+trigger)
		}
		triggers, _ := verify(t, path, store.VerifyOptions{})
		execute(t, db, alter)
		db.Close()
		if found, _ := verify(t, path, store.VerifyOptions{}); len(found) <= len(triggers) {
			t.Errorf("%s: nothing was found", alter)
		}
	}
}
