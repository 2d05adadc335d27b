package postgres

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/postgres/postgrestest"
)

func TestLeaseHasOneHolder(t *testing.T) {
	t.Parallel()
	address, s, l := leased(t)
	other := open(t, address)
	begun := time.Now()
	_, err := other.acquire(t.Context(), 1, 300*time.Millisecond)
	busy, ok := errors.AsType[*store.BusyError](err)
	if !ok || busy.PID != os.Getpid() || busy.Host != "" || time.Since(busy.Since).Abs() > time.Minute || time.Since(begun) < 300*time.Millisecond {
		t.Errorf("got %v (%+v) after %v", err, busy, time.Since(begun))
	}
	acquired(t, other, 2) // of another workspace
	if held, err := s.held(t.Context(), 1); !held || err != nil {
		t.Errorf("held: %v, %v", held, err)
	}
	stopped := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(100*time.Millisecond, func() { cancel(stopped) })
	if _, err := other.acquire(ctx, 1, time.Hour); err != stopped {
		t.Errorf("stopped while waiting: %v", err)
	}
	time.AfterFunc(200*time.Millisecond, func() { l.release(context.Background()) })
	next, err := other.acquire(t.Context(), 1, time.Minute)
	if err != nil || next.token <= l.token {
		t.Fatalf("after the release: %v", err)
	}
	defer next.stop()
	if held, err := s.held(t.Context(), 3); held || err != nil {
		t.Errorf("a workspace without a lease is held: %v, %v", held, err)
	}
}

// TestLeaseOfAnotherMachine: a process of another machine is named with that. That its
// number is free here proves nothing.
func TestLeaseOfAnotherMachine(t *testing.T) {
	t.Parallel()
	address, s, l := leased(t)
	l.stop()
	dead := exec.Command("true")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	must(t, s, fmt.Sprintf(`UPDATE lease SET host = 'other-1', pid = %d, machine = 'elsewhere'`, dead.Process.Pid))
	_, err := open(t, address).acquire(t.Context(), 1, 0)
	if want := fmt.Sprintf("process %d on other-1 writes to it since", dead.Process.Pid); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
	must(t, s, `UPDATE lease SET machine = ''`)
	if _, err := s.acquire(t.Context(), 1, 0); !errors.Is(err, store.ErrBusy) {
		t.Errorf("a machine that is not known: %v", err)
	}
	if machine() == "" {
		return
	}
	must(t, s, `UPDATE lease SET machine = '`+machine()+`'`)
	acquired(t, s, 1)
}

// TestLeaseIsRenewed: it is kept for as long as its holder lives, and counts as long as
// nobody took it.
func TestLeaseIsRenewed(t *testing.T) {
	t.Parallel()
	address := postgrestest.Database(t)
	s, other := open(t, address), open(t, address)
	must(t, s, leaseTable, pageTable)
	s.times.lease = 600 * time.Millisecond
	l := acquired(t, s, 1)
	if _, err := other.acquire(t.Context(), 1, 1500*time.Millisecond); !errors.Is(err, store.ErrBusy) {
		t.Fatalf("another one got it: %v", err)
	}
	l.stop()
	time.Sleep(time.Second)
	var expired bool
	if err := s.Get(&expired, `SELECT expires < now() FROM lease`); err != nil || !expired {
		t.Fatalf("it has not expired (%v)", err)
	}
	if err := s.write(t.Context(), writing, []*lease{l}, func(tx *txn) error { return insertPage(t.Context(), tx, 1) }); err != nil {
		t.Errorf("an expired lease that nobody took: %v", err)
	}
	if err := s.Get(&expired, `SELECT expires < now() FROM lease`); err != nil || expired {
		t.Errorf("the transaction did not renew it (%v)", err)
	}
}

