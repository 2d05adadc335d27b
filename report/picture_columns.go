package report

import (
	"slices"

	"github.com/lobstrail/lobstrail/store"
)

// Column is what a timeline says of one of the equal parts of its period.
type Column struct {
	// Health is the worst that was possible at some time of the part; "" when the
	// account was not watched in any of it.
	Health store.Health
	// Certain says that the account was in that health at some time of the part,
	// and not only may have been.
	Certain bool
}

// Columns parts the timeline into n columns: what a terminal can show of it.
func (t Timeline) Columns(n int) []Column {
	if len(t.Segments) == 0 || n <= 0 {
		return nil
	}
	columns := make([]Column, n)
	since := t.Segments[0].From
	length := t.Segments[len(t.Segments)-1].To.Sub(since)
	for _, s := range t.Segments {
		if len(s.Healths) == 0 {
			continue
		}
		first := int(float64(s.From.Sub(since)) / float64(length) * float64(n))
		last := int(float64(s.To.Sub(since)) / float64(length) * float64(n))
		if float64(last)*float64(length) >= float64(s.To.Sub(since))*float64(n) && last > first {
			last-- // it ends where the column begins
		}
		for i := first; i <= min(last, n-1); i++ {
			columns[i].see(s)
		}
	}
	return columns
}

// see takes in a segment that touches the column.
func (c *Column) see(s Segment) {
	worst, certain := s.Healths[0], len(s.Healths) == 1
	switch {
	case c.Health == worst:
		c.Certain = c.Certain || certain
	case c.Health == "" || compareHealth(worst, c.Health) < 0:
		c.Health, c.Certain = worst, certain
	}
}

// NewSparklines answers the columns of the last part of the life of each account,
// by id. Steps are those of the period, as [Input] has them.
func NewSparklines(accounts []store.AccountState, in Input, columns int) map[string][]Column {
	in.Accounts, in.Sections = accounts, Sections{Status: true}
	lines := make(map[string][]Column, len(accounts))
	for _, a := range in.status().Accounts {
		lines[a.ID] = slices.Clip(a.Timeline.Columns(columns))
	}
	return lines
}
