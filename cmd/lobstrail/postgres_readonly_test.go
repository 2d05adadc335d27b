package main

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/store/postgres/postgrestest"
)

// TestReadOnlyDatabase: where the server allows reading only, as a replica does, commands
// that read work, and those that write say so, and what to do.
func TestReadOnlyDatabase(t *testing.T) {
	t.Parallel()
	world := nowWorld()
	addCrowd(world, 3)
	h := newHome(t).asks(serve(t, world), lobstrtest.DefaultToken).use(postgrestest.Database(t))
	h.must(exitDone, "snapshot")
	h.use(postgrestest.Copy(t, h.db)) // to which nothing is connected yet
	alterDatabase(t, h.db, "SET default_transaction_read_only = on")
	file := filepath.Join(h.dir, "file.db")
	for _, args := range [][]string{
		{"accounts"}, {"changes"}, {"report"}, {"runs"}, {"status"}, {"alerts"}, {"metrics"}, {"verify"}, {"sql", "SELECT * FROM runs"},
		{"export", "--parquet", "lake"}, {"copy", h.db, file},
	} {
		h.must(exitDone, args...)
	}
	h.must(exitDone, "snapshot", "--db", file)
	account := filepath.Join(h.dir, "account.json")
	if err := os.WriteFile(account, []byte(`{"id":"d3e97f2cd33658f301bdbe807402ab30","username":"late","status":"200"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	refused := func(args ...string) {
		t.Helper()
		o := h.must(exitFailed, args...)
		if !strings.Contains(o.stderr, "the server allows reading only") || !strings.Contains(o.stderr, "\nname the primary in the URL") {
			t.Errorf("%q: %s", args, o)
		}
	}
	refused("snapshot")
	refused("snapshot", "--workspace", "new")
	refused("import", account)
	refused("prune", "--keep-within", "1d")
	refused("redact", "u001", "--yes")
	refused("alerts", "silence", "--type", "twitter-sync", "--for", "1h", "--reason", "test")
	refused("copy", file, h.db)

	h.use(postgrestest.Database(t))
	alterDatabase(t, h.db, "SET default_transaction_read_only = on")
	h.must(exitNoStore, "accounts")
	refused("snapshot")
	refused("copy", file, h.db)
}

// alterDatabase changes what holds for all who connect to the database from now on.
func alterDatabase(t *testing.T, location, change string) {
	t.Helper()
	u, err := url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(u.Path, "/")
	u.Path = "/postgres"
	if err := editDatabase(u.String(), "ALTER DATABASE "+name+" "+change); err != nil {
		t.Fatal(err)
	}
}