// TestFenced: a writer whose lease was taken stores nothing more, learns who has it, and
// cannot give it back.
func TestFenced(t *testing.T) {
	t.Parallel()
	address, s, l := leased(t)
	l.stop()
	must(t, s, `UPDATE lease SET expires = now() - interval '1 second'`)
	other := open(t, address)
	next := acquired(t, other, 1)
	write := func(l *lease) error {
		return l.server.write(t.Context(), writing, []*lease{l}, func(tx *txn) error { return insertPage(t.Context(), tx, 1) })
	}
	err := write(l)
	fenced, ok := errors.AsType[*store.FencedError](err)
	if !ok || fenced.PID != os.Getpid() || fenced.Host == "" || time.Since(fenced.Since).Abs() > time.Minute || !errors.Is(err, store.ErrFenced) || count(t, s) != 0 {
		t.Errorf("got %v (%+v), %d rows", err, fenced, count(t, s))
	}
	if err := l.renew(t.Context()); !errors.Is(err, store.ErrFenced) {
		t.Errorf("its renewal: %v", err)
	}
	if err := l.release(t.Context()); err != nil {
		t.Error(err)
	}
	if err := write(next); err != nil || count(t, s) != 1 {
		t.Errorf("the successor: %v", err)
	}
	if err := next.release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := write(l); !errors.Is(err, store.ErrFenced) || !strings.Contains(err.Error(), "has finished") || count(t, s) != 1 {
		t.Errorf("after the successor has finished: %v", err)
	}
}

// TestLeaseOfAnOpenTransaction is not taken, although it has expired: its holder lives.
func TestLeaseOfAnOpenTransaction(t *testing.T) {
	t.Parallel()
	address, s, l := leased(t)
	l.stop()
	other := open(t, address)
	must(t, s, `UPDATE lease SET expires = now() - interval '1 hour'`) // which others see until the transaction ends
	err := s.write(t.Context(), writing, []*lease{l}, func(tx *txn) error {
		begun := time.Now()
		if _, err := other.acquire(t.Context(), 1, 0); !errors.Is(err, store.ErrBusy) || time.Since(begun) > 5*time.Second {
			t.Errorf("got %v after %v", err, time.Since(begun))
		}
		return insertPage(t.Context(), tx, 1)
	})
	if err != nil || count(t, s) != 1 {
		t.Error(err)
	}
}

// TestLeaseThatWasRenewedMeanwhile is not taken by a process that saw it expired.
func TestLeaseThatWasRenewedMeanwhile(t *testing.T) {
	t.Parallel()
	_, s, l := leased(t)
	seen := &leaseRow{Token: l.token, Host: "x", Expired: true}
	err := s.write(t.Context(), writing, nil, func(tx *txn) error { return (&lease{server: s, ws: 1}).replace(t.Context(), tx, &seen, "y", "") })
	if err != nil || seen == nil {
		t.Errorf("it was taken (%v)", err)
	}
	if err := s.write(t.Context(), writing, []*lease{l}, func(*txn) error { return nil }); err != nil {
		t.Error(err)
	}
}

// TestLongTransaction renews the lease at its end: it would expire before the next
// renewal otherwise.
func TestLongTransaction(t *testing.T) {
	t.Parallel()
	_, s, l := leased(t)
	l.stop()
	s.times.lease = 3 * time.Second
	err := s.write(t.Context(), writing, []*lease{l}, func(tx *txn) error {
		time.Sleep(1500 * time.Millisecond)
		return insertPage(t.Context(), tx, 1)
	})
	var left float64
	if err2 := s.Get(&left, `SELECT extract(epoch FROM expires - clock_timestamp()) FROM lease`); err != nil || err2 != nil || left < 2.5 {
		t.Errorf("%v seconds are left: %v, %v", left, err, err2)
	}
}

// The clock of this machine does not matter: with a server whose clock is an hour off,
// in either direction, a lease is kept, expires and is taken as with the right clock.
func TestClocksDoNotMatter(t *testing.T) {
	t.Parallel()
	for _, offset := range []string{"1 hour", "-1 hour", "-9000 days"} {
		t.Run(offset, func(t *testing.T) {
			t.Parallel()
			testClock(t, offset)
		})
	}
}

