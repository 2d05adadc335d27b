package main

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/report/export"
)

// parquetFiles are the contents of the files that readers of an export find. Each must be a
// whole one.
func (h *home) parquetFiles(dir string) map[string]string {
	h.t.Helper()
	files := map[string]string{}
	root := filepath.Join(h.dir, dir)
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() && e.Name()[0] == '_' {
			return fs.SkipDir
		}
		if err != nil || e.IsDir() || !strings.HasSuffix(path, ".parquet") {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if _, err := parquet.OpenFile(strings.NewReader(string(raw)), int64(len(raw))); err != nil {
			h.t.Errorf("%s: %v", path, err)
		}
		name, err := filepath.Rel(root, path)
		files[name] = string(raw)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return files
}

// sameExports checks that two directories have the same files, byte for byte.
func (h *home) sameExports(got, want string) {
	h.t.Helper()
	a, b := h.parquetFiles(got), h.parquetFiles(want)
	for name, content := range b {
		if a[name] != content {
			h.t.Errorf("%s is missing or differs from that of a whole export", name)
		}
	}
	for name := range a {
		if _, ok := b[name]; !ok {
			h.t.Errorf("%s should not be there", name)
		}
	}
}

// TestKilledExports: whatever a killed export leaves is whole, and the next one completes it:
// the same files as those of an export that nobody disturbed.
func TestKilledExports(t *testing.T) {
	t.Parallel()
	s := newCrashSite(t)
	h := s.disturbed
	h.db = demoStore(t) // many days
	h.vars["LOBSTRAIL_DB"] = h.db
	kills, killed := 8, 0 // a multiple of four, so that the last export is not killed
	switch {
	case *long:
		kills = 300
	case testing.Short():
		kills = 4
	}
	rng := rand.New(rand.NewPCG(5, uint64(os.Getpid())))
	for round := range kills {
		happen(s.world, lobstrtest.Expire(s.ids[round%len(s.ids)]), lobstrtest.Resync(s.ids[(round+7)%len(s.ids)]))
		h.must(exitDone, "snapshot", "--workspace", "live")
		args := []string{"export", "--quiet", "--workspace", "*", "--parquet", "lake"}
		if round%5 == 4 {
			args = append(args, "--all")
		}
		cmd := h.command(args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rng.IntN(250_000)) * time.Microsecond)
		cmd.Process.Kill() // it may have ended by itself
		if cmd.Wait() != nil {
			killed++
		}
		if _, err := os.Stat(filepath.Join(h.dir, "lake")); err == nil {
			h.parquetFiles("lake")
		}
		if round%4 == 3 || round == kills-1 {
			h.must(exitDone, "export", "--quiet", "--workspace", "*", "--parquet", "lake")
			whole := fmt.Sprint("whole", round)
			h.must(exitDone, "export", "--quiet", "--workspace", "*", "--parquet", whole)
			h.sameExports("lake", whole)
		}
	}
	t.Logf("%d of %d were killed", killed, kills)
	if killed == 0 {
		t.Error("none was killed")
	}
	if _, err := os.Stat(filepath.Join(h.dir, "lake", "_lobstrail.tmp")); err == nil {
		t.Error("temporary files are left")
	}
}

// TestTwoExportsToOneDirectory: one of them does it, and the other one says so.
func TestTwoExportsToOneDirectory(t *testing.T) {
	t.Parallel()
	s := newCrashSite(t)
	h := s.disturbed
	h.must(exitDone, "snapshot")
	var ends []func() outcome
	for range 6 {
		ends = append(ends, begin(t, h.command("export", "--parquet", "lake")))
	}
	done := 0
	for _, end := range ends {
		switch o := end(); {
		case o.code == exitDone:
			done++
		case o.code != exitBusy || !strings.Contains(o.stderr, "another export writes to lake") || !strings.Contains(o.stderr, "run the command again"):
			t.Errorf("one of six: %s", o)
		}
	}
	if done == 0 {
		t.Error("none was done")
	}
	h.must(exitDone, "export", "--parquet", "alone")
	h.sameExports("lake", "alone")
}

// TestAnExportCanBeInterrupted, and the next one goes on.
func TestAnExportCanBeInterrupted(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.db = demoStore(t)
	interrupted := 0
	for round := range fewer(12, 4) {
		cmd := h.command("export", "--parquet", "lake", "--all", "--db", h.db)
		end := begin(t, cmd)
		time.Sleep(time.Duration(20+20*round) * time.Millisecond)
		cmd.Process.Signal(os.Interrupt) // it may have ended by itself
		switch o := end(); {
		case o.code == exitInterrupted:
			interrupted++
		case o.code == exitDone, o.code == -1: // before anybody listened
		default:
			t.Errorf("%s", o)
		}
	}
	t.Logf("%d were interrupted", interrupted)
	h.must(exitDone, "export", "--parquet", "lake", "--db", h.db)
	h.must(exitDone, "export", "--parquet", "whole", "--db", h.db)
	h.sameExports("lake", "whole")
}

// TestProgressOfAnExport is a bar on a terminal, and nothing elsewhere.
func TestProgressOfAnExport(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	db := demoStore(t)
	_, bar := h.snapshotBeside(t, 80, "export", "--parquet", filepath.Join(h.dir, "one"), "--db", db)
	_, none := h.snapshotBeside(t, 0, "export", "--parquet", filepath.Join(h.dir, "two"), "--db", db)
	_, quiet := h.snapshotBeside(t, 80, "export", "--quiet", "--parquet", filepath.Join(h.dir, "three"), "--db", db)
	if !strings.Contains(bar, "export") || none != "" || quiet != "" {
		t.Errorf("bar %q, elsewhere %q, quiet %q", bar, none, quiet)
	}
}

// TestRedactedAccountsLeaveTheExport, in all files.
func TestRedactedAccountsLeaveTheExport(t *testing.T) {
	t.Parallel()
	s := newCrashSite(t)
	h := s.disturbed
	h.must(exitDone, "snapshot")
	var first, second export.Result
	h.read(&first, "export", "--parquet", "lake")
	h.must(exitDone, "redact", "u007", "--yes")
	h.read(&second, "export", "--parquet", "lake")
	if second.FilesWritten == 0 {
		t.Errorf("nothing was written: %+v", second)
	}
	for name := range h.parquetFiles("lake") {
		rows, err := parquet.ReadFile[any](filepath.Join(h.dir, "lake", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			for column, value := range row.(map[string]any) {
				if text, ok := value.(string); ok && strings.Contains(text, "u007") {
					t.Errorf("%s: %s is %s", name, column, text)
				}
			}
		}
	}
	h.must(exitDone, "export", "--parquet", "whole")
	h.sameExports("lake", "whole")
}
