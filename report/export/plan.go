package export

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// planner finds the partitions of a workspace that may differ from their files. Those are
// written anew:
//
//   - of every table, the periods from that of the newest snapshot of the last export on:
//     a history grows at its end;
//   - of versions, those whose open rows are other ones now, or no longer open; of runs,
//     those of runs that were not over;
//   - all of accounts and assignments, whose names are the current ones;
//   - all but snapshots when an account was redacted since;
//   - everything when other rules made the changes, or with All;
//   - files that are missing or have another size than they had.
type planner struct {
	ctx       context.Context
	reader    store.Reader
	workspace string
	was, now  *workspaceState
	options   *Options
	files     map[partition]int64 // that are there, of the workspace
	wanted    map[partition]bool
	order     []partition // those wanted
	stale     []partition // files to be removed: nothing says how old they are
}

func (p *planner) add(t *table, key string) {
	one := partition{t, p.was.Folder, key}
	if p.beforeFrom(one) || p.wanted[one] {
		return
	}
	p.wanted[one] = true
	p.order = append(p.order, one)
}

// beforeFrom reports whether all of a period is before what is exported at all.
func (p *planner) beforeFrom(one partition) bool {
	_, until, err := one.bounds()
	return err == nil && until != "" && until <= p.now.From
}

// plan lists the partitions to be written, the first table first.
func (p *planner) plan() ([]partition, error) {
	everything := p.options.All || p.was.Layout != layout || p.was.Rules != p.now.Rules
	since, changed := p.was.Until, p.was.LogSize != p.now.LogSize
	if given := p.options.since(); given != "" && given <= since {
		since, changed = given, true
	}
	if everything {
		since, changed = "", true
	}
	for _, t := range tables {
		if changed {
			from := since
			if t.looked || t.name != "snapshots" && p.was.Redacted != p.now.Redacted {
				from = ""
			}
			if err := p.grown(t, from); err != nil {
				return nil, err
			}
		}
		for key, file := range p.was.Files[t.name] {
			one := partition{t, p.was.Folder, key}
			if size, there := p.files[one]; !there || size != file.Bytes {
				p.add(t, key)
			}
		}
	}
	for one := range p.files { // left by an export that was killed
		if _, known := p.was.Files[one.table.name][one.key]; known {
			continue
		}
		if p.beforeFrom(one) {
			p.stale = append(p.stale, one)
		}
		p.add(one.table, one.key)
	}
	return p.order, nil
}

// grown adds the partitions of a table from that of an instant on, and those before it
// that may have changed.
func (p *planner) grown(t *table, from string) error {
	if t.period == whole {
		p.add(t, "")
		return nil
	}
	if err := p.periods(t, max(from, p.now.From)); err != nil {
		return err
	}
	switch {
	case t.open != "":
		return p.openPeriods(t)
	case t.name == "runs":
		return p.query(`SELECT DISTINCT substr(started_at, 1, 7) FROM runs WHERE workspace = :workspace AND run > :run ORDER BY 1`,
			func(row []any) error {
				key, err := t.keyOf(fmt.Sprint(row[0]))
				p.add(t, key)
				return err
			}, sql.Named("run", p.was.Run))
	}
	return nil
}

// periods adds those from that of an instant on that have rows, or had. It asks for the first
// row of each: to list the days of ten million snapshots would take as long as to read them.
func (p *planner) periods(t *table, from string) error {
	begin := ""
	if from != "" {
		key, err := t.keyOf(from)
		if err != nil {
			return err
		}
		begin = key
		if from, _, err = (partition{table: t, key: key}).bounds(); err != nil {
			return err
		}
	}
	for key := range p.was.Files[t.name] {
		if key >= begin { // all of its rows may be gone
			p.add(t, key)
		}
	}
	for {
		at, err := p.first(t.view, t.at, ">= :from", t.at, sql.Named("from", from))
		if err != nil || at == "" {
			return err
		}
		key, err := t.keyOf(at)
		if err != nil {
			return err
		}
		p.add(t, key)
		if _, from, err = (partition{table: t, key: key}).bounds(); err != nil {
			return err
		}
	}
}

// openPeriods adds those whose open rows are not those of the last export.
func (p *planner) openPeriods(t *table) error {
	open := map[string]*digest{}
	err := p.query("SELECT "+t.selected()+" FROM "+t.view+" WHERE workspace = :workspace AND "+t.open+" IS NULL", func(row []any) error {
		key, err := t.keyOf(fmt.Sprint(row[t.position(t.at)]))
		if err != nil {
			return err
		}
		if open[key] == nil {
			open[key] = &digest{}
		}
		open[key].add(row)
		return nil
	})
	for key, file := range p.was.Files[t.name] {
		if file.Open != open[key].String() {
			p.add(t, key)
		}
	}
	for key := range open {
		if _, there := p.was.Files[t.name][key]; !there {
			p.add(t, key)
		}
	}
	return err
}

// first is the text in the first row of a view, by a column; "" if there is no row.
func (p *planner) first(view, column, condition, order string, params ...sql.NamedArg) (found string, err error) {
	err = p.query("SELECT "+column+" FROM "+view+" WHERE workspace = :workspace AND "+column+" "+condition+" ORDER BY "+order+" LIMIT 1",
		func(row []any) error {
			found = fmt.Sprint(row[0])
			return nil
		}, params...)
	return found, err
}

// query calls fn for each row.
func (p *planner) query(text string, fn func(row []any) error, params ...sql.NamedArg) error {
	return p.reader.Query(p.ctx, text, func([]string) error { return nil }, fn, append(params, sql.Named("workspace", p.workspace))...)
}

// digest is one of a set of rows, in whichever order they come.
type digest struct{ sum [sha256.Size]byte }

func (d *digest) add(row []any) {
	for i, b := range sha256.Sum256(fmt.Appendf(nil, "%#v", row)) {
		d.sum[i] ^= b
	}
}

// String is "" for no rows.
func (d *digest) String() string {
	if d == nil || d.sum == [sha256.Size]byte{} {
		return ""
	}
	return hex.EncodeToString(d.sum[:16])
}

// since is the instant of the option as the views write it; "" if it was not given.
func (o *Options) since() string {
	if o.Since.IsZero() {
		return ""
	}
	return writeInstant(o.Since.Truncate(time.Millisecond))
}
