//go:build unix

package postgres

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store/postgres/postgrestest"
)

// TestPausedWriter: a process that was stopped for longer than its lease, wherever it was,
// writes nothing after another one has taken over, and says who that is.
func TestPausedWriter(t *testing.T) {
	t.Parallel()
	address := postgrestest.Database(t)
	s := open(t, address)
	must(t, s, leaseTable, pageTable)
	rounds := 6
	if testing.Short() {
		rounds = 2
	}
	for round := range rounds {
		child, lines := writer(t, address)
		time.Sleep(time.Duration(round) * 777 * time.Microsecond)
		if err := child.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		l, err := s.acquire(t.Context(), 1, 5*childLease)
		if err != nil {
			t.Fatal(err)
		}
		before := count(t, s)
		if err := child.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		for n := range 20 {
			if err := s.write(t.Context(), writing, []*lease{l}, func(tx *txn) error { return insertPage(t.Context(), tx, n) }); err != nil {
				t.Fatal(err)
			}
		}
		last := ""
		for line := range lines { // until it ends
			last = line
		}
		if want := fmt.Sprintf("process %d on ", syscall.Getpid()); !strings.Contains(last, want) || !strings.Contains(last, "has taken over since") {
			t.Errorf("round %d: the paused process ended with: %s", round, last)
		}
		if after := count(t, s); after != before+20 {
			t.Errorf("round %d: %d rows and 20 of the successor became %d: the paused process went on writing", round, before, after)
		}
		whole(t, s)
		if err := l.release(t.Context()); err != nil {
			t.Fatal(err)
		}
		must(t, s, `TRUNCATE page`)
	}
}
