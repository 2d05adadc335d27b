package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lobstrail/lobstrail/cmd/lobstrail/config"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

// app is one run of the command: what it was given, and the flags that all
// subcommands share.
type app struct {
	env     *environment
	started bool  // a subcommand runs: errors are no longer about usage
	noPlace error // why there is no default place for the store

	fetchLog *slog.Logger   // of requests that are sent again; nil: none
	every    time.Duration  // the interval of the workspace; 0: that of the configuration
	loaded   *config.Config // once it was read; see [app.config]

	db          string // the location of the store, for engine.go; it may hold a password, see [app.storeName]
	dbFile      string
	configFile  string
	workspace   string
	format      string
	json        bool
	formatGiven bool // by --format or --json
	noColor     bool
	wide        bool
	quiet       bool
	verbose     bool
}

func newApp(env *environment) *app { return &app{env: env} }

const rootHelp = `lobstrail keeps the audit trail of lobstr.io accounts. It takes snapshots of
them, keeps every one in a SQLite file or a PostgreSQL database, and says what
changed: which accounts stopped working and when, which squids used which
account, whose limits were edited.`

const rootExample = `  lobstrail demo                       see it work, no key needed
  lobstrail snapshot                   take snapshots of all accounts
  lobstrail accounts --health expired  which accounts need a re-synchronisation
  lobstrail changes --since 24h        what changed since yesterday
  lobstrail demo --alerts              the alerts that it would have sent
  lobstrail impact ACCOUNT             what deleting an account would break
  lobstrail report --since 7d          the status-change report of a week`

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:               "lobstrail",
		Short:             "The audit trail of lobstr.io accounts",
		Long:              rootHelp,
		Example:           rootExample,
		Version:           versionName(),
		SilenceErrors:     true,
		SilenceUsage:      true,
		PersistentPreRunE: a.begin,
	}
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	root.SetIn(a.env.stdin)
	root.SetOut(a.env.stdout)
	root.SetErr(a.env.stderr)
	root.SetFlagErrorFunc(wrongFlag)
	flags := root.PersistentFlags()
	flags.StringVar(&a.db, "db", "", "the store: a file, or a postgres:// URL (default $LOBSTRAIL_DB, else $XDG_DATA_HOME/lobstrail/lobstrail.db)")
	flags.StringVar(&a.dbFile, "db-file", "", "read where the store is from the first line of this `FILE`: a URL with a password, for example")
	flags.StringVar(&a.workspace, "workspace", "", `the scope of an API key (default $LOBSTRAIL_WORKSPACE, else "default")`)
	flags.StringVar(&a.configFile, "config", "", "read the configuration from this `FILE` (default $LOBSTRAIL_CONFIG, else $XDG_CONFIG_HOME/lobstrail/config.toml)")
	flags.StringVar(&a.format, "format", "table", "how to write the answer: table, json, ndjson, csv or markdown")
	flags.BoolVar(&a.json, "json", false, "short for --format json")
	flags.BoolVar(&a.noColor, "no-color", false, "no colours (also: NO_COLOR set)")
	flags.BoolVar(&a.wide, "wide", false, "tables with all columns, also where they are wider than the terminal")
	flags.BoolVar(&a.quiet, "quiet", false, "print nothing when all goes well, and what went wrong on stderr")
	flags.BoolVar(&a.verbose, "verbose", false, "more notes on stderr")
	root.MarkFlagsMutuallyExclusive("quiet", "verbose")
	root.MarkFlagsMutuallyExclusive("db", "db-file")
	root.AddCommand(
		a.newSnapshotCmd(), a.newImportCmd(), a.newAccountsCmd(), a.newShowCmd(), a.newChangesCmd(), a.newDiffCmd(), a.newSquidsCmd(), a.newImpactCmd(), a.newWatchCmd(),
		a.newStatusCmd(), a.newCheckCmd(), a.newMetricsCmd(), a.newReportCmd(), a.newSQLCmd(), a.newRunsCmd(), a.newAlertsCmd(), a.newKeyCmd(), a.newCheckpointCmd(), a.newVerifyCmd(), a.newProveCmd(),
		a.newVerifyProofCmd(), a.newBackupCmd(), a.newCopyCmd(), a.newExportCmd(), a.newPruneCmd(), a.newRedactCmd(), a.newDemoCmd(), a.newConfigCmd(), a.newVersionCmd(), a.newManCmd(),
	)
	a.addHelp(root)
	a.completeGlobalFlags(root)
	refuseUnknownShells(root)
	refuseEmptyValues(root)
	return root
}

