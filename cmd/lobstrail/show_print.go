package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

const (
	shownChanges = 5                  // of `show`, rows
	shownPeriod  = 7 * 24 * time.Hour // of the peaks of limits
)

// printShow writes what people read of an account: its properties, its limits, its
// last changes, and its document if they ask for it.
func (a *app) printShow(ctx context.Context, s store.Store, account store.AccountState, o showOptions, at time.Time) error {
	warning, err := a.warnStale(ctx, s, at)
	if err != nil {
		return err
	}
	if at.IsZero() {
		at = a.env.now()
	}
	limits, err := a.limitsOf(ctx, s, account, at)
	if err != nil {
		return err
	}
	changes, err := a.lastChanges(ctx, s, account.ID, at)
	if err != nil {
		return err
	}
	if warning != "" {
		if err := render.Paragraph(a.env.stdout, a.options(), warning+"\n"); err != nil {
			return err
		}
	}
	pairs := slices.DeleteFunc(showPairs(account), func(p render.Pair) bool {
		return p.Key == "document" || p.Key == "unlisted_since" && account.UnlistedSince.IsZero()
	})
	if err := render.Object(a.env.stdout, a.options(), nil, pairs...); err != nil {
		return err
	}
	if _, err := io.WriteString(a.env.stdout, "\n"); err != nil {
		return err
	}
	out, err := render.NewReport(a.env.stdout, a.options())
	if err != nil {
		return err
	}
	for _, part := range []section{limits, changes} {
		if err := part.writeTo(out.Section(part.title, part.columns...)); err != nil {
			return err
		}
	}
	if err := out.Close(a.zoneNote()); err != nil || !o.document && !o.icon {
		return err
	}
	return a.printDocument(account.Document)
}

// limitsOf are the limits of an account, with their peaks in the last days before a
// moment.
func (a *app) limitsOf(ctx context.Context, s store.Store, account store.AccountState, at time.Time) (section, error) {
	since, until := at.Add(-shownPeriod), at.Add(time.Millisecond) // what was noticed at the moment belongs to it
	uses, err := store.Collect(s.Usage(ctx, store.PeriodQuery{Workspace: a.workspace, Account: account.ID, Since: since, Until: until}))
	if err != nil {
		return section{}, err
	}
	all := limitRows(&report.LimitSection{Limits: report.NewLimits(uses, []store.AccountState{account}, since, until)})
	title := "Limits, with the peak of the last " + render.Duration(shownPeriod)
	return section{title: title, columns: all.columns[2:], footer: all.footer,
		rows: func(yield func(func() any, func() []render.Cell) bool) {
			for value, cells := range all.rows {
				if !yield(value, func() []render.Cell { return cells()[2:] }) { // without id and name of the account
					return
				}
			}
		}}, nil
}

// lastChanges are the newest rows of the changes of an account up to a moment.
func (a *app) lastChanges(ctx context.Context, s store.Store, id string, at time.Time) (section, error) {
	rows, err := store.Collect(a.changeRows(s.Changes(ctx, store.ChangeQuery{Workspace: a.workspace, Account: id, Until: at})))
	if err != nil {
		return section{}, err
	}
	last := rows[max(0, len(rows)-shownChanges):]
	// Everything is about one account: its name says nothing.
	name := slices.IndexFunc(changeColumns, func(c render.Column) bool { return c.Key == "username" })
	columns := slices.Delete(slices.Clone(changeColumns), name, name+1)
	return section{
		title: "Last changes", columns: columns,
		rows: rowsFrom(last, func(row changeRow) []render.Cell { return slices.Delete(a.changeCells(row), name, name+1) }),
		footer: func(int) string {
			if len(last) == len(rows) {
				return ""
			}
			return fmt.Sprintf(`"lobstrail changes --account %s" lists all %d.`, shortID(id), len(rows))
		},
	}, nil
}

// printDocument writes the account object, indented; in Markdown as a block of code.
func (a *app) printDocument(document json.RawMessage) error {
	before, after := "\nDocument\n", ""
	if render.Format(a.format) == render.Markdown {
		before, after = "\n## Document\n\n```json\n", "```\n"
	}
	if document == nil {
		document = json.RawMessage("null")
	}
	if _, err := io.WriteString(a.env.stdout, before); err != nil {
		return err
	}
	if err := render.Object(a.env.stdout, render.Options{Format: render.JSON}, document); err != nil {
		return err
	}
	_, err := io.WriteString(a.env.stdout, after)
	return err
}
