package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/lobstrail/lobstrail/cmd/lobstrail/config"
	"github.com/lobstrail/lobstrail/report/notify"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

// commandEnvironment are the variables that a command sink sees. The others may be secrets.
var commandEnvironment = []string{"PATH", "HOME", "LANG", "TZ"}

// makeSinks makes the sinks of the configuration. Those that cannot be made, because a
// secret is missing or not as it should be, are in broken by name.
func (a *app) makeSinks(ctx context.Context, c config.Config, configured []config.Sink) (sinks []notify.Sink, broken map[string]error) {
	broken = map[string]error{}
	for _, s := range configured {
		sink, err := a.makeSink(ctx, c, s)
		if err != nil {
			broken[s.Settings.Name] = err
			continue
		}
		sinks = append(sinks, sink)
	}
	return sinks, broken
}

func (a *app) makeSink(ctx context.Context, c config.Config, s config.Sink) (notify.Sink, error) {
	settings, err := a.settingsOf(ctx, c, s)
	if err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "sink "+s.Settings.Name+": ")) // who reads it knows the sink
	}
	settings.Zone, settings.Agent = c.Rules.Zone, userAgent()
	settings.Environment = []string{}
	for _, name := range commandEnvironment {
		if value := a.env.getenv(name); value != "" {
			settings.Environment = append(settings.Environment, name+"="+value)
		}
	}
	return notify.New(settings)
}

// deliver sends the messages of a workspace that are due, or of all workspaces if it is "";
// with retry also those that wait because an attempt failed. The caller has the store open
// for writing.
func (a *app) deliver(ctx context.Context, w store.AlertWriter, workspace string, retry bool) ([]notify.Result, error) {
	c, err := a.config(ctx)
	if err != nil {
		return nil, err
	}
	sinks, broken := a.makeSinks(ctx, c, c.Sinks)
	return notify.Deliver(ctx, w, sinks, notify.Options{Workspace: workspace, Now: a.env.now, Retry: retry, Broken: broken})
}

// tell delivers the messages of the workspace of a run, and pings the sinks that want to
// know how it went. That takes 30 seconds at most. What goes wrong is a line on stderr for
// each sink, and has no other consequence: messages are tried again.
func (a *app) tell(ctx context.Context, w store.AlertWriter, run store.Run) {
	results, unheard, err := a.send(ctx, w, run)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		a.warn("messages could not be delivered: %s", err)
	}
	for _, r := range results {
		if problem := a.deliveryProblem(r); problem != "" {
			a.warn("%s", problem)
		}
	}
	for _, err := range unheard {
		a.warn("%s", err)
	}
}

// send is tell without a word about it. It returns what was done for each sink, and the
// pings that failed.
func (a *app) send(ctx context.Context, w store.AlertWriter, run store.Run) (results []notify.Result, unheard []error, err error) {
	var wait sync.WaitGroup
	wait.Go(func() { unheard = a.ping(ctx, run.Workspace, run.State == store.Complete) })
	results, err = a.deliver(ctx, w, run.Workspace, false)
	wait.Wait()
	return results, unheard, err
}

// ping tells the ping sinks of a workspace how a run went. It returns those that failed.
func (a *app) ping(ctx context.Context, workspace string, complete bool) (unheard []error) {
	c, err := a.config(ctx)
	if err != nil {
		return []error{err}
	}
	pings := slices.DeleteFunc(sinksFor(c, workspace), func(s config.Sink) bool { return s.Settings.Type != notify.Ping })
	sinks, broken := a.makeSinks(ctx, c, pings)
	unheard = notify.PingAll(ctx, sinks, complete)
	for _, s := range pings {
		if err := broken[s.Settings.Name]; err != nil {
			unheard = append(unheard, fmt.Errorf("sink %s: %w", s.Settings.Name, err))
		}
	}
	return unheard
}

// warn writes a line to stderr, also with --quiet: something is wrong.
func (a *app) warn(format string, args ...any) {
	fmt.Fprintln(a.env.stderr, render.Clean(withoutSecrets("warning: "+fmt.Sprintf(format, args...))))
}

// deliveryProblem says why messages wait for a sink; "" if none does.
func (a *app) deliveryProblem(r notify.Result) string {
	if r.Waiting == 0 {
		return ""
	}
	waiting := render.Count(r.Waiting, "message") + " wait"
	if r.Waiting == 1 {
		waiting += "s"
	}
	if r.NextAt.After(a.env.now()) {
		waiting += ", the next try is at " + render.Time(r.NextAt, a.env.zone)
	}
	if r.Error == "" {
		return fmt.Sprintf("sink %s: %s", r.Sink, waiting)
	}
	return fmt.Sprintf("sink %s: %s; %s", r.Sink, r.Error, waiting)
}
