package postgres

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/postgres/postgrestest"
)

// TestSwallowed: a proxy that has stopped passing data on is noticed, although its own
// kernel still answers TCP keep-alive packets.
func TestSwallowed(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes 20 s")
	}
	address := postgrestest.Database(t)
	var swallow atomic.Bool
	behind := through(t, address, func(to io.Writer, p []byte) error {
		if swallow.Load() {
			return nil
		}
		_, err := to.Write(p)
		return err
	})
	s := open(t, parameter(t, behind, "statement_timeout", "500ms"))
	swallow.Store(true)
	begun := time.Now()
	_, err := s.Exec("SELECT 1")
	if err = s.interpret(t.Context(), reading, err); !errors.Is(err, store.ErrUnreachable) || !contains(err.Error(), "did not answer in time") {
		t.Errorf("got %v", err)
	}
	// Once for the connection that is there, and once to make another one.
	if took := time.Since(begun); took > answerTime+defaultConnect+5*time.Second {
		t.Errorf("it took %v", took)
	}
}

// through puts a proxy before a server: pass gets all that the client sends.
func through(t testing.TB, address string, pass func(to io.Writer, p []byte) error) string {
	t.Helper()
	a, err := parse(address)
	if err != nil {
		t.Fatal(err)
	}
	server := a.config.Host
	port := a.config.Port
	proxy := listen(t, func(conn net.Conn) {
		defer conn.Close()
		to, err := net.DialTCP("tcp", nil, &net.TCPAddr{IP: net.ParseIP(server), Port: int(port)})
		if err != nil {
			return
		}
		defer to.Close()
		go func() {
			io.Copy(conn, to)
			conn.Close()
		}()
		buffer := make([]byte, 1<<16)
		for {
			n, err := conn.Read(buffer)
			if err == nil {
				err = pass(to, buffer[:n])
			}
			if err != nil {
				return
			}
		}
	})
	return at(t, address, proxy)
}

// TestDeadline: the earlier one of both deadlines holds, also when the driver changes its
// own while a read is under way.
func TestDeadline(t *testing.T) {
	ours, theirs := net.Pipe()
	defer theirs.Close()
	conn := newTimedConn(ours, 300*time.Millisecond)
	defer conn.Close()
	read := func() time.Duration {
		t.Helper()
		begun := time.Now()
		var timeout net.Error
		if _, err := conn.Read(make([]byte, 1)); !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("got %v", err)
		}
		return time.Since(begun)
	}
	if took := read(); took < 250*time.Millisecond || took > 2*time.Second {
		t.Errorf("the limit ended the read after %v", took)
	}
	conn.SetDeadline(time.Now().Add(time.Hour))
	if took := read(); took > 2*time.Second {
		t.Errorf("a late deadline of the driver gave the read %v", took)
	}
	conn.SetDeadline(time.Unix(1, 0)) // as the driver does to interrupt
	if took := read(); took > 100*time.Millisecond {
		t.Errorf("an interrupted read took %v", took)
	}
	conn.SetDeadline(time.Time{})
	time.AfterFunc(50*time.Millisecond, func() { conn.SetReadDeadline(time.Unix(1, 0)) })
	if took := read(); took > 250*time.Millisecond {
		t.Errorf("a read that was interrupted under way took %v", took)
	}
	begun := time.Now()
	if _, err := conn.Write(make([]byte, 1)); err == nil || time.Since(begun) > 2*time.Second {
		t.Errorf("a write to nobody: %v", err)
	}
}

// TestPoolIsBounded: more than the limit wait for each other.
func TestPoolIsBounded(t *testing.T) {
	s := open(t, parameter(t, postgrestest.Database(t), "pool_max_conns", "3"))
	for range 3 {
		conn, err := s.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	if stats := s.Stats(); stats.OpenConnections != 3 || stats.MaxOpenConnections != 3 {
		t.Errorf("got %+v", stats)
	}
}
