package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/lobstrail/lobstrail/fetcher"
	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
)

type demoOptions struct {
	dbGiven bool
	alerts  bool
	send    bool
}

func (a *app) newDemoCmd() *cobra.Command {
	var o demoOptions
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See it work on a simulated workspace, no key needed",
		Long: `Live through two weeks of a simulated workspace: a dozen accounts on four
platforms whose cookies expire, that are locked, re-synchronised, moved between
squids, lost and deleted. The real client asks a simulated lobstr.io over real
HTTP every two hours, the store keeps what it says, and the report tells what
happened.

--alerts lists instead what the alerts of the two weeks would have sent, and
when, by the default rules. --send sends the newest of each kind to the sinks of
your configuration, so that you see what they look like there.

The store stays, for all other commands to read: in a new temporary folder, or
where --db says: a new file, or a PostgreSQL database without a store.

Exit codes: 0 done; 1 failed, or a sink did not take a message; 2 wrong usage,
or --db exists already.`,
		Example: `  lobstrail demo
  lobstrail demo --alerts
  lobstrail demo --alerts --send --config lobstrail.toml
  lobstrail demo --db demo.db && lobstrail accounts --db demo.db`,
		Args: takes(0, 0, "", ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.dbGiven = cmd.Flags().Changed("db") || cmd.Flags().Changed("db-file")
			return a.runDemo(cmd.Context(), o)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	cmd.Flags().BoolVar(&o.alerts, "alerts", false, "list the alerts that the two weeks would have sent, and when")
	cmd.Flags().BoolVar(&o.send, "send", false, "with --alerts: send the newest of each kind to the sinks of the configuration")
	return cmd
}

func (a *app) runDemo(ctx context.Context, o demoOptions) error {
	var targets []demoTarget
	var err error
	switch {
	case o.send && !o.alerts:
		return usage("--send belongs to --alerts\n\"lobstrail demo --alerts --send\" sends alerts of the demo")
	case o.send:
		if targets, err = a.demoTargets(ctx); err != nil {
			return err
		}
	}
	if err := a.demoPlace(ctx, o.dbGiven); err != nil {
		return err
	}
	story := lobstrtest.DemoFrom(demoStart(a.env.now()))
	clock := story.World.Clock()
	s, _, err := a.openWriter(ctx, clock.Now, 0, false)
	if err != nil {
		return err
	}
	var sink demoSink
	err = a.liveThrough(ctx, s, story, &sink)
	if err = errors.Join(err, s.Close()); err != nil {
		return err
	}
	if !o.alerts {
		return a.tellDemo(ctx, story)
	}
	if err := a.printDemoAlerts(sink.sent); err != nil {
		return err
	}
	return errors.Join(a.sendDemo(ctx, targets, sink.sent), a.noteDemo("alerts"))
}

// demoPlace settles where the demo's store is. It is never that of the user's
// own history.
func (a *app) demoPlace(ctx context.Context, given bool) error {
	switch {
	case given && onServer(a.db):
		return a.noStoreYet(ctx)
	case given:
		if _, err := os.Stat(a.db); !errors.Is(err, os.ErrNotExist) {
			return usage("%s exists already\nname a new file, or leave --db out", a.db)
		}
		return nil
	}
	dir, err := os.MkdirTemp("", "lobstrail-demo-")
	a.db = filepath.Join(dir, "demo.db")
	return err
}

// noStoreYet returns an error unless the database on the server is without a store.
func (a *app) noStoreYet(ctx context.Context) error {
	s, err := a.openReader(ctx)
	if err == nil {
		s.Close() // a reader has nothing to lose
	}
	switch {
	case errors.Is(err, store.ErrNoStore):
		return nil
	case err == nil, errors.Is(err, store.ErrOlder), errors.Is(err, store.ErrNewer):
		return usage("%s has a store already\nname a database without one, or leave --db out", a.storeName())
	}
	return err
}

// demoStart lets the story end on the last morning, so that "--since 7d" finds
// something.
func demoStart(now time.Time) time.Time {
	y, m, d := now.UTC().Date()
	end := time.Date(y, m, d, 6, 0, 0, 0, time.UTC)
	if end.After(now) {
		end = end.AddDate(0, 0, -1)
	}
	return end.AddDate(0, 0, -14)
}

// liveThrough takes a snapshot of all accounts at each time of the story, and evaluates
// the alerts after each.
func (a *app) liveThrough(ctx context.Context, s store.Store, story lobstrtest.DemoStory, sink *demoSink) error {
	server, err := lobstrtest.Listen(story.World)
	if err != nil {
		return err
	}
	defer server.Close()
	clock := story.World.Clock()
	client, err := fetcher.New(fetcher.Config{
		Token: lobstrtest.DefaultToken, BaseURL: server.URL, UserAgent: userAgent(), Now: clock.Now,
	})
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	job := fetcher.Job{Client: client, Store: s, Workspace: a.workspace}
	total := int(story.End.Sub(story.Start)/story.Every) + 1
	bar := a.newProgress("two weeks", "batches")
	defer bar.done()
	for i := range total {
		clock.Set(story.Start.Add(time.Duration(i) * story.Every))
		if _, err := job.Snapshot(ctx); err != nil {
			return err
		}
		if err := a.tellDemoAlerts(ctx, s, client, clock.Now, sink); err != nil {
			return err
		}
		bar.show(fetcher.Progress{Done: i + 1, Total: total})
	}
	return nil
}

// tellDemo prints the report of the story and what to try next.
func (a *app) tellDemo(ctx context.Context, story lobstrtest.DemoStory) error {
	s, err := a.openReader(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	// A moment after the last answer, which is rounded up to the millisecond.
	in, err := a.reportInput(ctx, s, a.wanted(""), a.overview(""), story.Start, story.World.Clock().Now().Add(time.Second).Truncate(time.Second))
	if err != nil {
		return err
	}
	if err := a.printReport(in, report.Build(in), ""); err != nil {
		return err
	}
	return a.noteDemo("accounts", "changes --since 7d", "report --since 2w --format html -o report.html",
		`sql "SELECT health_after, count(*) FROM status_changes GROUP BY 1"`)
}

// noteDemo says where the store of the demo stays, and which commands are worth trying.
func (a *app) noteDemo(commands ...string) error {
	if a.quiet {
		return nil
	}
	text := fmt.Sprintf("\nThe store stays at %s. Try:\n", a.storeName())
	for _, command := range commands {
		text += fmt.Sprintf("  lobstrail %s %s\n", command, a.storeFlag())
	}
	_, err := io.WriteString(a.env.stderr, text)
	return err
}
