package main

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/report"
)

// watchmaker is a machine whose clock is wrong, and a service whose clock is not.
type watchmaker struct {
	t      *testing.T
	world  *lobstrtest.World
	server *lobstrtest.Server
	db     string
	ada    string
	clock  func() time.Time // of the machine
}

func newWatchmaker(t *testing.T) *watchmaker {
	t.Helper()
	w := &watchmaker{t: t, db: filepath.Join(t.TempDir(), "store.db")}
	w.world = lobstrtest.NewWorld(lobstrtest.NewClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)))
	w.ada = w.world.Add(lobstrtest.Account{Username: "ada"})
	w.world.Add(lobstrtest.Account{Username: "ben"})
	w.server = lobstrtest.New(t, w.world)
	w.ahead(0)
	return w
}

func (w *watchmaker) ahead(d time.Duration) {
	w.clock = func() time.Time { return w.world.Clock().Now().Add(d) }
}

func (w *watchmaker) run(args ...string) outcome {
	w.t.Helper()
	var stdout, stderr bytes.Buffer
	vars := map[string]string{"LOBSTR_API_BASE": w.server.URL, "LOBSTR_TOKEN": lobstrtest.DefaultToken, "LOBSTRAIL_DB": w.db}
	env := &environment{
		stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr, now: w.clock, zone: time.UTC,
		getenv: func(name string) string { return vars[name] },
	}
	o := outcome{run(context.Background(), env, args), stdout.String(), stderr.String()}
	if o.code != exitDone {
		w.t.Fatalf("%q: %s", args, o)
	}
	return o
}

// snapshot lets an hour pass in which something happens, and takes a snapshot.
func (w *watchmaker) snapshot(events ...lobstrtest.Event) report.RunJSON {
	w.t.Helper()
	w.world.Clock().Advance(time.Hour)
	if len(events) > 0 {
		w.world.Apply(events...)
	}
	var run report.RunJSON
	if err := json.Unmarshal([]byte(w.run("snapshot", "--json").stdout), &run); err != nil {
		w.t.Fatal(err)
	}
	return run
}

// check holds a run to the skew and the holding that are right.
func (w *watchmaker) check(what string, run report.RunJSON, skew, held time.Duration) {
	w.t.Helper()
	near := func(got report.Seconds, want time.Duration) bool {
		return math.Abs(time.Duration(got).Seconds()-want.Seconds()) < notableSkew.Seconds()
	}
	if run.ClockSkew == nil || !near(*run.ClockSkew, skew) || !near(run.ClockHeld, held) {
		w.t.Errorf("%s: skew %v, held %v; want %s and %s", what, run.ClockSkew, time.Duration(run.ClockHeld), skew, held)
	}
	if said := strings.Join(run.Warnings, "\n"); (held > 0) != strings.Contains(said, "behind the newest snapshot") {
		w.t.Errorf("%s: held by %s, and the warnings are %q", what, held, said)
	}
	if told := w.run("runs").stdout; skew.Abs() >= notableSkew != strings.Contains(newestRow(told), "this machine's clock") {
		w.t.Errorf("%s: the skew is %s, and runs says\n%s", what, skew, told)
	}
}

// newestRow is the row of a table below its head.
func newestRow(table string) string {
	_, rows, _ := strings.Cut(table, "\n")
	row, _, _ := strings.Cut(rows, "\n")
	return row
}

// ordered checks that the history runs forward, whatever the clock did.
func (w *watchmaker) ordered(versions int) {
	w.t.Helper()
	var rows []struct {
		From string  `json:"valid_from"`
		To   *string `json:"valid_to"`
	}
	o := w.run("sql", "--json", "SELECT valid_from, valid_to FROM account_versions WHERE username = 'ada' ORDER BY version")
	if err := json.Unmarshal([]byte(o.stdout), &rows); err != nil || len(rows) != versions {
		w.t.Fatalf("%d versions, want %d: %v", len(rows), versions, err)
	}
	for i, row := range rows {
		switch last := i == len(rows)-1; {
		case last != (row.To == nil), !last && (*row.To != rows[i+1].From || row.From > *row.To):
			w.t.Errorf("version %d does not end where the next begins: %+v", i+1, rows)
		}
	}
	var changes []report.ChangeJSON
	if err := json.Unmarshal([]byte(w.run("changes", "--account", "ada", "--json").stdout), &changes); err != nil {
		w.t.Fatal(err)
	}
	for i, c := range changes {
		if c.After.After(c.Before.Time) || i > 0 && c.Before.Before(changes[i-1].Before.Time) {
			w.t.Errorf("change %d is out of order: %+v", i, c)
		}
	}
}

// TestTheClockGoesBack by two hours: times are held, and it is said why.
func TestTheClockGoesBack(t *testing.T) {
	t.Parallel()
	w := newWatchmaker(t)
	w.check("all is well", w.snapshot(), 0, 0)
	w.ahead(-2 * time.Hour)
	run := w.snapshot(lobstrtest.Expire(w.ada))
	w.check("the clock went back", run, -2*time.Hour, time.Hour)
	if said := strings.Join(run.Warnings, ""); !strings.Contains(said, "2h behind the server's: set it") {
		t.Errorf("no next step: %q", said)
	}
	w.ahead(0)
	w.check("the clock was set", w.snapshot(lobstrtest.Resync(w.ada)), 0, 0)
	w.ordered(3)
}

// TestTheClockGoesForward by a year and comes back: until the year is over times
// are held, and it is said that the clock is right now.
func TestTheClockGoesForward(t *testing.T) {
	t.Parallel()
	const year = 365 * 24 * time.Hour
	w := newWatchmaker(t)
	w.snapshot()
	w.ahead(year)
	w.check("the clock went forward", w.snapshot(lobstrtest.Expire(w.ada)), year, 0)
	w.ahead(0)
	run := w.snapshot(lobstrtest.Resync(w.ada))
	w.check("the clock came back", run, 0, year-time.Hour)
	if said := strings.Join(run.Warnings, ""); !strings.Contains(said, "times are exact again in 364d") {
		t.Errorf("no word of how long: %q", said)
	}
	w.ordered(3)
}

// TestTheClockStandsStill for hours.
func TestTheClockStandsStill(t *testing.T) {
	t.Parallel()
	w := newWatchmaker(t)
	w.snapshot()
	still := w.clock()
	w.clock = func() time.Time { return still }
	w.check("it stands still", w.snapshot(lobstrtest.Expire(w.ada)), -time.Hour, 0)
	w.check("it still stands still", w.snapshot(lobstrtest.Resync(w.ada)), -2*time.Hour, 0)
	w.ahead(0)
	w.check("it goes again", w.snapshot(), 0, 0)
	w.ordered(3)
}

// TestNoDateNoSkew: a server that does not tell the time is not compared with.
func TestNoDateNoSkew(t *testing.T) {
	t.Parallel()
	w := newWatchmaker(t)
	w.server.Inject(lobstrtest.FaultNamed("no-date"), lobstrtest.When{})
	if run := w.snapshot(); run.ClockSkew != nil {
		t.Errorf("skew %v", time.Duration(*run.ClockSkew))
	}
}
