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
	run := d.newest(ctx, workspace)
	return run.Started
}

// newest returns the newest complete run of the workspace, and has the health know it.
func (d *daemon) newest(ctx context.Context, workspace string) (newest store.Run) {
	a := d.settings.Load().in(workspace)
	s, err := a.openReader(ctx)
	if err != nil {
		d.log.Debug("the store cannot be read", "error", err)
		return store.Run{}
	}
	defer s.Close()
	return d.see(ctx, s, workspace)
}

// see is newest with an open store.
func (d *daemon) see(ctx context.Context, s store.Store, workspace string) store.Run {
	// The newest one, also when the clock was set back since.
	runs, err := s.CompleteRuns(ctx, workspace, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), 1)
	if err != nil || len(runs) == 0 {
		return store.Run{}
	}
	d.health.Saw(workspace, runs[0])
	return runs[0]
}

// Snapshot takes a snapshot of all accounts of a workspace, and tells alerts about it. The
// store is open, and locked, only meanwhile.
func (d *daemon) Snapshot(ctx context.Context, job watch.Job) {
	a := d.settings.Load().in(job.Workspace)
	begun := d.clock.Elapsed()
	client, err := d.client(ctx, a)
	if err != nil {
		d.miss(job.Workspace, "there is no usable API key", err)
		return
	}
	s, created, err := a.openWriter(ctx, a.env.now, min(d.o.lockWait, job.Every), false)
	switch {
	case err != nil && ctx.Err() != nil:
		return
	case errors.Is(err, store.ErrBusy):
		d.miss(job.Workspace, "the store is busy", err)
		return
	case err != nil:
		d.fail(ctx, job.Workspace, err)
		return
	}
	if created {
		d.log.Info("created the store", "store", a.db)
	}
	fetching := fetcher.Job{Client: client, Store: s, Workspace: job.Workspace, Deadline: d.o.deadline, Remarks: heldRemarks}
	run, err := fetching.Snapshot(ctx)
	if run.State == store.Complete {
		d.health.Saw(job.Workspace, run)
	}
	err = errors.Join(err, s.Close())
	d.logRun(ctx, job.Workspace, run, d.clock.Elapsed()-begun, err)
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

// miss logs a snapshot that was due and could not be taken.
func (d *daemon) miss(workspace, why string, err error) {
	d.missed.Add(1)
	d.log.Warn("a snapshot was missed: "+why, "workspace", workspace, "error", err)
}

// fail logs a run that could not begin, or not be stored.
func (d *daemon) fail(ctx context.Context, workspace string, err error) {
	if errors.Is(err, store.ErrDamaged) {
		d.damaged(err)
	}
	d.log.Error("run failed", "workspace", workspace, "error", err)
}

// logRun writes the line of a run.
func (d *daemon) logRun(ctx context.Context, workspace string, run store.Run, took time.Duration, err error) {
	if run.ID == 0 {
		if ctx.Err() == nil {
			d.fail(ctx, workspace, err)
		}
		return
	}
	if !errors.Is(err, store.ErrDamaged) {
		d.health.SetDamaged(false) // the run is stored
	}
	log := d.log.With("workspace", workspace, "run", run.ID, "captured", run.Captured(), "changed", run.Changed, "gone", run.Gone,
		"failed", run.Failed, "requests", run.Requests, "took", took)
	d.supervisor.Status("run %d of %s: %s", run.ID, workspace, run.State)
	switch {
	case run.State == store.Interrupted:
		log.Info("run interrupted")
	case err != nil && run.State == store.Incomplete:
		log.Warn("run incomplete", "error", err)
	case err != nil:
		d.fail(ctx, workspace, err)
	default:
		log.Info("run complete")
	}
}

// Tick looks at the store between two snapshots.
func (d *daemon) Tick(ctx context.Context, jobs []watch.Job) {
	for _, job := range jobs {
		d.newest(ctx, job.Workspace)
	}
}
