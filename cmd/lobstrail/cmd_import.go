package main

import (
	"context"
	"errors"
	"os/exec"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"github.com/lobstrail/lobstrail/fetcher/archive"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

type importOptions struct {
	paths    []string
	at       timeFlag
	field    string
	mtime    bool
	git      string
	path     string
	ref      string
	author   bool
	shallow  bool
	complete bool
	accept   bool
	lockWait time.Duration
}

const importHelp = `Import history: append account objects that were saved earlier, as snapshots of
the instants at which they were saved. No API key is needed. The store is
created if there is none.

A FILE holds JSON: account objects, lists of them, or answers of the API with
their envelope, one or many after the other (NDJSON too), plain or compressed
with gzip or Zstandard, in UTF-8 or in UTF-16 with a byte order mark. Of a DIR
all files are read whose names end in .json, .ndjson or .jsonl (.gz, .zst). "-"
is standard input.

The instant of a file is --at; else the member --at-field of each answer in it;
else what its name tells (accounts-2026-11-01T06:00Z.json, 20261101-0600.json,
2026-11-01/accounts.json); else, or with --at-mtime, when it was last modified;
for standard input, now. A local time that came twice tells nothing. Answers
that tell their instants need not be in order, in one file or over several; but
more than 64 MiB through a pipe, or compressed, must be in order.

--git reads the history of a file that was committed again and again: every
commit, also a merge, whose content is none of its parents'. The instants are
the dates of the commits, and their order too; a commit comes after its parents.
--author-date takes the dates of the authors, for a history that was rewritten.

History is only ever added at its end. What is in the store already is skipped,
so that an import can be run again and goes on where it stopped; what is older
than the newest snapshot of the workspace is refused. Different answers of one
instant are stored in the order of the input, a millisecond apart.

Nothing is concluded about accounts that an answer does not show, unless
--complete says that each answer is a complete list: they are then unlisted, but
never gone. A list of strangers or of nobody, and one that lacks more than half
of the known accounts, and at least three, concludes nothing (exit 3);
--accept-gone confirms it.

Exit codes: 0 done; 2 wrong usage, nothing is stored; 3 something was empty,
could not be read or was refused, the rest is stored; 11 another process writes
to the store.`

const importExample = `  lobstrail import accounts-2026-11-01.json            one saved answer
  lobstrail import answers/                            a folder of them
  lobstr --json accounts ls | lobstrail import -       what the vendor's tool says now
  lobstrail import --git scraped --path accounts.json  a git-scraped file
  lobstrail import old.ndjson --at-field fetched_at    a log, a line each`

func (a *app) newImportCmd() *cobra.Command {
	var o importOptions
	cmd := &cobra.Command{
		Use:     "import FILE|DIR|-...",
		Short:   "Import history: saved API answers, or a git-scraped file",
		Long:    importHelp,
		Example: importExample,
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.paths = args
			return a.runImport(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.Var(&o.at, "at", "the instant of the answers")
	flags.StringVar(&o.field, "at-field", "", "the `MEMBER` of each answer that tells when it was had")
	flags.BoolVar(&o.mtime, "at-mtime", false, "take the time of files, whatever their names say")
	flags.StringVar(&o.git, "git", "", "read the history of a file in a git `REPO`")
	flags.StringVar(&o.path, "path", "", "with --git: the `FILE`, relative to REPO")
	flags.StringVar(&o.ref, "ref", "", "with --git: the branch or commit to end at (default HEAD)")
	flags.BoolVar(&o.author, "author-date", false, "with --git: take the dates of the authors, not of the committers")
	flags.BoolVar(&o.shallow, "shallow-ok", false, "with --git: import what a shallow clone has")
	flags.BoolVar(&o.complete, "complete", false, "each answer is a complete list: accounts that it lacks are unlisted")
	flags.BoolVar(&o.accept, "accept-gone", false, "with --complete: confirm that accounts which all disappeared at once were deleted")
	flags.DurationVar(&o.lockWait, "lock-wait", time.Minute, "how long to wait for another writer")
	must(cmd.MarkFlagDirname("git"))
	for _, flag := range []string{"at", "at-field", "ref"} {
		must(cmd.RegisterFlagCompletionFunc(flag, cobra.NoFileCompletions))
	}
	return cmd
}

func (o *importOptions) validate() error {
	switch {
	case (o.git == "") != (o.path == ""):
		return usage("--git and --path belong together\n--git names a repository, --path a file in it")
	case o.git == "" && len(o.paths) == 0:
		return usage("nothing to import\nname a FILE, a DIR or - for standard input, or --git REPO --path FILE")
	case o.git != "" && len(o.paths) > 0:
		return usage("%q and --git contradict each other\nimport one after the other", o.paths[0])
	case o.at.text != "" && o.field != "" || o.at.text != "" && o.mtime || o.field != "" && o.mtime:
		return usage("--at, --at-field and --at-mtime contradict each other\ngive one of them")
	case o.git != "" && (o.at.text != "" || o.mtime):
		return usage("--at and --at-mtime are not for --git\nthe instants are those of the commits, or --at-field")
	case o.git == "" && o.ref != "":
		return usage("--ref is for --git")
	case o.git == "" && (o.author || o.shallow):
		return usage("--author-date and --shallow-ok are for --git")
	case o.accept && !o.complete:
		return usage("--accept-gone is for --complete")
	case o.author && o.field != "":
		return usage("--author-date and --at-field contradict each other\ngive one of them")
	}
	return nil
}

// past is what is to be imported.
type past struct {
	items archive.Items
	// sorted are the items in the order of the instants that a field tells.
	sorted func(archive.Options) archive.Items
	// total estimates how many bytes there are; 0 when it cannot.
	total func(archive.Progress) int64
	noun  string // of an item
}

func (a *app) runImport(ctx context.Context, o importOptions) error {
	defer debug.SetGCPercent(debug.SetGCPercent(50)) // memory matters more here than the collector's time, 5 %
	if err := errors.Join(o.validate(), a.checkNewWorkspace()); err != nil {
		return err
	}
	find := a.findFiles
	if o.git != "" {
		find = a.findHistory
	}
	past, err := find(ctx, o)
	if err != nil {
		return err
	}
	return a.writing(ctx, o.lockWait, func(s store.Store) error {
		run, result, err := a.bringAlong(ctx, s, past, o)
		if run.ID == 0 {
			return err
		}
		if printed := a.report(err != nil, func() error { return a.printImport(run, result, past.noun) }); printed != nil {
			return printed
		}
		return err
	})
}

func (a *app) findFiles(ctx context.Context, o importOptions) (past, error) {
	now := a.env.now()
	at, err := o.at.time(a, now)
	if err != nil {
		return past{}, err
	}
	dating := archive.Dating{At: at, Zone: a.env.zone, ByTime: o.mtime, ByField: o.field != "", Now: now}
	items, other, err := archive.Files(o.paths, a.env.stdin, dating)
	if err != nil {
		return past{}, &usageError{"import: " + err.Error(), ""}
	}
	if other > 0 {
		a.note("%s skipped: the names do not end in .json, .ndjson or .jsonl (.gz, .zst)", render.Count(other, "file"))
	}
	return pastOfFiles(ctx, items), nil
}

func pastOfFiles(ctx context.Context, items []archive.Item) past {
	var total int64
	for _, item := range items {
		total += item.Size
	}
	return past{
		items: func(yield func(archive.Item, error) bool) {
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
		},
		sorted: func(o archive.Options) archive.Items { return archive.SortedFiles(ctx, items, o) },
		total:  func(archive.Progress) int64 { return total },
		noun:   "file",
	}
}

func (a *app) findHistory(ctx context.Context, o importOptions) (past, error) {
	history, err := archive.FindHistory(ctx, o.git, o.path, o.ref)
	if errors.Is(err, exec.ErrNotFound) {
		return past{}, &hintedError{err, "install git, or save the file's versions and import those"}
	}
	if err != nil {
		return past{}, &usageError{"import: " + err.Error(), "--git names a repository, --path a file in it"}
	}
	commits, err := history.Count(ctx)
	if err != nil {
		return past{}, err
	}
	if commits == 0 {
		return past{}, usage("no commit has touched %s\n--path is relative to %s", o.path, o.git)
	}
	if err := a.noteUnusual(ctx, history, o); err != nil {
		return past{}, err
	}
	history.AuthorDate = o.author
	items := archive.Git(ctx, history)
	return past{
		items:  items,
		sorted: func(o archive.Options) archive.Items { return archive.SortedItems(ctx, items, o) },
		// The sizes of the commits to come are taken to be like those read.
		total: func(p archive.Progress) int64 { return p.Bytes / int64(max(1, p.Items)) * int64(max(commits, p.Items)) },
		noun:  "commit",
	}, nil
}

// noteUnusual says what the repository lacks or replaces. A shallow clone is
// refused: what it lacks could not be imported later, for history is only added at
// its end.
func (a *app) noteUnusual(ctx context.Context, history archive.History, o importOptions) error {
	shallow, err := history.Shallow(ctx)
	if err != nil {
		return err
	}
	if shallow && !o.shallow {
		return usage("%s is a shallow clone, which lacks the older commits\nget them with: git -C %s fetch --unshallow; "+
			"or import what is there with --shallow-ok: older commits are refused from then on", o.git, o.git)
	}
	if shallow {
		a.note("%s is a shallow clone: the older commits are missing, and are refused from now on", o.git)
	}
	for _, note := range history.Notes(ctx) {
		a.note("%s", note)
	}
	return nil
}

// bringAlong runs the import and returns it as it is stored. The run is zero when
// it could not begin.
func (a *app) bringAlong(ctx context.Context, s store.Store, past past, o importOptions) (store.Run, archive.Result, error) {
	writer, err := s.Begin(ctx, a.workspace, store.ScopeImport)
	if err != nil {
		return store.Run{}, archive.Result{}, err
	}
	token, err := a.token(ctx, "") // none is needed; but if there is one, it must not be stored
	if err != nil {
		token, _ = a.singleToken(ctx)
	}
	options := archive.Options{
		Field: o.field, Token: token, Now: a.env.now, Complete: o.complete, AcceptGone: o.accept, ConfirmGone: confirmGone,
		ParseTime: func(text string) (time.Time, error) { return parseSavedTime(text, a.env.zone) },
	}
	items := past.items
	if o.field != "" {
		items = past.sorted(options)
	}
	bar := a.newBytesProgress("import")
	outcome, result, err := archive.Import(ctx, writer, items, options, func(now archive.Progress) {
		bar.showBytes(now, past.total(now))
	})
	bar.done()
	run, err := a.endRun(ctx, s, writer, outcome, err)
	return run, result, err
}
