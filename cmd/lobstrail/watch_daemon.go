package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lobstrail/lobstrail/cmd/lobstrail/watch"
	"github.com/lobstrail/lobstrail/fetcher"
	"github.com/lobstrail/lobstrail/fetcher/schedule"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

// How long the parts of a tick and of a snapshot take at most, beside the waits that the
// flags bound.
const (
	tickEvery     = time.Minute
	tickLockWait  = time.Second
	deliveryTakes = 2 * time.Minute
)

// daemon is the work of "watch". Its loop uses it from one goroutine; settings, health and
// log are for all.
type daemon struct {
	o          watchOptions
	log        *slog.Logger
	settings   atomic.Pointer[watchSettings]
	clock      *schedule.Clock
	pulse      *watch.Pulse
	health     *watch.Health
	supervisor *watch.Supervisor
	clients    map[string]keyedClient // by workspace
	missed     atomic.Int64           // snapshots that were due and not taken
	hadStore   bool                   // the store was opened before
}

// keyedClient is a client and its key: it knows the pace of the API as long as the key
// stays the same.
type keyedClient struct {
	key    string
	client *fetcher.Client
}

func newDaemon(a *app, o watchOptions, settings *watchSettings) *daemon {
	clean := func(text string) string { return render.Clean(withoutSecrets(text)) }
	d := &daemon{
		o: o, log: watch.NewLog(a.env.stderr, o.logFormat, a.logLevel(), clean),
		clock: schedule.NewClock(a.env.now), pulse: &watch.Pulse{}, clients: map[string]keyedClient{},
	}
	if a.verbose {
		settings.app.fetchLog = d.log
	}
	d.health = watch.NewHealth(d.clock, d.pulse)
	d.settings.Store(settings)
	d.health.Expect(settings.jobs)
	return d
}

// checkStore returns an error if the store can never be used. A missing one is made by the
// first run, and an old one migrated. A damaged one is no reason to end: who watches is
// told, and it may be replaced by a backup. Nor is a server that cannot be reached.
func (d *daemon) checkStore(ctx context.Context) error {
	s, err := d.settings.Load().app.openReader(ctx)
	switch {
	case err == nil:
		return s.Close()
	case errors.Is(err, store.ErrDamaged):
		d.health.SetDamaged(true) // the first run tells it
		return nil
	case errors.Is(err, store.ErrUnreachable):
		d.log.Warn("the store cannot be reached yet", "error", err)
		return nil
	case errors.Is(err, store.ErrNoStore), errors.Is(err, store.ErrOlder):
		return nil
	}
	return err
}

// run works until ctx is done.
func (d *daemon) run(ctx context.Context, listener net.Listener, hangups <-chan os.Signal) {
	d.supervisor = watch.NewSupervisor(d.log)
	settings := d.settings.Load()
	var others sync.WaitGroup
	if listener != nil {
		others.Go(func() { watch.Serve(ctx, listener, watch.Handler(d.health, d.metrics()), d.log) })
		d.log.Info("serving /metrics and /healthz", "address", listener.Addr().String())
		if at, ok := listener.Addr().(*net.TCPAddr); ok && !at.IP.IsLoopback() && d.o.listen != "" { // else the configuration warns
			d.log.Warn("other machines can read the metrics, which need no password")
		}
	}
	reloaded := make(chan []watch.Job, 1)
	others.Go(func() { d.reload(ctx, hangups, reloaded) })
	others.Go(func() { d.supervisor.Watchdog(ctx, d.pulse) })
	d.warn(settings)
	for _, job := range settings.jobs {
		d.log.Info("watching", "workspace", job.Workspace, "every", job.Every, "jitter", job.Jitter, "store", settings.app.storeName())
	}
	d.supervisor.Ready()
	d.loop().Run(ctx, settings.jobs, reloaded)
	d.supervisor.Stopping()
	d.log.Info("stopping", "reason", context.Cause(ctx))
	others.Wait()
	for _, c := range d.clients {
		c.client.CloseIdleConnections()
	}
	d.supervisor.End()
}

func (d *daemon) loop() *watch.Loop {
	return &watch.Loop{
		Worker: d, Clock: d.clock, Pulse: d.pulse, Between: tickEvery,
		SnapshotTakes: d.o.deadline + d.o.lockWait + deliveryTakes,
		TickTakes:     tickLockWait + deliveryTakes,
	}
}

// reload reads the configuration again at each hang-up. A wrong one changes nothing.
func (d *daemon) reload(ctx context.Context, hangups <-chan os.Signal, reloaded chan []watch.Job) {
	for {
		select {
		case <-hangups:
		case <-ctx.Done():
			return
		}
		d.supervisor.Reloading()
		before := d.settings.Load()
		switch next, err := before.app.readWatchSettings(ctx, d.o); {
		case err != nil:
			d.log.Error("the new configuration is wrong, and the old one goes on", "error", err)
		default:
			d.warn(next)
			d.settings.Store(next)
			d.health.Expect(next.jobs)
			select { // nobody has taken the one before yet
			case <-reloaded:
			default:
			}
			reloaded <- next.jobs
			d.log.Info("the configuration was read again", "workspaces", len(next.jobs))
			if next.listen != before.listen {
				d.log.Warn("a new address to listen at needs a restart", "address", next.listen)
			}
		}
		d.supervisor.Ready()
	}
}

// warn logs what is unwise in the configuration.
func (d *daemon) warn(s *watchSettings) {
	for _, warning := range s.warnings {
		d.log.Warn("the configuration: " + warning)
	}
}
