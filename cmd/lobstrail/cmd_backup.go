package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

type backupOptions struct {
	keep     int
	force    bool
	lockWait time.Duration
}

const backupHelp = `Copy the store to a file, as it is at one moment, while batches go on. The copy
is made as FILE.new, verified, and then renamed, so FILE is always a whole
backup. To restore, name it with --db, or put it where the store was.

An existing file is never written over without --force. With --keep N, it is
moved to FILE.1, that one to FILE.2, and so on, until there are N with the new
one; the oldest goes. Whatever is not a backup of this very store is left alone,
and the command refuses.

A store in PostgreSQL is backed up with pg_dump, or by a replica.

Exit codes: 0 done; 1 failed; 2 wrong usage, or a file is in the way; 4 the copy
is not what was stored: the store is damaged; 10 there is no store; 11 another
backup writes to the file.`

func (a *app) newBackupCmd() *cobra.Command {
	var o backupOptions
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Copy the store while it is in use, and check the copy",
		Long:  backupHelp,
		Example: `  lobstrail backup /mnt/backup/lobstrail.db
  lobstrail backup /mnt/backup/lobstrail.db --keep 7
  30 3 * * * lobstrail backup --quiet --keep 7 /mnt/backup/lobstrail.db`,
		Args: takes(1, 1, "the FILE that the copy goes to", ""),
		RunE: func(cmd *cobra.Command, args []string) error { return a.runBackup(cmd.Context(), args[0], o) },
	}
	flags := cmd.Flags()
	flags.IntVar(&o.keep, "keep", 0, "keep older backups as FILE.1, FILE.2, ...: `N` with the new one")
	flags.BoolVar(&o.force, "force", false, "write over whatever file is there")
	flags.DurationVar(&o.lockWait, "lock-wait", time.Minute, "how long to wait for another backup to the same file")
	cmd.MarkFlagsMutuallyExclusive("keep", "force")
	return coversWorkspaces(cmd)
}

func (a *app) runBackup(ctx context.Context, path string, o backupOptions) error {
	switch {
	case path == "" || path == "-":
		return usage("a backup needs a file\nname one")
	case o.keep < 0 || o.keep > 1000:
		return usage("--keep must be from 1 to 1000")
	}
	if err := notURL("a backup", path); err != nil {
		return err
	}
	if onServer(a.db) {
		return usage("a store in PostgreSQL is backed up by its server\nuse pg_dump, or a replica (\"lobstrail help postgres\")")
	}
	return a.readingAll(ctx, func(s store.Store) error {
		copied, checked := a.newBytesProgress("backup"), a.newProgress("verify the copy", "responses")
		defer copied.done()
		defer checked.done()
		b, err := s.(backuper).Backup(ctx, path, backupSettings{
			Keep: o.keep, Force: o.force, LockWait: o.lockWait, Progress: copied.showShare,
			Checking: func(done, total int64) {
				copied.done()
				checked.showShare(done, total)
			},
		})
		copied.done()
		checked.done()
		if errors.Is(err, fs.ErrExist) {
			return &usageError{err.Error(), a.backupAdvice(path)}
		}
		if err != nil {
			return notWritten(err)
		}
		return a.report(false, func() error { return a.printBackup(report.NewBackupJSON(b)) })
	})
}

// backupAdvice says what to do about a file that is in the way of a backup.
func (a *app) backupAdvice(path string) string {
	target, err := os.Stat(path)
	own, missing := os.Stat(a.db)
	if err != nil || !target.Mode().IsRegular() || missing == nil && os.SameFile(target, own) {
		return "name another file"
	}
	return "name another file, or let --keep N move older backups out of the way, or --force write over it"
}

func (a *app) printBackup(b report.BackupJSON) error {
	kept := strings.Join(b.Kept, ", ")
	return a.printOne(b, []render.Pair{
		{Title: "File", Key: "file", Value: render.TextCell(b.File)},
		{Title: "Bytes", Key: "bytes", Value: render.IntCell(b.Bytes)},
		{Title: "Entries", Key: "size", Value: render.IntCell(b.Size)},
		{Title: "Root", Key: "root", Value: render.TextCell(string(b.Root))},
		{Title: "Kept", Key: "kept", Value: render.TextCell(kept)},
		{Title: "Removed", Key: "removed", Value: render.IntCell(b.Removed)},
	}, func() error {
		_, err := fmt.Fprintf(a.env.stdout, "Backed up to %s, and verified: %s, %d bytes.\n", render.Clean(b.File), many(b.Size, "entry", "entries"), b.Bytes)
		if kept != "" && err == nil {
			_, err = fmt.Fprintf(a.env.stdout, "Older backups: %s.\n", render.Clean(kept))
		}
		return err
	})
}
