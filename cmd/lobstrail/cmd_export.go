package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lobstrail/lobstrail/report/export"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

type exportOptions struct {
	dir   string
	since timeFlag
	all   bool
}

const exportHelp = `Write the history as Parquet files, for DuckDB, ClickHouse, Spark, Trino and
other programs. "lobstrail help parquet" has the layout, the columns and
queries to begin with.

The first export to DIR writes everything. Later ones go on from there: they
write the days and months anew in which something may have changed, and nothing
if nothing did. --since TIME begins at the day or month of TIME where they would
begin later; a first export then leaves out what is older, also in later ones.
--all writes everything anew.

Each file is written beside and renamed, so readers see whole files only, also
when an export is killed. The next one completes its work. If accounts were
redacted since the last export, all files that named them are written anew, in
all workspaces of DIR. Snapshots that were pruned stay in the files of days that
are over, until --all is given.

A directory that has other files in the folders of the tables, or the export of
another history, is refused and left as it is. Two exports cannot write to DIR
at the same time.

Exit codes: 0 done; 1 failed, for example because the disk is full; 2 wrong
usage, or DIR is refused; 10 there is no store; 11 another export writes to DIR;
130 interrupted.`

func (a *app) newExportCmd() *cobra.Command {
	var o exportOptions
	cmd := &cobra.Command{
		Use:   "export --parquet DIR",
		Short: "Write the history as Parquet files, for DuckDB, ClickHouse, Spark and others",
		Long:  exportHelp,
		Example: `  lobstrail export --parquet /srv/lake/lobstrail
  lobstrail export --parquet /srv/lake/lobstrail --workspace '*'
  30 * * * * lobstrail export --quiet --parquet /srv/lake/lobstrail`,
		Args: takes(0, 0, "", ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runExport(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.dir, "parquet", "", "the `DIR` that the files go to")
	flags.Var(&o.since, "since", "begin at the day or month of this time where the export would begin later")
	flags.BoolVar(&o.all, "all", false, "write everything anew")
	must(cmd.MarkFlagRequired("parquet"))
	must(cmd.MarkFlagDirname("parquet"))
	must(cmd.RegisterFlagCompletionFunc("since", cobra.NoFileCompletions))
	cmd.MarkFlagsMutuallyExclusive("since", "all")
	cmd.ValidArgsFunction = cobra.NoFileCompletions
	return coversWorkspaces(cmd)
}

func (a *app) runExport(ctx context.Context, o exportOptions) error {
	if err := notURL("the directory of an export", o.dir); err != nil {
		return err
	}
	since, err := o.since.time(a, a.env.now())
	if err != nil {
		return err
	}
	return a.readingAll(ctx, func(s store.Store) error {
		names, err := a.workspacesToExport(ctx, s)
		if err != nil {
			return err
		}
		bar := a.newProgress("export", "files")
		defer bar.done()
		result, err := export.Run(ctx, s, export.Options{
			Dir: o.dir, Workspaces: names, Since: since, All: o.all, SyncDir: syncDir, Progress: bar.showShare,
		})
		bar.done()
		if err != nil {
			return explainExport(err)
		}
		return a.report(false, func() error { return a.printExport(result) })
	})
}

// workspacesToExport are the workspace, or all of the store.
func (a *app) workspacesToExport(ctx context.Context, s store.Store) ([]string, error) {
	names, err := s.Workspaces(ctx)
	if err != nil || a.workspace == allWorkspaces {
		return names, err
	}
	if !slices.Contains(names, a.workspace) {
		return nil, usage("workspace %q has no history in %s\n--workspace names another; it has: %s", a.workspace, a.storeName(), strings.Join(names, ", "))
	}
	return []string{a.workspace}, nil
}

// explainExport adds the next step to the error of an export.
func explainExport(err error) error {
	var inUse *export.InUseError
	switch {
	case errors.Is(err, export.ErrForeign), errors.Is(err, export.ErrOther):
		return &usageError{err.Error(), "it was left as it is; name another directory, which need not exist"}
	case errors.Is(err, export.ErrNewer):
		return &usageError{err.Error(), "update lobstrail, or name another directory"}
	case errors.As(err, &inUse):
		return &hintedError{err, "run the command again when it is done"}
	case errors.Is(err, store.ErrFull):
		return &hintedError{err, "all files are whole; make room and run the command again to go on"}
	}
	if notWritten(err) != err {
		return &hintedError{err, "name a directory that is there, or that can be made, and that you may write to"}
	}
	return err
}

func (a *app) printExport(r export.Result) error {
	return a.printOne(r, []render.Pair{
		{Title: "Directory", Key: "directory", Value: render.TextCell(r.Directory)},
		{Title: "Files written", Key: "files_written", Value: render.IntCell(r.FilesWritten)},
		{Title: "Files removed", Key: "files_removed", Value: render.IntCell(r.FilesRemoved)},
		{Title: "Rows written", Key: "rows_written", Value: render.IntCell(r.RowsWritten)},
		{Title: "Bytes written", Key: "bytes_written", Value: render.IntCell(r.BytesWritten)},
	}, func() error {
		if r.FilesWritten+r.FilesRemoved == 0 {
			_, err := fmt.Fprintf(a.env.stdout, "Nothing has changed since the last export to %s.\n", render.Clean(r.Directory))
			return err
		}
		removed := ""
		if r.FilesRemoved > 0 {
			removed = fmt.Sprintf(" %s without rows removed.", render.Count(r.FilesRemoved, "file"))
		}
		_, err := fmt.Fprintf(a.env.stdout, "Exported to %s: %s with %s, %s.%s\n", render.Clean(r.Directory),
			render.Count(r.FilesWritten, "file"), render.Count(r.RowsWritten, "row"), bytesText(r.BytesWritten), removed)
		return err
	})
}
