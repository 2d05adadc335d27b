package export

import (
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"strconv"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
)

// workspace exports one workspace.
func (x *exporter) workspace(name string) error {
	p, err := x.planner(name)
	if err != nil {
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
	if err := x.setState(name, p.now); err != nil {
		return err
	}
	return x.tell(name, p.now, written)
}

// planner looks at a workspace and at what was exported of it.
func (x *exporter) planner(name string) (p *planner, err error) {
	p = &planner{ctx: x.ctx, reader: x.reader, workspace: name, options: &x.o, wanted: map[partition]bool{}}
	p.was = x.state.Workspaces[name]
	if p.was == nil {
		return p, x.claim(p)
	}
	tree, err := p.was.tree()
	if err != nil {
		return nil, err
	}
	err = x.reader.Extends(x.ctx, name, tree)
	if errors.Is(err, store.ErrRewritten) {
		return nil, fmt.Errorf("%w: %s", ErrOther, x.o.Dir)
	}
	if err != nil {
		return nil, err
	}
	p.files = x.filesOf(p.was.Folder)
	p.now, err = p.begin()
	return p, err
}

// claim writes the folder and the log of a workspace that is new here into the state file,
// before its first file is written: they are ours then, also if this export is killed.
func (x *exporter) claim(p *planner) error {
	folder, err := newFolder(p.workspace, x.state.folders())
	if err != nil {
		return err
	}
	p.was = &workspaceState{Folder: folder}
	if p.now, err = p.begin(); err != nil {
		return err
	}
	p.was = &workspaceState{Folder: folder, LogSize: p.now.LogSize, LogRoot: p.now.LogRoot, Redacted: p.now.Redacted}
	return x.setState(p.workspace, p.was)
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

// begin is the state of the workspace as it will be. It is read before the rows: the files
// have at least what it says.
func (p *planner) begin() (*workspaceState, error) {
	tree, err := p.reader.Tree(p.ctx, p.workspace)
	if err != nil {
		return nil, err
	}
	redacted, err := p.reader.Withheld(p.ctx, p.workspace)
	if err != nil {
		return nil, err
	}
	now := &workspaceState{
		Folder: p.was.Folder, LogSize: tree.N, LogRoot: tree.Hash.String(), Layout: layout, Rules: report.Rules().Version,
		Redacted: len(redacted), From: p.from(), Files: map[string]map[string]fileState{},
	}
	for _, t := range tables {
		now.Files[t.name] = map[string]fileState{}
		maps.Copy(now.Files[t.name], p.was.Files[t.name])
	}
	now.Until, err = p.first("snapshots", "taken_at", ">= :from", "taken_at DESC", sql.Named("from", p.was.Until))
	if err != nil {
		return nil, err
	}
	now.Until = max(now.Until, p.was.Until)
	now.Run, err = p.lastOver()
	return now, err
}

// from is the instant from which on periods are exported; "": all.
func (p *planner) from() string {
	given := p.options.since()
	switch {
	case p.options.All:
		return ""
	case given != "" && (p.was.Layout == 0 || given < p.was.From):
		return given
	}
	return p.was.From
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
