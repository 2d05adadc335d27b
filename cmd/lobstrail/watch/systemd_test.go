//go:build unix

package watch

import (
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// manager listens as systemd does.
func manager(t *testing.T) (next func() string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "notify") // a socket has a short path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "s"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	t.Setenv("NOTIFY_SOCKET", conn.LocalAddr().String())
	return func() string {
		t.Helper()
		conn.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
		buffer := make([]byte, 4096)
		n, err := conn.Read(buffer)
		if err != nil {
			return ""
		}
		return string(buffer[:n])
	}
}

func TestSupervisorIsToldInOrder(t *testing.T) {
	next := manager(t)
	s := NewSupervisor(slog.New(slog.DiscardHandler))
	s.Ready()
	s.Status("next run\nin %d s", 5)
	s.Reloading()
	s.Stopping()
	s.End()
	s.End()
	for _, want := range []string{"READY=1", "STATUS=next run in 5 s", "RELOADING=1\n", "STOPPING=1"} {
		if got := next(); !strings.HasPrefix(got, want) {
			t.Errorf("told %q, want %q", got, want)
		}
	}
}

func TestWatchdogIsFedAsLongAsTheLoopGoesOn(t *testing.T) {
	next := manager(t)
	t.Setenv("WATCHDOG_USEC", "20000")
	t.Setenv("WATCHDOG_PID", "")
	s := NewSupervisor(slog.New(slog.DiscardHandler))
	defer s.End()
	pulse := &Pulse{}
	pulse.Begin("waiting", time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go s.Watchdog(ctx, pulse)
	for range 3 {
		if got := next(); got != "WATCHDOG=1" {
			t.Fatalf("told %q", got)
		}
	}
	pulse.Begin("snapshot", -2*grace) // it should have ended long ago
	for range 20 {                    // what was on its way
		if next() == "" {
			return
		}
	}
	t.Error("the watchdog is fed although the loop is stuck")
}

func TestSupervisorThatDoesNotListenStopsNothing(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "/does/not/exist")
	s := NewSupervisor(slog.New(slog.DiscardHandler))
	begun := time.Now()
	for range 100 {
		s.Ready()
	}
	s.End()
	if took := time.Since(begun); took > 3*closeTimeout {
		t.Errorf("took %s", took)
	}
}
