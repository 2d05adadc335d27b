package verify

import (
	"errors"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/fold"
	"github.com/lobstrail/lobstrail/store/ledger"
)

// Done is what was checked.
type Done struct {
	Tree                          tlog.Tree
	Responses, Snapshots, Changed int64
	Versions                      int64
	Redactions                    []ledger.Redaction
}

// check is the check of a workspace while it runs.
type check struct {
	rows    Rows
	options Options
	log     *logReader
	derived *derived
	rules   map[int64]int64 // by run
	line    ledger.Response // the next that the log names
	done    Done
}

// Check checks a workspace. An error means that the check could not be brought to its
// end for another reason than the rows: those are findings.
func Check(rows Rows, o Options) (Done, error) {
	c := &check{rows: rows, options: o}
	var err error
	if c.log, err = c.newLogReader(); err != nil {
		return c.done, c.damage(err)
	}
	defer c.log.stop()
	if c.derived, err = c.newDerived(); err != nil {
		return c.done, c.damage(err)
	}
	defer c.derived.stop()
	c.rules = map[int64]int64{}
	for run, err := range rows.Runs {
		if err != nil {
			return c.done, c.damage(err)
		}
		c.rules[run.Run] = run.Rules
	}
	evidence := rows.Evidence
	evidence.Responses = c.logged
	known, err := fold.Replay(evidence, o.Rules, c.response)
	if err == nil {
		return c.done, c.end(known)
	}
	return c.done, c.damage(err)
}

// damage finds what an error says of a row that cannot be what was written. Any other
// error is returned.
func (c *check) damage(err error) error {
	row, known := errors.AsType[*fold.RowError](err)
	switch {
	case known:
		c.find(row.Table, row.Row, "%s", row.Problem)
	case errors.Is(err, errBroken):
	case errors.As(err, new(*EngineError)):
		return err
	default:
		c.find("response", "", "the evidence cannot be followed further: %v", err)
	}
	return nil
}

// EngineError is an error of an engine that could not read rows.
type EngineError struct{ Err error }

// Error is that of the engine.
func (e *EngineError) Error() string { return e.Err.Error() }

// Unwrap is the error of the engine.
func (e *EngineError) Unwrap() error { return e.Err }

func (c *check) find(table string, row any, problem string, args ...any) {
	c.options.Find(table, row, problem, args...)
}

// logged are the responses, each of which must be the next one that the log names.
func (c *check) logged(yield func(fold.Response, error) bool) {
	var err error
	for stored, rowErr := range c.rows.Evidence.Responses {
		if err = rowErr; err == nil {
			err = c.nextLine(stored)
		}
		if !yield(stored, err) || err != nil {
			return
		}
	}
	line, more, err := c.log.response()
	if more {
		c.find("response", line.At, "it is missing: entry %d names it", c.log.entry)
		err = errBroken
	}
	if err != nil {
		yield(fold.Response{}, err)
	}
}

func (c *check) nextLine(stored fold.Response) (err error) {
	var ok bool
	switch c.line, ok, err = c.log.response(); {
	case err != nil:
		return err
	case !ok || c.line.At > stored.At:
		c.find("response", stored.At, "no entry names it")
		return errBroken
	case c.line.At < stored.At:
		c.find("response", c.line.At, "it is missing: entry %d names it", c.log.entry)
		return errBroken
	}
	logged := responseOf(c.line)
	logged.At, logged.News, logged.Root = stored.At, stored.News, stored.Root // which are not in the line, or compared elsewhere
	if same(stored, logged) {
		return nil
	}
	if problem := difference(lineOf(stored), lineOf(logged)); problem != "" {
		c.find("response", stored.At, "it is not what entry %d says: %s", c.log.entry, problem)
	}
	return nil
}

// same reports whether two responses are the same in everything.
func same(a, b fold.Response) bool {
	if !equal(a.Server, b.Server) {
		return false
	}
	a.Server, b.Server = nil, nil
	return a == b
}

