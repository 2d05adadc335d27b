package watch

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// Supervisor is what started the daemon: systemd, or another one that listens at
// NOTIFY_SOCKET. Without one, all of this does nothing.
type Supervisor struct {
	log    *slog.Logger
	states chan string
	ended  chan struct{}
	once   sync.Once
}

// NewSupervisor returns the one of the environment. End must be called.
func NewSupervisor(log *slog.Logger) *Supervisor {
	s := &Supervisor{log: log, states: make(chan string, 16), ended: make(chan struct{})}
	go s.send()
	return s
}

// send writes to the socket. That may block, so nobody else does it.
func (s *Supervisor) send() {
	defer close(s.ended)
	for state := range s.states {
		if _, err := daemon.SdNotify(false, state); err != nil {
			s.log.Debug("the service manager could not be told", "error", err)
		}
	}
}

// tell hands a state on, unless the service manager has not read for long.
func (s *Supervisor) tell(state string) {
	select {
	case s.states <- state:
	default:
	}
}

// Ready says that the daemon works, after its start or a reload.
func (s *Supervisor) Ready() { s.tell(daemon.SdNotifyReady) }

// Status tells in one line what the daemon does.
func (s *Supervisor) Status(format string, args ...any) {
	line := strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", " ") // the next line would be another state
	s.tell("STATUS=" + line)
}

// Reloading says that the configuration is read again; Ready must follow.
func (s *Supervisor) Reloading() {
	s.tell(daemon.SdNotifyReloading + "\n" + daemon.SdNotifyMonotonicUsec())
}

// Stopping says that the daemon ends.
func (s *Supervisor) Stopping() { s.tell(daemon.SdNotifyStopping) }

// End waits a moment until everything is told. Nothing must be told after it.
func (s *Supervisor) End() {
	s.once.Do(func() { close(s.states) })
	select {
	case <-s.ended:
	case <-time.After(closeTimeout):
	}
}

// Watchdog tells until ctx is done that the daemon is alive, as long as the loop is. It
// returns at once when nobody wants to know.
func (s *Supervisor) Watchdog(ctx context.Context, pulse *Pulse) {
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		s.log.Warn("the interval of the watchdog is not understood", "error", err)
	}
	if interval <= 0 {
		return
	}
	ticker := time.NewTicker(max(interval/2, time.Millisecond))
	defer ticker.Stop()
	for {
		if what, lasts, stuck := pulse.Stuck(); stuck {
			s.log.Error("the loop is stuck", "doing", what, "for", lasts)
		} else {
			s.tell(daemon.SdNotifyWatchdog)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}
