package main

import (
	"context"
	"errors"

	"github.com/lobstrail/lobstrail/cmd/lobstrail/watch"
	"github.com/lobstrail/lobstrail/report/notify"
	"github.com/lobstrail/lobstrail/store"
)

// afterRun tells alerts about a run that is stored, and ended with err.
func (d *daemon) afterRun(ctx context.Context, a *app, s store.Store, run store.Run, err error) {
	if ctx.Err() != nil {
		return // the next start does this
	}
	if isBroken(err) {
		d.tellBroken(ctx, a, err)
	} else {
		d.tellRepaired(ctx, a)
	}
	d.evaluate(ctx, a, s)
	results, unheard, err := a.send(ctx, s, run)
	d.logDeliveries(ctx, a.workspace, results, err)
	d.logUnheard(a.workspace, unheard)
}

// Tick tells what no run noticed, tries deliveries again, and looks for runs that others
// took. The store is locked only if there is something to write.
func (d *daemon) Tick(ctx context.Context, jobs []watch.Job) {
	settings := d.settings.Load()
	for _, job := range jobs {
		a := settings.in(job.Workspace)
		due, err := d.look(ctx, a)
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, store.ErrNoStore), errors.Is(err, store.ErrOlder): // the next run makes or migrates it
		case isBroken(err):
			d.tellBroken(ctx, a, err)
		case err != nil:
			d.log.Debug("the store cannot be read", "workspace", job.Workspace, "error", err) // the next run tells it
		case due:
			d.catchUp(ctx, a)
		}
	}
}

// look reads how the workspace stands, and reports whether there is something to be stored
// or delivered.
func (d *daemon) look(ctx context.Context, a *app) (due bool, err error) {
	s, err := a.openReader(ctx)
	if err != nil {
		return false, err
	}
	defer s.Close()
	if _, err := d.see(ctx, s, a.workspace); err != nil {
		return false, err
	}
	// Nothing is stored where nothing is to be told.
	err = a.evaluateAlerts(ctx, s, a.workspace, nil)
	if errors.Is(err, store.ErrReadOnly) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	c, err := a.config(ctx)
	if err != nil || len(c.Sinks) == 0 { // then what waits stays
		return false, err
	}
	for _, err := range s.Deliveries(ctx, store.DeliveryQuery{Workspace: a.workspace, DueAt: d.clock.Wall()}) {
		return err == nil, err
	}
	return false, nil
}

// catchUp evaluates and delivers between two runs. When somebody else has the store, the
// next tick does it.
func (d *daemon) catchUp(ctx context.Context, a *app) {
	s, _, err := a.openWriter(ctx, a.env.now, tickLockWait, true)
	if err != nil {
		d.log.Debug("alerts wait: the store cannot be written", "workspace", a.workspace, "error", err)
		return
	}
	d.evaluate(ctx, a, s)
	results, err := a.deliver(ctx, s, a.workspace, false)
	d.logDeliveries(ctx, a.workspace, results, err)
	if err := s.Close(); err != nil {
		d.log.Error("the store could not be closed", "workspace", a.workspace, "error", err)
	}
}

func (d *daemon) evaluate(ctx context.Context, a *app, s store.Store) {
	if err := a.evaluateAlerts(ctx, s, a.workspace, d.clients[a.workspace].client); err != nil && ctx.Err() == nil {
		d.log.Error("alerts could not be evaluated", "workspace", a.workspace, "error", err)
		if isBroken(err) {
			d.tellBroken(ctx, a, err)
		}
	}
}

// logDeliveries writes a line for each sink that did not take a message just now.
func (d *daemon) logDeliveries(ctx context.Context, workspace string, results []notify.Result, err error) {
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		d.log.Error("messages could not be delivered", "workspace", workspace, "error", err)
	}
	for _, r := range results {
		if r.Failed > 0 {
			d.log.Warn("a delivery failed", "workspace", workspace, "sink", r.Sink, "error", r.Error, "waiting", r.Waiting, "next", r.NextAt)
		} else if r.Delivered+r.Dropped > 0 {
			d.log.Info("delivered", "workspace", workspace, "sink", r.Sink, "messages", r.Delivered, "dropped", r.Dropped, "waiting", r.Waiting)
		}
	}
}

func (d *daemon) logUnheard(workspace string, unheard []error) {
	for _, err := range unheard {
		d.log.Warn("a ping failed", "workspace", workspace, "error", err)
	}
}

// isBroken reports whether the store cannot be used until somebody repairs it. It was one
// when the daemon began.
func isBroken(err error) bool {
	return errors.Is(err, store.ErrDamaged) || errors.Is(err, store.ErrForeign)
}

// tellBroken tells the sinks that the store is damaged, each once.
func (d *daemon) tellBroken(ctx context.Context, a *app, reason error) {
	if !d.health.SetDamaged(true) {
		d.supervisor.Status("the store is damaged")
	}
	d.logUntold(ctx, a, a.tellDamage(ctx, reason))
}

// tellRepaired tells those who were told that the store is damaged that it works again.
func (d *daemon) tellRepaired(ctx context.Context, a *app) {
	d.health.SetDamaged(false)
	d.logUntold(ctx, a, a.tellDamage(ctx, nil))
}

func (d *daemon) logUntold(ctx context.Context, a *app, failed []error) {
	for _, err := range failed {
		if ctx.Err() == nil {
			d.log.Warn("a delivery failed", "workspace", a.workspace, "error", err)
		}
	}
}
