package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lobstrail/lobstrail/cmd/lobstrail/config"
	"github.com/lobstrail/lobstrail/fetcher"
	"github.com/lobstrail/lobstrail/report/alert"
	"github.com/lobstrail/lobstrail/report/notify"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

// demoSink is the sink of the demo: it only keeps what it is sent.
type demoSink struct{ sent []alert.Body }

// Name is the name of the sink.
func (*demoSink) Name() string { return "demo" }

// Timeout is never needed.
func (*demoSink) Timeout() time.Duration { return time.Minute }

// PerMinute is more than a run has messages.
func (*demoSink) PerMinute() int { return 1000 }

// Send keeps a message.
func (d *demoSink) Send(_ context.Context, body alert.Body) error {
	d.sent = append(d.sent, body)
	return nil
}

// tellDemoAlerts evaluates the alerts after a batch of the demo, by the default rules and
// at the demo's time, and delivers them to the demo's sink.
func (a *app) tellDemoAlerts(ctx context.Context, s store.Store, client *fetcher.Client, now func() time.Time, sink *demoSink) error {
	rules := alert.DefaultRules()
	rules.Zone, rules.Sinks = a.env.zone, []alert.Subscription{{Sink: sink.Name()}}
	err := alert.Update(ctx, s, a.workspace, alert.Options{Rules: rules, Now: now, Launches: launches(client)})
	if err != nil {
		return err
	}
	_, err = notify.Deliver(ctx, s, []notify.Sink{sink}, notify.Options{Now: now})
	return err
}

// printDemoAlerts lists the messages that the demo would have sent. On a terminal none is
// cut, and programs get them as a webhook does.
func (a *app) printDemoAlerts(sent []alert.Body) error {
	footer := render.Count(len(sent), "message") + " in two weeks, by the default rules. " + a.zoneNote()
	if render.Format(a.format) == render.Table {
		var pairs []render.Pair
		for _, body := range sent {
			pairs = append(pairs, render.Pair{
				Title: render.Time(body.At, a.env.zone), Value: render.TextCell(string(body.Event) + ": " + body.Summary),
			})
		}
		if err := render.Object(a.env.stdout, a.options(), nil, pairs...); err != nil {
			return err
		}
		return render.Paragraph(a.env.stdout, a.options(), "\n"+footer)
	}
	out := a.list(render.Column{Title: "When", Key: "at"}, render.Column{Title: "Event", Key: "event"},
		render.Column{Key: "condition"}, render.Column{Title: "Message", Key: "summary"})
	for _, body := range sent {
		err := out.Row(body, render.TimeCell(body.At), render.TextCell(string(body.Event)), render.TextCell(string(body.Condition)),
			render.TextCell(body.Summary))
		if err != nil {
			return err
		}
	}
	return out.Close(footer)
}

// demoTarget is a sink of the configuration, which demo --send sends to.
type demoTarget struct {
	notify.Sink
	configured config.Sink
}

// demoTargets are the sinks of the configuration.
func (a *app) demoTargets(ctx context.Context) (targets []demoTarget, err error) {
	c, err := a.config(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range sinksFor(c, a.workspace) {
		if s.Settings.Type == notify.Ping {
			continue
		}
		sink, err := a.makeSink(ctx, c, s)
		if err != nil {
			return nil, &usageError{fmt.Sprintf("sink %s: %s", s.Settings.Name, err), secretHint}
		}
		targets = append(targets, demoTarget{sink, s})
	}
	if len(targets) == 0 {
		return nil, usage("--send has no sink to send to: none is configured\n\"lobstrail help sinks\" says how to configure one")
	}
	return targets, nil
}

// newestFired are the messages that something began, the newest of each condition: who
// tries alerts wants to see one of each.
func newestFired(sent []alert.Body) (newest []alert.Body) {
	seen := map[store.Condition]bool{}
	for _, body := range slices.Backward(sent) {
		if body.Event == alert.Fired && !seen[body.Condition] {
			seen[body.Condition] = true
			newest = append(newest, body)
		}
	}
	slices.Reverse(newest)
	return newest
}

// send sends the messages that the sink wants, each once, up to the first that it does not
// take.
func (t demoTarget) send(ctx context.Context, bodies []alert.Body) (sent int, err error) {
	for _, body := range bodies {
		if wanted := t.configured.Conditions; wanted != nil && !slices.Contains(wanted, body.Condition) {
			continue
		}
		body.Summary = "Demo: " + body.Summary // others read the channel too
		if err := sendOnce(ctx, t, body); err != nil {
			return sent, &hintedError{fmt.Errorf("sink %s: %w", t.Name(), err), testHint(t.configured.Settings.Type)}
		}
		sent++
	}
	return sent, nil
}

func sendOnce(ctx context.Context, sink notify.Sink, body alert.Body) error {
	ctx, cancel := context.WithTimeout(ctx, sink.Timeout())
	defer cancel()
	return sink.Send(ctx, body)
}

// sendDemo sends one message of each condition to the sinks of the configuration.
func (a *app) sendDemo(ctx context.Context, targets []demoTarget, messages []alert.Body) error {
	var failed []error
	for _, target := range targets {
		sent, err := target.send(ctx, newestFired(messages))
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		failed = append(failed, err)
		a.note("Sent %s to the sink %s.", render.Count(sent, "message"), target.Name())
	}
	return errors.Join(failed...)
}