// begin looks after what every command needs before it runs.
func (a *app) begin(cmd *cobra.Command, args []string) error {
	if a.env.zoneErr != nil && !aboutItself(cmd) {
		return a.env.zoneErr
	}
	if !isCompletion(cmd) { // a word that is being typed is empty at first
		if err := checkArgs(args); err != nil {
			return err
		}
	}
	if err := a.prepare(cmd); err != nil || aboutItself(cmd) {
		return err
	}
	if err := a.settleStore(cmd.Context(), cmd); err != nil {
		return err
	}
	if err := a.checkWorkspace(cmd); err != nil || a.configFile == "" {
		return err
	}
	if cmd.Name() == "watch" { // which logs what it finds in it
		return nil
	}
	_, err := a.config(cmd.Context()) // who names a file wants to know what is wrong with it
	return err
}

// aboutItself reports whether a command only tells of the program, and needs no
// zone, no store and no key.
func aboutItself(cmd *cobra.Command) bool {
	for cmd.HasParent() && cmd.Parent().HasParent() {
		cmd = cmd.Parent()
	}
	return slices.Contains([]string{"version", "help", "completion"}, cmd.Name()) || isCompletion(cmd)
}

// isCompletion reports whether a shell asks what could be typed.
func isCompletion(cmd *cobra.Command) bool {
	return cmd.Name() == cobra.ShellCompRequestCmd || cmd.Name() == cobra.ShellCompNoDescRequestCmd
}

// prepare settles the flags that all commands share.
func (a *app) prepare(cmd *cobra.Command) error {
	a.workspace = cmp.Or(a.workspace, a.env.variable("LOBSTRAIL_WORKSPACE"), "default")
	if err := a.settleFormat(cmd); err != nil {
		return err
	}
	// cobra checks these only after begin.
	if err := errors.Join(cmd.ValidateRequiredFlags(), cmd.ValidateFlagGroups(), checkLockWait(cmd)); err != nil {
		return err
	}
	a.noColor = a.noColor || a.env.getenv("NO_COLOR") != "" || a.env.getenv("TERM") == "dumb"
	a.started = true
	return nil
}

func (a *app) settleFormat(cmd *cobra.Command) error {
	if a.json && cmd.Flags().Changed("format") && a.format != string(render.JSON) {
		return &usageError{"--json and --format " + a.format + " contradict each other", "give one of them"}
	}
	a.formatGiven = a.json || cmd.Flags().Changed("format")
	if a.json {
		a.format = string(render.JSON)
	}
	if format := render.Format(strings.ToLower(a.format)); format.Pictures() || format == render.Slack {
		a.format = string(format)
		return reportOnly(cmd, format)
	}
	format, err := render.ParseFormat(a.format)
	if err != nil {
		hint := ""
		if cmd.Name() == "report" {
			hint = "a report can also be html, svg or slack"
		}
		return &usageError{err.Error(), hint}
	}
	a.format = string(format)
	return nil
}

// usage makes an error of a command's arguments a usage error.
func usage(format string, args ...any) error {
	message, hint, _ := strings.Cut(fmt.Sprintf(format, args...), "\n")
	return &usageError{message, hint}
}

// options say how the answer is written.
func (a *app) options() render.Options {
	return render.Options{
		Format: render.Format(a.format),
		Width:  a.tableWidth(),
		Widen:  "--wide",
		Color:  a.env.stdoutWidth > 0 && !a.noColor,
		Zone:   a.env.zone,
	}
}

