package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lobstrail/lobstrail/report"
)

// crashArchive is a folder of saved lists of so many accounts, one of them larger than
// the others. Four of them have one instant each time, and contradict each other.
func crashArchive(t *testing.T, dir string, accounts, large int) {
	t.Helper()
	began := time.Date(2026, 1, 5, 6, 0, 0, 0, time.UTC)
	for n := range 40 {
		shown := accounts
		if n == 10 {
			shown = large
		}
		var list []string
		for i := range shown {
			list = append(list, fmt.Sprintf(`{"id":"%032x","username":"u%d","status":"%d","squids":[{"id":"%032x","name":"S"}]}`,
				i+1, i, 200+(i+n/8)%2*201, 1+(i+n)%3))
		}
		name := filepath.Join(dir, fmt.Sprintf("%s_%d.json", began.Add(time.Duration(n/4)*time.Hour).Format("20060102T150405Z"), n%4))
		if err := os.WriteFile(name, []byte("["+strings.Join(list, ",\n")+"]"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestKilledImportGoesOn kills imports at random instants. After each the store
// opens and counts right; in the end it is as if nothing had disturbed the import.
func TestKilledImportGoesOn(t *testing.T) { onEngines(t, killImports) }

func killImports(t *testing.T, engine testEngine) {
	saved, accounts, large, kills := t.TempDir(), 100, 5000, 3 // larger than a batch
	switch {
	case *long:
		kills = 60
	case testing.Short():
		accounts, large, kills = 30, 300, 3
	}
	crashArchive(t, saved, accounts, large)
	steady, disturbed := newHomeOn(t, engine), newHomeOn(t, engine)
	begun := time.Now()
	steady.must(exitDone, "import", saved)
	took := time.Since(begun)
	rng := rand.New(rand.NewPCG(3, uint64(os.Getpid())))
	for kill := range kills {
		if kill > 0 && kill%6 == 0 {
			disturbed = newHomeOn(t, engine)
		}
		cmd := disturbed.command("import", saved, "--quiet")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rng.Int64N(int64(took))))
		cmd.Process.Kill() // it may have ended by itself
		cmd.Wait()         // killed, or done
		if disturbed.run("runs").code == exitDone {
			inspectImport(t, disturbed)
		}
	}
	disturbed.must(exitDone, "import", saved)
	if want, got := snapshotsOf(steady), snapshotsOf(disturbed); !slices.Equal(got, want) {
		t.Errorf("the disturbed store has other rows (-steady +disturbed):\n%.2000s", cmp.Diff(want, got))
	}
}

// inspectImport checks a store whose writer may just have been killed.
func inspectImport(t *testing.T, h *home) {
	t.Helper()
	h.must(exitDone, "verify")
	var runs []report.RunJSON
	h.read(&runs, "runs")
	snapshots := h.countByRun()
	for _, run := range runs {
		if !h.mayBe(run.State) || snapshots[run.Run] != run.Captured {
			t.Errorf("run %d is %s, counts %d captured and has %d snapshots", run.Run, run.State, run.Captured, snapshots[run.Run])
		}
	}
}

// snapshotsOf is everything that an import gives, but for the numbers of runs.
func snapshotsOf(h *home) (answers []string) {
	h.t.Helper()
	for _, query := range []string{
		"SELECT account, count(*), min(taken_at), max(taken_at), max(version), count(DISTINCT source) FROM snapshots GROUP BY 1 ORDER BY 1",
		"SELECT account, kind, path, old, new, after, before FROM changes ORDER BY 1, 7, 2, 3",
		"SELECT * FROM account_versions ORDER BY account, version",
		"SELECT * FROM squid_assignments ORDER BY squid, account, from_before",
	} {
		o := h.must(exitDone, "sql", query, "--format", "csv")
		answers = append(answers, strings.Split(o.stdout, "\n")...)
	}
	return answers
}
