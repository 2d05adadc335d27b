package render

import (
	"cmp"
	"slices"
)

const (
	gap       = 2  // spaces between two columns
	leastWide = 12 // what a flexible column keeps where it does not say otherwise
	// Without a terminal nothing is cut, but a column is not made wider than this
	// for the sake of a few long cells: they stand out instead.
	widestColumn = 100
)

// layout is how a table is put on a terminal.
type layout struct {
	shown  []int // indexes of the columns that are shown
	widths []int // of those columns
	// stacked: not even the columns that may not be dropped fit side by side. Each row
	// is a block with a line for every column.
	stacked bool
}

// fit lays out columns of the given natural widths so that a line of them takes at
// most limit columns of the terminal (0: no limit, see widestColumn). Columns that
// may be dropped are, those with the highest number first, until the others keep
// at least their least width; then flexible columns give way.
func fit(natural []int, columns []Column, limit int) layout {
	var l layout
	all := make([]int, len(natural))
	for i := range all {
		all[i] = i
	}
	l.shown = slices.Clone(all)
	if limit <= 0 {
		for _, width := range natural {
			l.widths = append(l.widths, min(width, widestColumn))
		}
		return l
	}
	least := leastWidths(natural, columns)
	for lineWidth(pick(least, l.shown)) > limit {
		at := firstToDrop(columns, l.shown)
		if at < 0 {
			return layout{shown: all, stacked: true}
		}
		l.shown = slices.Delete(l.shown, at, at+1)
	}
	l.widths = narrow(natural, least, columns, l.shown, limit)
	return l
}

// leastWidths are the widths at which the columns can still be read. Only flexible
// columns may be narrower than their content, and none than its title.
func leastWidths(natural []int, columns []Column) []int {
	least := slices.Clone(natural)
	for i, column := range columns {
		if column.Flexible > 0 {
			floor := cmp.Or(column.Least, leastWide)
			least[i] = min(natural[i], max(floor, displayWidth(Clean(column.Title))))
		}
	}
	return least
}

// firstToDrop is the place in shown of the column that is dropped next; -1 where none
// may be.
func firstToDrop(columns []Column, shown []int) int {
	place := -1
	for at, i := range shown {
		if columns[i].Drop > 0 && (place < 0 || columns[i].Drop >= columns[shown[place]].Drop) {
			place = at
		}
	}
	return place
}

// narrow takes from flexible columns, those with the highest number first and of
// equals the widest, what is too much for the line. It returns the widths of the
// columns shown.
func narrow(natural, least []int, columns []Column, shown []int, limit int) []int {
	widths := slices.Clone(natural)
	for excess := lineWidth(pick(widths, shown)) - limit; excess > 0; excess-- {
		next := -1
		for _, i := range shown {
			if widths[i] > least[i] && (next < 0 || columns[i].Flexible > columns[next].Flexible ||
				columns[i].Flexible == columns[next].Flexible && widths[i] > widths[next]) {
				next = i
			}
		}
		widths[next]--
	}
	return pick(widths, shown)
}

func pick(widths, shown []int) []int {
	picked := make([]int, len(shown))
	for at, i := range shown {
		picked[at] = widths[i]
	}
	return picked
}

func lineWidth(widths []int) int {
	sum := gap * (len(widths) - 1)
	for _, w := range widths {
		sum += w
	}
	return sum
}
