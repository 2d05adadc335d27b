package render

import (
	"strconv"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// Column describes one column of a table, of CSV and of Markdown.
type Column struct {
	// Title heads the column for people; a column without one is left out of
	// tables and Markdown.
	Title string
	// Key heads the column in CSV, in snake_case; a column without one is left
	// out of CSV.
	Key string
	// Right aligns numbers.
	Right bool
	// Flexible columns give way when a table is too wide, those with the highest
	// number first, down to Least. The others (0) are never cut.
	Flexible int
	// Least is how many columns of the terminal a flexible column keeps; 0 is 12.
	Least int
	// Drop lets the column be left out of a table that is too wide, those with the
	// highest number first and before any flexible column gets narrower than its
	// least width. 0 is never.
	Drop int
	// Value is what one row has here, for those who call Values.
	Value Cell
}

// Values are the values of columns. Where the code that makes a row writes each value
// beside its column, they are the cells of the row.
func Values(columns []Column) []Cell {
	cells := make([]Cell, len(columns))
	for i, c := range columns {
		cells[i] = c.Value
	}
	return cells
}

// Cell is one value of a row. The zero Cell is empty.
type Cell struct {
	kind   cellKind
	text   string // for people
	exact  string // for CSV
	window store.Window
	health store.Health
	strip  []Mark
}

type cellKind int

const (
	textKind   cellKind = iota // text and exact
	timeKind                   // window.After
	windowKind                 // window
	stripKind                  // strip
)

// TextCell is a text, the same in every format. It need not be clean.
func TextCell(s string) Cell { return Cell{text: s, exact: s} }

// IntCell is a number.
func IntCell[N ~int | ~int32 | ~int64](n N) Cell { return TextCell(strconv.FormatInt(int64(n), 10)) }

// HealthCell is a health, in its colour.
func HealthCell(h store.Health) Cell { return TextCell(string(h)).In(h) }

// TimeCell is an instant: as [Time] for people, as [Stamp] in CSV.
func TimeCell(t time.Time) Cell { return Cell{kind: timeKind, window: store.Window{After: t}} }

// WindowCell is the window of a change: as [Window] for people, as an ISO 8601
// interval (both ends as [Stamp], a slash between, ".." for an unknown one) in
// CSV. Two columns without titles serve CSV better.
func WindowCell(w store.Window) Cell { return Cell{kind: windowKind, window: w} }

// DurationCell is a span: as [Duration] for people, in seconds in CSV.
func DurationCell(d time.Duration) Cell {
	return Cell{text: Duration(d), exact: strconv.FormatFloat(d.Seconds(), 'f', -1, 64)}
}

// In gives a cell the colour of a health.
func (c Cell) In(h store.Health) Cell {
	c.health = h
	return c
}

// Exact gives a text cell another text in CSV.
func (c Cell) Exact(s string) Cell {
	c.exact = s
	return c
}

func (c Cell) forPeople(zone *time.Location) string {
	switch c.kind {
	case timeKind:
		return Time(c.window.After, zone)
	case windowKind:
		return Window(c.window, zone)
	case stripKind:
		return letters(c.strip)
	}
	return c.text
}

func (c Cell) forPrograms() string {
	switch c.kind {
	case timeKind:
		return Stamp(c.window.After)
	case windowKind:
		return interval(c.window)
	}
	return c.exact
}
