//go:build unix

package main

import (
	"fmt"
	"net/url"
	"strings"
	"syscall"
	"testing"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store/postgres/postgrestest"
)

// TestFencedSnapshot: a snapshot that is stopped for longer than its lease stores nothing
// more once another one has taken over. It names that one, and ends with exit 11.
func TestFencedSnapshot(t *testing.T) {
	t.Parallel()
	location := postgrestest.Database(t)
	u, err := url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Set("lease", "1s") // the shortest
	u.RawQuery = query.Encode()
	world := nowWorld()
	addCrowd(world, 15)
	server := serve(t, world)
	server.SetPageLimits(5, 5)
	h := newHome(t).asks(server, lobstrtest.DefaultToken).use(u.String())

	reached, release := hold(t, server, lobstrtest.When{Route: lobstrtest.List, Page: 2, Times: 1})
	paused := h.command("snapshot")
	end := begin(t, paused)
	signals := func(s syscall.Signal) {
		t.Helper()
		if err := paused.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	reached()
	signals(syscall.SIGSTOP)
	release()
	reached, release = hold(t, server, lobstrtest.When{Route: lobstrtest.List, Page: 2, Times: 1})
	successor := h.command("snapshot", "--lock-wait", "1m")
	endSuccessor := begin(t, successor)
	reached()
	signals(syscall.SIGCONT)
	name := fmt.Sprintf("process %d on ", successor.Process.Pid)
	if o := end(); o.code != exitBusy || !strings.Contains(o.stderr, name) || !strings.Contains(o.stderr, "has taken over since") {
		t.Errorf("no word of %q: %s", name, o)
	}
	release()
	if o := endSuccessor(); o.code != exitDone {
		t.Errorf("the successor: %s", o)
	}
	h.must(exitDone, "verify")
	var runs []report.RunJSON
	h.read(&runs, "runs")
	if len(runs) != 2 || runs[0].State != "complete" || runs[0].Captured != 15 || runs[1].State != "interrupted" || runs[1].Captured > 5 {
		t.Errorf("%+v", runs)
	}
}
