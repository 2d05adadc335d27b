//go:build linux

package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
)

// TestTheStoreVanishes while a batch writes to it: the batch says so, and the next
// one makes a new store. A journal that is left without its store is not mixed
// with a new one.
func TestTheStoreVanishes(t *testing.T) {
	t.Parallel()
	s := newCrashSite(t)
	h := s.disturbed
	h.must(exitDone, "snapshot")
	s.server.Inject(lobstrtest.Fault{Name: "vanish", Do: lobstrtest.Mangles(func(body []byte) []byte {
		if err := os.Remove(h.db); err != nil {
			t.Error(err)
		}
		return body
	})}, lobstrtest.When{Route: lobstrtest.List, Page: 3, Times: 1})
	h.refused("the store vanished", h.run("snapshot"), "no longer where it was opened", "put it back")
	h.must(exitDone, "snapshot")

	s.answersSlowly()
	cmd := h.command("snapshot")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); s.server.Count(lobstrtest.List) < 21 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	cmd.Process.Kill() // it may have ended by itself
	cmd.Wait()         // killed, or done
	aside := h.db + ".aside"
	if err := os.Rename(h.db, aside); err != nil {
		t.Fatal(err)
	}
	journal, err := os.Stat(h.db + "-wal")
	if err != nil || journal.Size() == 0 {
		t.Skip("the batch had ended before it was killed")
	}
	h.refused("a journal without its store", h.run("snapshot"), "-wal", "put the store back")
	if err := os.Rename(aside, h.db); err != nil {
		t.Fatal(err)
	}
	h.must(exitDone, "snapshot")
}

// TestAnotherProgramHoldsTheDatabase for ever: who writes says so after a while,
// and who reads is not in its way.
func TestAnotherProgramHoldsTheDatabase(t *testing.T) {
	t.Parallel()
	h := ioHome(t)
	h.must(exitDone, "snapshot", castID("ada")) // from here on there is a journal
	db := openRaw(t, h.db)
	defer db.Close()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	h.must(exitDone, "accounts")
	o := h.must(exitBusy, "snapshot", "--lock-wait", "100ms")
	if !strings.Contains(o.stderr, h.db) || !strings.Contains(o.stderr, "another program holds the database") {
		t.Errorf("who holds it? %s", o)
	}
	if _, err := conn.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	h.must(exitDone, "snapshot")
}

// TestPlacesWhereNoStoreCanBe are refused with the place and what to do.
func TestPlacesWhereNoStoreCanBe(t *testing.T) {
	t.Parallel()
	h := ioHome(t)
	for _, db := range []string{"/proc/nowhere/lobstrail.db", "/proc/self/lobstrail.db", "/dev/full", h.db + "/below.db", h.dir} {
		o := h.run("snapshot", "--db", db)
		if o.code != exitFailed || !strings.Contains(o.stderr, db) || strings.Count(o.stderr, "\n") < 2 {
			t.Errorf("%s: want exit 1, the path and a next step: %s", db, o)
		}
	}
}
