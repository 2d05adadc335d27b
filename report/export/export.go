package export

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
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
	if errors.Is(err, syscall.ENOSPC) && !errors.Is(err, store.ErrFull) {
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
		if was == nil || was.LogSize == 0 || slices.Contains(names, name) {
			continue
		}
		redacted, err := x.reader.Withheld(x.ctx, name)
		if err != nil {
			return nil, err
		}
		tree, _ := was.tree()
		if err := x.reader.Extends(x.ctx, name, tree); len(redacted) > was.Redacted && err == nil {
			names = append(names, name)
		}
	}
	return names, nil
}

// workspace exports one workspace.
func (x *exporter) workspace(name string) error {
	was, err := x.stateOf(name)
	if err != nil {
		return err
	}
	p := &planner{ctx: x.ctx, reader: x.reader, workspace: name, was: was, options: &x.o, files: x.filesOf(was.Folder), wanted: map[partition]bool{}}
	if p.now, err = x.begin(p); err != nil {
		return err
	}
	todo, err := p.plan()
	if err != nil {
		return err
	}
	for _, one := range p.stale {
		if err := x.remove(one.path(x.o.Dir)); err != nil {
			return err
		}
	}
	written := map[string]int64{}
	for i, one := range todo {
		if x.o.Progress != nil {
			x.o.Progress(int64(i), int64(len(todo)))
		}
		replaced, err := x.partition(p, one)
		if err != nil {
			return fmt.Errorf("%s: %w", one.path(x.o.Dir), err)
		}
		if replaced {
			written[one.table.name]++
		}
	}
	x.state.Workspaces[name], x.state.Layout = p.now, layout
	if err := x.writeState(); err != nil {
		return err
	}
	return x.tell(name, p.now, written)
}

// stateOf is what was exported of a workspace. Before its first file is written, the state
// file names its folder: it is ours then.
func (x *exporter) stateOf(name string) (*workspaceState, error) {
	was := x.state.Workspaces[name]
	if was == nil {
		folder, err := newFolder(name, x.state.folders())
		if err != nil {
			return nil, err
		}
		was = &workspaceState{Folder: folder}
		x.state.Workspaces[name] = was
		return was, x.writeState()
	}
	if was.LogSize == 0 { // its first export did not end
		return was, nil
	}
	tree, err := was.tree()
	if err != nil {
		return nil, err
	}
	err = x.reader.Extends(x.ctx, name, tree)
	if errors.Is(err, store.ErrRewritten) {
		return nil, fmt.Errorf("%w: %s", ErrOther, x.o.Dir)
	}
	return was, err
}

func (x *exporter) filesOf(folder string) map[partition]int64 {
	own := map[partition]int64{}
	for one, size := range x.files {
		if one.folder == folder {
			own[one] = size
		}
	}
	return own
}

// begin is the state of a workspace as it will be. It is read before the rows: the files
// have at least what it says.
func (x *exporter) begin(p *planner) (*workspaceState, error) {
	tree, err := x.reader.Tree(x.ctx, p.workspace)
	if err != nil {
		return nil, err
	}
	redacted, err := x.reader.Withheld(x.ctx, p.workspace)
	if err != nil {
		return nil, err
	}
	now := &workspaceState{
		Folder: p.was.Folder, LogSize: tree.N, LogRoot: tree.Hash.String(), Layout: layout, Rules: report.Rules().Version,
		Redacted: len(redacted), From: p.was.From, Files: map[string]map[string]fileState{},
	}
	for _, t := range tables {
		now.Files[t.name] = map[string]fileState{}
		for key, file := range p.was.Files[t.name] {
			now.Files[t.name][key] = file
		}
	}
	first := p.was.LogSize == 0
	switch given := x.o.since(); {
	case x.o.All:
		now.From = ""
	case given != "" && (first || given < now.From):
		now.From = given
	}
	if now.Until, err = p.first("snapshots", "taken_at", ">= :from", "taken_at DESC", sql.Named("from", p.was.Until)); err != nil {
		return nil, err
	}
	now.Until = max(now.Until, p.was.Until)
	now.Run, err = p.lastOver()
	return now, err
}