// tableWidth is how many columns there are; 0 is no bound. Only tables are fitted
// to the terminal: what other programs read is the same anywhere.
func (a *app) tableWidth() int {
	if a.wide {
		return 0
	}
	return a.terminalWidth()
}

// terminalWidth is how many columns a table may fill, also where --wide lets it have
// more.
func (a *app) terminalWidth() int {
	if render.Format(a.format) != render.Table {
		return 0
	}
	return a.env.width()
}

// zoneNote names the zone of the times in a table.
func (a *app) zoneNote() string {
	return "Times are " + render.ZoneName(a.env.zone, a.env.now()) + "."
}

// note tells the user something that is no part of the answer.
func (a *app) note(format string, args ...any) {
	if !a.quiet {
		fmt.Fprintln(a.env.stderr, render.Clean(withoutSecrets(fmt.Sprintf(format, args...))))
	}
}

// readerGC lets the heap grow to so many percent more than what is in use.
const readerGC = 200

// reading opens the store for a command that only reads, about a workspace.
func (a *app) reading(ctx context.Context, fn func(store.Store) error) error {
	return a.readingAll(ctx, func(s store.Store) error {
		if err := fn(s); err != nil || a.workspace == allWorkspaces {
			return err
		}
		return a.noteUnknownWorkspace(ctx, s)
	})
}

// readingAll opens the store for a command that only reads, about all of it.
func (a *app) readingAll(ctx context.Context, fn func(store.Store) error) error {
	if a.noPlace != nil {
		return a.noPlace
	}
	s, err := a.openReader(ctx)
	if err != nil {
		return err
	}
	defer s.Close() // a reader has nothing to lose
	// What a reader makes is written and done with in a moment: collecting it
	// sooner would take a quarter of the time.
	defer debug.SetGCPercent(debug.SetGCPercent(readerGC))
	return fn(s)
}

// noteUnknownWorkspace tells the user of a workspace that has no history: an
// empty answer about it means nothing.
func (a *app) noteUnknownWorkspace(ctx context.Context, s store.Store) error {
	names, err := s.Workspaces(ctx)
	switch {
	case errors.Is(err, store.ErrRights): // who may only read the views asks SQL, and needs no note
		return nil
	case err != nil:
		return err
	case slices.Contains(names, a.workspace):
		return a.noteNothingStored(ctx, s)
	}
	a.note("note: workspace %q has no history in %s; it has: %s", a.workspace, a.storeName(), strings.Join(names, ", "))
	return nil
}

// noteNothingStored tells the user that no run has stored a snapshot yet: that nothing is
// listed does not mean that there is nothing.
func (a *app) noteNothingStored(ctx context.Context, s store.Store) error {
	newest := store.Run{}
	for run, err := range s.Runs(ctx, a.workspace) {
		if err != nil || run.Captured()+run.Gone > 0 {
			return err
		}
		if newest.ID == 0 {
			newest = run
		}
	}
	if newest.ID > 0 {
		a.note("note: no run has stored a snapshot yet; the newest is %s (\"lobstrail runs %d\" tells more)", newest.State, newest.ID)
	}
	return nil
}

// writing opens the store for a command that fetches, and makes it when it is
// not there.
func (a *app) writing(ctx context.Context, wait time.Duration, fn func(store.Store) error) error {
	return a.withWriter(ctx, wait, false, fn)
}

// changing opens the store for a command that changes what is there.
func (a *app) changing(ctx context.Context, wait time.Duration, fn func(store.Store) error) error {
	return a.withWriter(ctx, wait, true, fn)
}

func (a *app) withWriter(ctx context.Context, wait time.Duration, existing bool, fn func(store.Store) error) (err error) {
	if a.noPlace != nil {
		return a.noPlace
	}
	s, created, err := a.openWriter(ctx, a.env.now, wait, existing)
	if err != nil {
		return err
	}
	defer func() {
		if closed := s.Close(); err == nil {
			err = closed
		}
	}()
	if created {
		a.note("created the store %s", a.storeName())
	}
	return fn(s)
}
