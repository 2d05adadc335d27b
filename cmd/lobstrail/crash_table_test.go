package main

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	migrations "github.com/lobstrail/lobstrail/migrations/sqlite"
)

// operation is something that writes to a store and may be killed meanwhile. A
// further one is a further row of the table.
type operation struct {
	name string
	// args are the command that is killed, and then run again until it is done.
	args func(s *crashSite) []string
	// prepare changes the store in which the operation begins: one that holds
	// three batches, before the last things happened. Nil leaves it so.
	prepare func(t *testing.T, h *home)
	// slow makes the API answer slowly, for operations that wait for it.
	slow bool
	// older says that readers may find the store not yet migrated.
	older bool
	// page is how many snapshots are stored at once.
	page int
	// thins says that snapshots go: what is left of them is compared too.
	thins bool
	// file says that it is about a store in a file.
	file bool
}

func allAccounts(*crashSite) []string { return []string{"snapshot"} }

// someAccounts are every third one, all that anything happens to, but for those
// that are known to be gone.
func someAccounts(s *crashSite) []string {
	args := []string{"snapshot"}
	for i := 0; i < len(s.ids); i += 3 {
		if i != deletedIn(0) && i != deletedIn(1) {
			args = append(args, s.ids[i])
		}
	}
	return args
}

func redactOne(s *crashSite) []string { return []string{"redact", s.ids[1], "--yes"} }

func deletedIn(round int) int { return round * 15 % crashAccounts }

var operations = []operation{
	{name: "a list of several pages", args: allAccounts, slow: true, page: crashPage},
	{name: "details of some accounts", args: someAccounts, page: 1},
	{name: "a migration", args: allAccounts, prepare: unmigrate, older: true, page: crashPage, file: true},
	{name: "a derivation by other rules", args: allAccounts, prepare: changeRules, page: crashPage},
	{name: "a prune", args: prunePast, prepare: importPast, page: crashPage, thins: true},
	{name: "a redaction", args: redactOne, page: crashPage},
}

// unmigrate takes back the migrations after the second one, the first with which
// there is a history.
func unmigrate(t *testing.T, h *home) {
	t.Helper()
	db := openRaw(t, h.db)
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, migrations.FS, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.DownTo(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	// The numbers of later migrations were never given.
	const numbers = `UPDATE sqlite_sequence SET seq = (SELECT max(id) FROM goose_db_version) WHERE name = 'goose_db_version'`
	if _, err := db.Exec(numbers); err != nil {
		t.Fatal(err)
	}
	settle(t, db)
}

// changeRules makes the store one that was derived by rules of another version.
func changeRules(t *testing.T, h *home) {
	t.Helper()
	if err := h.engine.edit(h.db, `UPDATE setting SET value = value + 1000 WHERE name = 'rules'`); err != nil {
		t.Fatal(err)
	}
}

func openRaw(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// settle puts all into the one file, and closes it.
func settle(t *testing.T, db *sql.DB) {
	t.Helper()
	if _, err := db.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// killsOfEach is how many kills each operation must survive.
func killsOfEach() int {
	switch {
	case *long:
		return 100
	case testing.Short():
		return 2
	}
	return 3
}

// TestKillMinusNine kills operations at random instants. After each kill the store
// opens, holds whole pages only and is sound; and when the operation is run again
// and left alone, all rows are what they are after one that was never disturbed.
func TestKillMinusNine(t *testing.T) { onEngines(t, killOperations) }

func killOperations(t *testing.T, engine testEngine) {
	for _, op := range operations {
		t.Run(op.name, func(t *testing.T) {
			t.Parallel()
			if op.file && engine.name != "sqlite" {
				t.Skip("about files")
			}
			trial := newTrial(t, engine, op)
			rng := rand.New(rand.NewPCG(uint64(os.Getpid()), uint64(len(op.name))))
			kills, cut := 0, 0
			for kills < killsOfEach() {
				h := trial.home(t)
				for range 1 + rng.IntN(3) { // the one after it may be killed too
					kills++
					if trial.kill(h, time.Duration(rng.Int64N(int64(trial.span)))) {
						cut++
					}
					trial.inspect(t, h)
				}
				h.must(exitDone, trial.args...)
				if got := trial.rows(h); !slices.Equal(got, trial.want) {
					t.Fatalf("after %d kills it tells another history (-undisturbed +killed):\n%s", kills, cmp.Diff(trial.want, got))
				}
			}
			t.Logf("%d kills within %s, %d of them before the end", kills, trial.span.Round(time.Millisecond), cut)
		})
	}
}

// trial is an operation with the store that it begins with, and what comes of it
// when it is not disturbed.
type trial struct {
	operation
	site   *crashSite
	args   []string
	engine testEngine
	before string // the location of the store that it begins with
	want   []string
	span   time.Duration // how long it takes undisturbed, and a little more
}

func newTrial(t *testing.T, engine testEngine, op operation) *trial {
	t.Helper()
	s := newCrashSite(t)
	first := newHomeOn(t, engine).asks(s.server, lobstrtest.DefaultToken)
	for round := range 3 {
		first.must(exitDone, "snapshot")
		s.happens(round)
	}
	if op.prepare != nil {
		op.prepare(t, first)
	}
	if op.slow {
		s.answersSlowly()
	}
	trial := &trial{operation: op, site: s, args: op.args(s), engine: engine, before: first.db}
	undisturbed, began := trial.home(t), time.Now()
	undisturbed.must(exitDone, trial.args...)
	trial.span = time.Since(began) * 11 / 10
	trial.want = trial.rows(undisturbed)
	return trial
}

// home is one with the store in which the operation begins.
func (c *trial) home(t *testing.T) *home {
	t.Helper()
	h := newHomeOn(t, c.engine).asks(c.site.server, lobstrtest.DefaultToken)
	return h.use(c.engine.clone(t, c.before, filepath.Join(h.dir, "clone.db")))
}

// kill reports whether the operation was still going on.
func (c *trial) kill(h *home, after time.Duration) bool {
	h.t.Helper()
	cmd := h.command(c.args...)
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	time.Sleep(after)
	cmd.Process.Kill()       // it may have ended by itself
	return cmd.Wait() != nil // killed, or done
}

// happens lets a round of things happen, other ones each time.
func (s *crashSite) happens(round int) {
	pick := func(i int) string { return s.ids[(round*12+i*6)%len(s.ids)] } // all of them every third account
	happen(s.world, lobstrtest.Expire(pick(0)), lobstrtest.Resync(pick(1)),
		lobstrtest.SetLimit(pick(2), "searches", 50+round), lobstrtest.Assign(fmt.Sprintf("New %d", round%3), pick(3)),
		lobstrtest.Unassign(fmt.Sprintf("Squid %d", round%7), pick(4)), lobstrtest.Delete(s.ids[deletedIn(round)]))
}
