package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

// validateAll refuses what is about one workspace only.
func (o *snapshotOptions) validateAll(workspaceGiven bool) error {
	for _, refused := range []struct {
		given bool
		what  string
	}{
		{len(o.accounts) > 0, "names of accounts"}, {o.from != "", "--from"}, {o.tokenFile != "", "--token-file"},
		{workspaceGiven, "--workspace"}, {o.acceptGone, "--accept-gone"},
	} {
		if refused.given {
			return usage("--all-workspaces is of all accounts of each workspace, and contradicts %s\ngive one of them", refused.what)
		}
	}
	return nil
}

// snapshotAll takes snapshots of each workspace of the configuration in turn, each with its
// own key. One that fails does not keep the next ones from their turn.
func (a *app) snapshotAll(ctx context.Context, o snapshotOptions) error {
	c, err := a.config(ctx)
	if err != nil {
		return err
	}
	if len(c.Workspaces) == 0 {
		path, _ := a.configPath()
		return usage("--all-workspaces: no workspace is configured in %s\n%s", path, configHint)
	}
	names := slices.Sorted(maps.Keys(c.Workspaces))
	err = a.writing(ctx, o.lockWait, func(s store.Store) error {
		printer := a.newRunsPrinter()
		var worst error
		for _, name := range names {
			err := a.inWorkspace(name, func() error { return a.snapshotNext(ctx, s, o, printer) })
			if ctx.Err() != nil {
				worst = context.Cause(ctx)
				break
			}
			if message := explain(wrapped(err, name)); message != "" {
				fmt.Fprint(a.env.stderr, message)
			}
			worst = worse(worst, err)
		}
		if err := printer.close(); err != nil {
			return err
		}
		return told(worst)
	})
	for _, name := range names {
		_ = a.inWorkspace(name, func() error { // which fails only if this does
			a.afterSnapshot(ctx, err)
			return nil
		})
	}
	return err
}

// wrapped is the error of a workspace, with its name.
func wrapped(err error, workspace string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("workspace %q: %w", workspace, err)
}

// snapshotNext takes the snapshots of one of several workspaces, and prints the run.
func (a *app) snapshotNext(ctx context.Context, s store.Store, o snapshotOptions, printer *runsPrinter) error {
	client, err := a.newClient(ctx, o)
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	run, err := a.takeSnapshots(ctx, s, client, nil, o.deadline)
	if run.ID == 0 {
		return err
	}
	if printed := printer.print(run, err != nil); printed != nil {
		return printed
	}
	return err
}

// runsPrinter prints several runs: a paragraph each for people, else a list.
type runsPrinter struct {
	app  *app
	list *render.Writer // nil for people
}

func (a *app) newRunsPrinter() *runsPrinter {
	p := &runsPrinter{app: a}
	if render.Format(a.format) != render.Table {
		p.list = a.list(append([]render.Column{workspaceColumn}, runFields(store.Run{})...)...)
	}
	return p
}

func (p *runsPrinter) print(run store.Run, failed bool) error {
	if p.list != nil {
		return p.list.Row(report.NewRunJSON(run), append([]render.Cell{render.TextCell(run.Workspace)}, render.Values(runFields(run))...)...)
	}
	return p.app.report(failed, func() error {
		fmt.Fprintf(p.app.env.stdout, "Workspace %s\n", render.Clean(run.Workspace)) // the error stays
		return p.app.printRunText(run)
	})
}

func (p *runsPrinter) close() error {
	if p.list == nil {
		return nil
	}
	return p.list.Close("")
}

// severity orders exit codes from the worst on. Those that are missing come last.
var severity = []int{exitInterrupted, exitDamaged, exitFailed, exitBusy, exitKey, exitUsage, exitIncomplete}

// worse returns the error whose exit code is worse; the first one if they are alike.
func worse(a, b error) error {
	rank := func(err error) int {
		if err == nil {
			return len(severity) + 1
		}
		if i := slices.Index(severity, exitCode(err)); i >= 0 {
			return i
		}
		return len(severity)
	}
	if rank(b) < rank(a) {
		return b
	}
	return a
}