// lastOver is the newest run such that it and all before it are over.
func (p *planner) lastOver() (run int64, err error) {
	last, err := p.first("runs", "run", "> 0", "run DESC")
	if err != nil || last == "" {
		return 0, err
	}
	running := ""
	err = p.query(`SELECT run FROM runs WHERE workspace = :workspace AND run > :run AND state = 'running' ORDER BY run LIMIT 1`,
		func(row []any) error {
			running = fmt.Sprint(row[0])
			return nil
		}, sql.Named("run", p.was.Run))
	if err != nil {
		return 0, err
	}
	if running != "" {
		run, err = strconv.ParseInt(running, 10, 64)
		return run - 1, err
	}
	return strconv.ParseInt(last, 10, 64)
}

// partition writes one file anew. It reports whether the file is another one now.
func (x *exporter) partition(p *planner, one partition) (replaced bool, err error) {
	temp, err := x.tempFile()
	if err != nil {
		return false, err
	}
	defer os.Remove(temp.Name()) // gone when all went well
	defer temp.Close()
	file, err := p.write(one, temp)
	if err != nil {
		return false, err
	}
	path := one.path(x.o.Dir)
	if file.Rows == 0 {
		delete(p.now.Files[one.table.name], one.key)
		return false, x.remove(path)
	}
	p.now.Files[one.table.name][one.key] = file
	if same, err := sameContent(path, temp, file.Bytes); err != nil || same {
		return false, err
	}
	if err := temp.Close(); err != nil {
		return false, err
	}
	x.result.FilesWritten++
	x.result.RowsWritten += file.Rows
	x.result.BytesWritten += file.Bytes
	return true, x.rename(temp.Name(), path)
}

// write writes the rows of a partition to a file, and reads it back.
func (p *planner) write(one partition, temp *os.File) (file fileState, err error) {
	from, until, err := one.bounds()
	if err != nil {
		return file, err
	}
	w, open, at := newFileWriter(one.table, temp), &digest{}, -1
	if one.table.open != "" {
		at = one.table.position(one.table.open)
	}
	var params []sql.NamedArg
	if one.table.period != whole {
		params = []sql.NamedArg{sql.Named("from", from), sql.Named("until", until)}
	}
	err = p.query(one.table.query(), func(row []any) error {
		if at >= 0 && row[at] == nil {
			open.add(row)
		}
		return w.write(row)
	}, params...)
	if err != nil {
		return file, err
	}
	if err := w.close(); err != nil {
		return file, err
	}
	info, err := temp.Stat()
	if err != nil {
		return file, err
	}
	return fileState{Rows: w.rows, Bytes: info.Size(), Open: open.String()}, readBack(temp, w.rows)
}

// sameContent reports whether the file at the path is, byte for byte, the one that was
// written.
func sameContent(path string, temp *os.File, size int64) (bool, error) {
	old, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer old.Close()
	if info, err := old.Stat(); err != nil || info.Size() != size {
		return false, err
	}
	const part = 1 << 20
	a, b := make([]byte, part), make([]byte, part)
	for at := int64(0); at < size; at += part {
		n, m := min(part, size-at), int64(0)
		if _, err := io.ReadFull(old, a[:n]); err != nil {
			return false, err
		}
		if m, err := temp.ReadAt(b[:n], at); err != nil && m < int(n) {
			return false, err
		}
		if m = n; !bytes.Equal(a[:m], b[:m]) {
			return false, nil
		}
	}
	return true, nil
}

// tempFile makes a file of which no reader takes notice.
func (x *exporter) tempFile() (*os.File, error) {
	dir := filepath.Join(x.o.Dir, tempName)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	x.temps++
	return os.OpenFile(filepath.Join(dir, fmt.Sprint(x.temps)), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
}

// rename gives a file that is on the disk its name. The umask of the user narrows who may
// read it.
func (x *exporter) rename(temp, path string) error {
	folder := filepath.Dir(path)
	if err := x.makeFolder(folder); err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		return err
	}
	return x.o.SyncDir(folder)
}

// makeFolder makes a folder below the directory, and those above it, unless they are there.
func (x *exporter) makeFolder(folder string) error {
	err := os.Mkdir(folder, 0o777)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		if err := x.makeFolder(filepath.Dir(folder)); err != nil {
			return err
		}
		err = os.Mkdir(folder, 0o777)
	}
	if err != nil {
		return err
	}
	return x.o.SyncDir(filepath.Dir(folder))
}

// remove removes a file of which no rows are left, and its folder.
func (x *exporter) remove(path string) error {
	err := os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	x.result.FilesRemoved++
	os.Remove(filepath.Dir(path)) // stays if something else is in it
	return nil
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
