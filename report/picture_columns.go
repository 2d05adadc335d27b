package report

import (
	"slices"
	"time"

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

// NewSparkline returns the columns of a period of the life of an account. Steps are
// its own, as [Life] has them.
func NewSparkline(a store.AccountState, steps []store.StatusStep, since, until time.Time, n int) []Column {
	life := Life{Steps: steps, Health: a.Facts.Health, FirstSeen: a.FirstSeen, LastSeen: a.SeenAt}
	return NewTimeline(life, since, until).Columns(n)
}

// Troubled are the accounts that were, or may have been, anything but healthy in
// the period, what matters first.
func (s *StatusSection) Troubled() []AccountTimeJSON {
	var rows []AccountRow
	for _, a := range s.Accounts {
		if row := (AccountRow{AccountTimeJSON: a}); !row.steady() {
			rows = append(rows, row)
		}
	}
	slices.SortStableFunc(rows, compareRows)
	troubled := make([]AccountTimeJSON, len(rows))
	for i, row := range rows {
		troubled[i] = row.AccountTimeJSON
	}
	return troubled
}
