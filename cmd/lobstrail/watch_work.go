package main

import (
	"context"
	"errors"
	"time"

	"github.com/lobstrail/lobstrail/cmd/lobstrail/watch"
	"github.com/lobstrail/lobstrail/fetcher"
	"github.com/lobstrail/lobstrail/store"
)

// Last is when the newest complete run of the workspace began; zero if there is none, or
// it cannot be read.
func (d *daemon) Last(ctx context.Context, workspace string) time.Time {
	s, err := d.settings.Load().in(workspace).openReader(ctx)
	if err != nil {
		return time.Time{} // the first run tells why
	}
	defer s.Close()
	newest, _ := d.see(ctx, s, workspace)
	return newest.Started
}

// see returns the newest complete run of the workspace, and has the health know it.
func (d *daemon) see(ctx context.Context, s store.Store, workspace string) (store.Run, error) {
	// The newest one, also when the clock was set back since.
	runs, err := s.CompleteRuns(ctx, workspace, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), 1)
	if err != nil || len(runs) == 0 {
		return store.Run{}, err
	}
	d.health.Saw(workspace, runs[0])
	return runs[0], nil
}

// Snapshot takes a snapshot of all accounts of a workspace, and tells alerts about it. The
// store is open, and locked, only meanwhile.
func (d *daemon) Snapshot(ctx context.Context, job watch.Job) {
	a := d.settings.Load().in(job.Workspace)
	begun := d.clock.Elapsed()
	client, err := d.client(ctx, a)
	if err != nil {
		d.fail(ctx, a, err)
		return
	}
	s, created, err := a.openWriter(ctx, a.env.now, min(d.o.lockWait, job.Every), false)
	switch {
	case err != nil && ctx.Err() != nil:
		return
	case errors.Is(err, store.ErrBusy):
		d.missed.Add(1)
		d.log.Warn("a snapshot was missed: the store is busy", "workspace", job.Workspace, "error", err)
		return
	case err != nil:
		d.fail(ctx, a, err)
		return
	}
	switch {
	case created && d.hadStore:
		d.log.Warn("the store was removed: created a new one, without its history and its alerts", "store", a.storeName())
	case created:
		d.log.Info("created the store", "store", a.storeName())
	}
	d.hadStore = true
	fetching := fetcher.Job{Client: client, Store: s, Workspace: job.Workspace, Deadline: d.o.deadline, Remarks: heldRemarks}
	run, err := fetching.Snapshot(ctx)
	if run.State == store.Complete {
		d.health.Saw(job.Workspace, run)
	}
	switch {
	case run.ID == 0 && ctx.Err() == nil:
		d.fail(ctx, a, err)
	case run.ID > 0:
		d.logRun(job.Workspace, run, d.clock.Elapsed()-begun, err)
		d.afterRun(ctx, a, s, run, err)
	}
	if err := s.Close(); err != nil {
		d.log.Error("the store could not be closed", "workspace", job.Workspace, "error", err)
	}
}

// client returns the client of a workspace. The key is read each time: it may be replaced
// at any time.
func (d *daemon) client(ctx context.Context, a *app) (*fetcher.Client, error) {
	key, err := a.token(ctx, d.o.tokenFile)
	if err != nil {
		return nil, err
	}
	known := d.clients[a.workspace]
	if known.client != nil && known.key == key {
		return known.client, nil
	}
	client, err := a.newClient(ctx, d.o.snapshotOptions)
	if err != nil {
		return nil, err
	}
	if known.client != nil {
		known.client.CloseIdleConnections()
	}
	d.clients[a.workspace] = keyedClient{key, client}
	return client, nil
}

// fail logs a run that could not begin, or not be stored, and pings that it failed.
func (d *daemon) fail(ctx context.Context, a *app, err error) {
	d.log.Error("run failed", "workspace", a.workspace, "error", err)
	d.supervisor.Status("the run of %s failed", a.workspace)
	if isBroken(err) {
		d.tellBroken(ctx, a, err)
	}
	d.logUnheard(a.workspace, a.ping(ctx, a.workspace, false))
}

// logRun writes the line of a run that was begun.
func (d *daemon) logRun(workspace string, run store.Run, took time.Duration, err error) {
	log := d.log.With("workspace", workspace, "run", run.ID, "captured", run.Captured(), "changed", run.Changed, "gone", run.Gone,
		"failed", run.Failed, "requests", run.Requests, "took", took)
	d.supervisor.Status("run %d of %s: %s", run.ID, workspace, run.State)
	switch {
	case run.State == store.Interrupted:
		log.Info("run interrupted")
	case err == nil:
		log.Info("run complete")
	case run.State == store.Incomplete:
		log.Warn("run incomplete", "error", err)
	default:
		log.Error("run failed", "error", err)
	}
}
