package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lobstrail/lobstrail/cmd/lobstrail/config"
	"github.com/lobstrail/lobstrail/cmd/lobstrail/watch"
)

type watchOptions struct {
	snapshotOptions
	every, jitter durationFlag
	listen        string
	logFormat     string
}

const watchHelp = `Take snapshots of all accounts on a schedule, send alerts, and serve metrics and
health, until it is stopped. The store is created if there is none. It is locked
only while a snapshot is taken.

Without flags, the values of the configuration apply: every, jitter and listen
of [watch], and every of each workspace. SIGHUP reads the configuration again.
SIGTERM and Ctrl-C stop it; the snapshots of a run in progress are stored.

The log goes to stderr, one line for each run. --quiet logs only problems.

Exit codes: 0 stopped by SIGTERM; 1 the address of --listen cannot be used; 2
wrong usage or a wrong configuration; 12 there is no key; 130 stopped by Ctrl-C.`

const watchExample = `  lobstrail watch                                 every 15 minutes
  lobstrail watch --every 5m --listen 127.0.0.1:9477
  lobstrail watch --all-workspaces --log-format json
  curl -f http://127.0.0.1:9477/healthz           is it alive, and are the data fresh?
  lobstrail help systemd                          units to run it as a service`

func (a *app) newWatchCmd() *cobra.Command {
	var o watchOptions
	cmd := &cobra.Command{
		Use:     "watch",
		Short:   "Take snapshots on a schedule, send alerts, serve metrics and health",
		Long:    watchHelp,
		Example: watchExample,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.validate(cmd.Flags().Changed("workspace")); err != nil {
				return err
			}
			return a.runWatch(cmd.Context(), o)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.all, "all-workspaces", false, "watch each workspace of the configuration, one after the other")
	flags.Var(&o.every, "every", "the interval of snapshots (default: that of the configuration, else 15m)")
	flags.Var(&o.jitter, "jitter", "the longest random delay of a snapshot (default: that of the configuration, else 30s)")
	flags.StringVar(&o.listen, "listen", "", "serve /metrics and /healthz at an `ADDRESS` such as 127.0.0.1:9477, or off")
	flags.StringVar(&o.logFormat, "log-format", "text", "how the log is written: text or json")
	o.addFetchFlags(flags)
	must(cmd.RegisterFlagCompletionFunc("log-format", cobra.FixedCompletions(watch.LogFormats, cobra.ShellCompDirectiveNoFileComp)))
	return cmd
}

// durationFlag is a flag that holds a length of time, written as in the configuration.
type durationFlag struct {
	length time.Duration
	given  bool
}

func (f *durationFlag) String() string { return "" }
func (f *durationFlag) Type() string   { return "DURATION" }
func (f *durationFlag) Set(text string) (err error) {
	f.length, err = config.ParseDuration(text)
	f.given = true
	return err
}

// or is what the flag says, else the first of the others that is not 0.
func (f durationFlag) or(others ...time.Duration) time.Duration {
	if f.given {
		return f.length
	}
	return cmp.Or(others...)
}

// Bounds of the interval.
const (
	shortestEvery = time.Second
	longestEvery  = 366 * 24 * time.Hour
)

func (o *watchOptions) validate(workspaceGiven bool) error {
	switch {
	case !slices.Contains(watch.LogFormats, o.logFormat):
		return usage("there is no log format %q\nit is %s", o.logFormat, strings.Join(watch.LogFormats, " or "))
	case o.every.given && (o.every.length < shortestEvery || o.every.length > longestEvery):
		return usage("--every must be from 1s to 366d\nfor example --every 15m")
	}
	if o.listen != "" && o.listen != "off" {
		if _, port, err := net.SplitHostPort(o.listen); err != nil || !isPort(port) {
			return usage("--listen %q: an address and a port are expected\nfor example 127.0.0.1:9477; or off", o.listen)
		}
	}
	if o.all {
		if err := o.validateAll(workspaceGiven); err != nil {
			return err
		}
	}
	return o.snapshotOptions.validate()
}

// isPort reports whether the text is a number of a port; 0 stands for a free one.
func isPort(text string) bool {
	_, err := strconv.ParseUint(text, 10, 16)
	return err == nil
}

// watchSettings are what the configuration and the flags say. They are replaced as a whole
// when the configuration is read again.
type watchSettings struct {
	app      *app // of this configuration
	jobs     []watch.Job
	listen   string   // "": nowhere
	warnings []string // about the configuration
}

// readWatchSettings reads the configuration. Each workspace must have a key.
func (a *app) readWatchSettings(ctx context.Context, o watchOptions) (*watchSettings, error) {
	loaded, err := a.loadConfig(ctx)
	if err != nil {
		return nil, err
	}
	with := *a
	with.loaded = &loaded
	s := &watchSettings{app: &with, listen: loaded.Watch.Listen, warnings: loaded.Warnings}
	switch o.listen {
	case "":
	case "off":
		s.listen = ""
	default:
		s.listen = o.listen
	}
	names := []string{a.workspace}
	if o.all {
		names = slices.Sorted(maps.Keys(loaded.Workspaces))
	}
	for _, name := range names {
		if _, err := s.in(name).token(ctx, o.tokenFile); err != nil {
			return nil, err
		}
		every := o.every.or(loaded.Workspaces[name].Every, loaded.Watch.Every) // never 0
		s.jobs = append(s.jobs, watch.Job{
			Workspace: name, Every: every, Jitter: min(o.jitter.or(loaded.Watch.Jitter), every/2),
		})
	}
	if len(s.jobs) == 0 {
		path, _ := a.configPath()
		return nil, usage("--all-workspaces: no workspace is configured in %s\n%s", path, configHint)
	}
	return s, nil
}

// in is the app for one of several workspaces.
func (s *watchSettings) in(workspace string) *app {
	one := *s.app
	one.workspace = workspace
	for _, job := range s.jobs {
		if job.Workspace == workspace {
			one.every = job.Every
		}
	}
	return &one
}

func (a *app) runWatch(ctx context.Context, o watchOptions) error {
	if a.noPlace != nil {
		return a.noPlace
	}
	if err := a.checkNewWorkspace(); err != nil {
		return err
	}
	hangups, stop := a.env.hangUps()
	defer stop()
	settings, err := a.readWatchSettings(ctx, o)
	if err != nil {
		return err
	}
	d := newDaemon(a, o, settings)
	if err := d.checkStore(ctx); err != nil {
		return err
	}
	var listener net.Listener
	if settings.listen != "" {
		if listener, err = net.Listen("tcp", settings.listen); err != nil {
			return &hintedError{err, "another program, or another watch, has this address; name another one with --listen"}
		}
		defer listener.Close()
	}
	d.run(ctx, listener, hangups)
	if errors.Is(context.Cause(ctx), errTerminated) {
		return nil
	}
	return errEnded
}

// logLevel follows --quiet and --verbose.
func (a *app) logLevel() slog.Level {
	switch {
	case a.quiet:
		return slog.LevelWarn
	case a.verbose:
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// hangUps are the signals that ask for the configuration to be read again, until the
// function is called; nil where no signal comes.
func (e *environment) hangUps() (<-chan os.Signal, func()) {
	if e.hangups == nil {
		return nil, func() {}
	}
	return e.hangups()
}
