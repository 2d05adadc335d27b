package render

import "slices"

const (
	gap           = 2  // spaces between two columns
	flexibleFloor = 10 // flexible columns give way down to this, then the others do
	anyFloor      = 6
	// Without a terminal nothing is cut, but a column is not made wider than this
	// for the sake of a few long cells: they stand out instead.
	widestColumn = 100
)

// fit narrows columns of the given natural widths so that a line of them takes at
// most limit columns of the terminal (0: no limit, see widestColumn). Where even the narrowest
// columns do not fit, the rightmost are left out: the answer may be shorter.
func fit(natural []int, columns []Column, limit int) []int {
	widths := slices.Clone(natural)
	if limit <= 0 {
		for i := range widths {
			widths[i] = min(widths[i], widestColumn)
		}
		return widths
	}
	if most := (limit + gap) / (1 + gap); len(widths) > most {
		widths = widths[:most]
	}
	excess := lineWidth(widths) - limit
	for _, priority := range priorities(columns[:len(widths)]) {
		excess = narrow(widths, flexibleFloor, excess, func(i int) bool { return columns[i].Flexible == priority })
	}
	for _, floor := range []int{anyFloor, 1} {
		excess = narrow(widths, floor, excess, func(int) bool { return true })
	}
	return widths
}

func lineWidth(widths []int) int {
	sum := gap * (len(widths) - 1)
	for _, w := range widths {
		sum += w
	}
	return sum
}

// priorities lists the distinct priorities of flexible columns, highest first.
func priorities(columns []Column) []int {
	var list []int
	for _, column := range columns {
		if column.Flexible > 0 && !slices.Contains(list, column.Flexible) {
			list = append(list, column.Flexible)
		}
	}
	slices.Sort(list)
	slices.Reverse(list)
	return list
}

// narrow takes from the widest of the chosen columns, one by one, until nothing
// is in excess or none is wider than the floor. It returns the excess left.
func narrow(widths []int, floor, excess int, chosen func(i int) bool) int {
	for ; excess > 0; excess-- {
		widest := -1
		for i, w := range widths {
			if chosen(i) && w > floor && (widest < 0 || w > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			break
		}
		widths[widest]--
	}
	return excess
}