func testClock(t *testing.T, offset string) {
	address := direct(t)
	admin := open(t, address)
	must(t, admin, leaseTable, pageTable, `CREATE SCHEMA off`,
		`CREATE FUNCTION off.statement_timestamp() RETURNS timestamptz STABLE LANGUAGE sql RETURN pg_catalog.statement_timestamp() + interval '`+offset+`'`)
	shifted := parameter(t, address, "search_path", "off,pg_catalog,public") // so that this clock is found first
	s, other := open(t, shifted), open(t, shifted)
	s.times.lease = time.Second
	l := acquired(t, s, 1)
	if _, err := other.acquire(t.Context(), 1, 2*time.Second); !errors.Is(err, store.ErrBusy) {
		t.Errorf("another one got it: %v", err)
	}
	if held, err := other.held(t.Context(), 1); !held || err != nil {
		t.Errorf("it is not held (%v)", err)
	}
	l.stop()
	next, err := other.acquire(t.Context(), 1, 10*time.Second)
	if err != nil {
		t.Fatalf("it did not expire: %v", err)
	}
	next.stop()
	if err := s.write(t.Context(), writing, []*lease{l}, func(*txn) error { return nil }); !errors.Is(err, store.ErrFenced) {
		t.Error(err)
	}
}

// childURL is set in the environment of a process that is a writer: see TestMain.
const childURL = "LOBSTRAIL_TEST_WRITER"

func TestMain(m *testing.M) {
	if address := os.Getenv(childURL); address != "" {
		if err := writeForEver(address); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// writeForEver is a second process, which writes pages and says so.
func writeForEver(address string) error {
	ctx := context.Background()
	s, err := connect(ctx, address)
	if err != nil {
		return err
	}
	s.times.lease = childLease
	l, err := s.acquire(ctx, 1, 0)
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		err := s.write(ctx, writing, []*lease{l}, func(tx *txn) error {
			for range 3 { // statements between which it can be stopped
				if _, err := tx.ExecCount(ctx, `INSERT INTO page (ws, n, writer) VALUES (1, ?, 'child')`, n); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		fmt.Println(n)
	}
}

const childLease = 2 * time.Second

// writer starts a second process that writes, and waits until it has written. Its next
// lines come from the channel.
func writer(t *testing.T, address string) (*exec.Cmd, <-chan string) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^$")
	child.Env = append(os.Environ(), childURL+"="+address)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	child.Stderr = os.Stderr
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		child.Process.Kill()
		child.Wait()
	})
	lines := make(chan string, 1<<20)
	go func() {
		defer close(lines)
		for scan := bufio.NewScanner(out); scan.Scan(); {
			lines <- scan.Text()
		}
	}()
	for line := range lines {
		if n, err := strconv.Atoi(line); err != nil {
			t.Fatal(line)
		} else if n == 5 {
			return child, lines
		}
	}
	t.Fatal("the second process wrote nothing")
	return nil, nil
}

// whole fails unless each page is stored with all its three rows, once.
func whole(t *testing.T, s *server) {
	t.Helper()
	var broken int
	if err := s.Get(&broken, `SELECT count(*) FROM (SELECT n FROM page WHERE writer = 'child' GROUP BY n HAVING count(*) <> 3) x`); err != nil || broken > 0 {
		t.Errorf("%d pages are not whole (%v)", broken, err)
	}
}

// TestKilledWriter: on the same machine its lease is free at once.
func TestKilledWriter(t *testing.T) {
	t.Parallel()
	if machine() == "" {
		t.Skip("this system does not tell which processes are its own")
	}
	address := postgrestest.Database(t)
	s := open(t, address)
	must(t, s, leaseTable, pageTable)
	for range 3 {
		child, _ := writer(t, address)
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		child.Wait()
		begun := time.Now()
		l, err := s.acquire(t.Context(), 1, childLease/2)
		if err != nil {
			t.Fatalf("%v after %v", err, time.Since(begun))
		}
		if err := l.release(t.Context()); err != nil {
			t.Fatal(err)
		}
		whole(t, s)
		must(t, s, `TRUNCATE page`)
	}
}