// response compares what a response showed with the log, and what follows from it with
// its rows.
func (c *check) response(stored fold.Response, d *fold.Delta) (err error) {
	if d.Response.Root != c.line.Root {
		c.find("response", stored.At, "what it showed is not what entry %d says: the tree over the snapshots has the root %v, and not %v",
			c.log.entry, d.Response.Root, c.line.Root)
	}
	c.done.Responses++
	c.done.Snapshots += stored.Shown
	c.done.Changed += stored.Changed
	if c.options.Progress != nil {
		c.options.Progress(c.done.Responses)
	}
	if c.options.WithoutDerived {
		return nil
	}
	err = c.derived.response(stored.At, d)
	c.compareCounts(stored, d)
	return err
}

// compareCounts compares the counts of a response with those of what it showed. Which
// versions began was decided by the rules of the run, and is compared if those are at
// hand. Of accounts that were redacted it is not known; of how many there was news, only
// that there was some where rows about them are left.
func (c *check) compareCounts(stored fold.Response, d *fold.Delta) {
	counted := d.Response
	if d.Done.Withheld > 0 {
		counted.Absent, counted.Gone = stored.Absent, stored.Gone
	}
	if d.Done.Withheld > 0 || c.rules[stored.Run] != int64(c.options.Rules.Version) {
		counted.Changed = stored.Changed
	}
	for account := range c.derived.hidden {
		if !d.News[account] {
			counted.News++
		}
	}
	most := d.Response.News
	if len(c.rows.Redacted) > 0 {
		for _, s := range d.Shown {
			if len(s.Account.Salt) == 0 && !d.News[s.Account.Number] {
				most++
			}
		}
	}
	if counted.News <= stored.News && stored.News <= most {
		counted.News = stored.News
	}
	counted.Root = stored.Root // which is compared with the log
	if same(stored, counted) {
		return
	}
	if problem := difference(countsOf(stored), countsOf(counted)); problem != "" {
		c.find("response", stored.At, "its counts are not those of what it showed: %s", problem)
	}
}

// lineOf is what the line of a response says, but for the root.
func lineOf(r fold.Response) []field {
	return []field{
		{"source", string(r.Source)}, {"slot", r.Slot}, {"run", r.Run}, {"sent_at", r.Sent}, {"held_ms", r.HeldMS}, {"server_at", r.Server},
		{"shown", r.Shown}, {"changed", r.Changed}, {"absent", r.Absent}, {"gone", r.Gone},
	}
}

func responseOf(r ledger.Response) fold.Response {
	return fold.Response{
		Source: store.Source(r.Source), Slot: r.Page, Run: r.Run, Sent: r.Sent, HeldMS: r.HeldMS, Server: r.Server,
		Shown: r.Shown, Changed: r.Changed, Absent: r.Absent, Gone: r.Gone,
	}
}

func countsOf(r fold.Response) []field {
	return []field{
		{"held_ms", r.HeldMS}, {"sent_at", r.Sent}, {"shown", r.Shown}, {"changed", r.Changed}, {"absent", r.Absent}, {"gone", r.Gone},
		{"news", r.News}, {"run", r.Run},
	}
}

// end looks at what is left when all responses were taken.
func (c *check) end(known *fold.Workspace) error {
	for size := range c.options.Trees {
		if size > c.log.tree.Size {
			c.find("entry", "", "%v: the log has %d entries, the checkpoint %d", store.ErrRewritten, c.log.tree.Size, size)
		}
	}
	root, err := c.log.tree.Root()
	if err != nil {
		return err
	}
	c.done.Tree, c.done.Redactions = tlog.Tree{N: c.log.tree.Size, Hash: root}, c.log.redacted
	parts := []func(*fold.Workspace) error{c.compareRuns, c.compareFailures, c.compareAbsences}
	if !c.options.WithoutDerived {
		c.done.Versions = c.derived.versions
		parts = append(parts, c.derived.end, c.compareStates)
	}
	for _, part := range parts {
		if err := part(known); err != nil {
			if err = c.damage(err); err != nil {
				return err
			}
		}
	}
	return nil
}
