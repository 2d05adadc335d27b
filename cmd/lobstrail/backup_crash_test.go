package main

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/report"
)

// batches lets batches run one after the other, in processes of their own, until
// the test ends or stop is called.
func (s *crashSite) batches(t *testing.T) (stop func()) {
	t.Helper()
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for round := 0; ; round++ {
			select {
			case <-quit:
				return
			default:
				happen(s.world, lobstrtest.Expire(s.ids[round%len(s.ids)]), lobstrtest.Resync(s.ids[(round+7)%len(s.ids)]))
				if o := finish(t, s.disturbed.command("snapshot", "--quiet")); o.code != exitDone {
					t.Errorf("a batch beside backups: %s", o)
				}
			}
		}
	}()
	stop = func() {
		if quit != nil {
			close(quit)
			<-done
			quit = nil
		}
	}
	t.Cleanup(stop)
	return stop
}

// checkBackup verifies a backup, and answers how many entries its log has.
func (h *home) checkBackup(path string) int64 {
	h.t.Helper()
	var found report.VerifyJSON
	h.read(&found, "verify", "--db", path)
	return found.Entries
}

// TestBackupsBesideBatches are each as the store was at one moment, and later ones
// have more.
func TestBackupsBesideBatches(t *testing.T) {
	t.Parallel()
	s := newCrashSite(t)
	s.answersSlowly()
	h := s.disturbed
	h.must(exitDone, "snapshot")
	stop := s.batches(t)
	file, last := filepath.Join(h.dir, "backup.db"), int64(0)
	for range fewer(5, 3) {
		var b report.BackupJSON
		h.read(&b, "backup", file, "--keep", "3")
		got := h.checkBackup(file)
		if got != b.Size || got < last {
			t.Errorf("the backup has %d entries; it said %d, the one before had %d", got, b.Size, last)
		}
		last = got
		time.Sleep(20 * time.Millisecond)
	}
	stop()
	for _, name := range []string{file + ".1", file + ".2"} {
		if got := h.checkBackup(name); got > last {
			t.Errorf("%s has %d entries, the newest %d", name, got, last)
		}
	}
}

// TestKilledBackups: what has the name of a backup is a whole one at any moment,
// and the next backup leaves nothing of a dead one.
func TestKilledBackups(t *testing.T) {
	t.Parallel()
	s := newCrashSite(t)
	h := s.disturbed
	h.must(exitDone, "snapshot")
	stop := s.batches(t)
	kills := 25
	switch {
	case *long:
		kills = 300
	case testing.Short():
		kills = 6
	}
	rng := rand.New(rand.NewPCG(4, uint64(os.Getpid())))
	file, killed := filepath.Join(h.dir, "backup.db"), 0
	for range kills {
		cmd := h.command("backup", file, "--keep", "2", "--quiet")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rng.IntN(60_000)) * time.Microsecond)
		cmd.Process.Kill() // it may have ended by itself
		if cmd.Wait() != nil {
			killed++
		}
		for _, name := range []string{file, file + ".1"} {
			if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
				h.checkBackup(name)
			}
		}
	}
	t.Logf("%d of %d were killed", killed, kills)
	h.must(exitDone, "backup", file, "--keep", "2")
	stop()
	names, err := filepath.Glob(filepath.Join(h.dir, "backup.db*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		switch strings.TrimPrefix(name, file) {
		case "", ".1", ".lock":
		default:
			t.Errorf("%s was left behind", name)
		}
	}
}

// TestTwoBackupsToOneFile wait for each other.
func TestTwoBackupsToOneFile(t *testing.T) {
	t.Parallel()
	s := newCrashSite(t)
	h := s.disturbed
	h.must(exitDone, "snapshot")
	file := filepath.Join(h.dir, "backup.db")
	var ends []func() outcome
	for range 4 {
		ends = append(ends, begin(t, h.command("backup", file, "--keep", "4")))
	}
	for _, end := range ends {
		if o := end(); o.code != exitDone {
			t.Errorf("one of four: %s", o)
		}
	}
	for _, name := range []string{file, file + ".1", file + ".2", file + ".3"} {
		h.checkBackup(name)
	}
}
