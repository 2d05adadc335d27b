package export

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
)

// Options say what is exported.
type Options struct {
	Dir        string   // is made unless it is there
	Workspaces []string // of the store; at least one
	// Since makes an export begin at the period of an instant where it would begin later.
	// The first export of a workspace has nothing before it. Zero: not given.
	Since time.Time
	All   bool // write everything anew, from the beginning of the history on
	// SyncDir makes what was named in a folder survive power loss.
	SyncDir func(dir string) error
	// Progress, unless nil, is called with how many partitions are done.
	Progress func(done, total int64)
}

// Result is what an export did.
type Result struct {
	Directory    string              `json:"directory"`
	Workspaces   []WorkspaceExported `json:"workspaces"` // never nil
	FilesWritten int64               `json:"files_written"`
	FilesRemoved int64               `json:"files_removed"`
	RowsWritten  int64               `json:"rows_written"`
	BytesWritten int64               `json:"bytes_written"`
}

// WorkspaceExported is what the files of a workspace are now.
type WorkspaceExported struct {
	Workspace report.Text     `json:"workspace"`
	Folder    string          `json:"folder"` // in the folder of each table
	Until     report.Time     `json:"until"`  // the newest snapshot; null if there is none
	Run       int64           `json:"run"`    // it and all runs before it are over and exported
	Tables    []TableExported `json:"tables"`
}

// TableExported is what the files of a table of a workspace are now.
type TableExported struct {
	Table   string `json:"table"`
	Files   int64  `json:"files"`
	Rows    int64  `json:"rows"`
	Bytes   int64  `json:"bytes"`
	Written int64  `json:"files_written"` // by this export
}

// exporter is an export while it runs.
type exporter struct {
	ctx    context.Context
	reader store.Reader
	o      Options
	state  *state
	files  map[partition]int64
	temps  int
	result Result
}

// Run brings the files of some workspaces in a directory up to date with the store.
// Workspaces that are in the directory and have new redactions are brought up to date too.
//
// It returns ErrForeign, ErrOther or ErrNewer for a directory that it refuses, an
// [InUseError] while another process exports to it, and store.ErrFull if there is no room:
// all files are then whole, and the next call goes on.
func Run(ctx context.Context, reader store.Reader, o Options) (result Result, err error) {
	o.Dir = filepath.Clean(o.Dir)
	unlock, err := lockDir(o.Dir)
	if err != nil {
		return Result{}, full(err)
	}
	defer func() { err = errors.Join(err, unlock()) }()
	x := &exporter{ctx: ctx, reader: reader, o: o, result: Result{Directory: o.Dir, Workspaces: []WorkspaceExported{}}}
	if x.state, err = readState(o.Dir); err != nil {
		return Result{}, err
	}
	if x.files, err = findFiles(o.Dir, x.state.folders()); err != nil {
		return Result{}, err
	}
	if err := os.RemoveAll(filepath.Join(o.Dir, tempName)); err != nil {
		return Result{}, err
	}
	defer os.RemoveAll(filepath.Join(o.Dir, tempName))
	names, err := x.withRedactions(o.Workspaces)
	if err != nil {
		return Result{}, err
	}
	for _, name := range names {
		if err := x.workspace(name); err != nil {
			return Result{}, full(fmt.Errorf("workspace %s: %w", name, err))
		}
	}
	return x.result, nil
}

// full makes an error match store.ErrFull if it is one for which there is no room.
func full(err error) error {
	if (errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)) && !errors.Is(err, store.ErrFull) {
		return fmt.Errorf("%w: %w", store.ErrFull, err)
	}
	return err
}

// withRedactions adds the workspaces of the directory in which accounts were redacted
// since they were exported.
func (x *exporter) withRedactions(names []string) ([]string, error) {
	known, err := x.reader.Workspaces(x.ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range known {
		was := x.state.Workspaces[name]
		if was == nil || slices.Contains(names, name) {
			continue
		}
		redacted, err := x.reader.Withheld(x.ctx, name)
		if err != nil {
			return nil, err
		}
		tree, err := was.tree()
		if err != nil {
			return nil, err
		}
		if len(redacted) > was.Redacted && x.reader.Extends(x.ctx, name, tree) == nil {
			names = append(names, name)
		}
	}
	return names, nil
}

// tell adds a workspace to the result.
func (x *exporter) tell(name string, now *workspaceState, written map[string]int64) error {
	told := WorkspaceExported{Workspace: report.Text(name), Folder: now.Folder, Run: now.Run}
	if now.Until != "" {
		until, err := time.Parse(time.RFC3339Nano, now.Until)
		if err != nil {
			return err
		}
		told.Until = report.Time{Time: until}
	}
	for _, t := range tables {
		one := TableExported{Table: t.name, Written: written[t.name]}
		for _, file := range now.Files[t.name] {
			one.Files++
			one.Rows += file.Rows
			one.Bytes += file.Bytes
		}
		told.Tables = append(told.Tables, one)
	}
	x.result.Workspaces = append(x.result.Workspaces, told)
	return nil
}
