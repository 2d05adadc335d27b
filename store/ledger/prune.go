package ledger

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Keep is what a prune was told to keep of the responses that show nothing new.
// Counts are of the last hours, days, weeks and months that have any; -1 is all.
type Keep struct {
	WithinMS                       int64
	Hourly, Daily, Weekly, Monthly int64
}

// Prune is that responses were dropped, in one transaction: all of those that the
// entries of Entries name, whose texts are dropped too, and those of Responses.
type Prune struct {
	At        int64
	Keep      Keep
	Snapshots int64   // that the dropped responses showed
	Entries   []Range // numbers of entries
	Responses []Range // instants of responses of which other lines of their entries stay
}

// Range is the numbers from the first to the last.
type Range struct{ First, Last int64 }

const pruneFormat = "prune %d within %d hourly %d daily %d weekly %d monthly %d snapshots %d entries %s responses %s"

// Line is "prune" and when it was, and what was dropped.
func (p Prune) Line() string {
	return fmt.Sprintf(pruneFormat, p.At, p.Keep.WithinMS, p.Keep.Hourly, p.Keep.Daily, p.Keep.Weekly, p.Keep.Monthly,
		p.Snapshots, formatRanges(p.Entries), formatRanges(p.Responses))
}

// ParsePrune is the inverse of Line.
func ParsePrune(line string) (p Prune, err error) {
	var entries, responses string
	_, err = fmt.Sscanf(line, pruneFormat, &p.At, &p.Keep.WithinMS, &p.Keep.Hourly, &p.Keep.Daily, &p.Keep.Weekly,
		&p.Keep.Monthly, &p.Snapshots, &entries, &responses)
	if err == nil {
		p.Entries, err = parseRanges(entries)
	}
	if err == nil {
		p.Responses, err = parseRanges(responses)
	}
	if err != nil || p.Line() != line {
		return Prune{}, fmt.Errorf("not the line of a prune: %.40q", line)
	}
	return p, nil
}

// Ranges joins numbers, which ascend, into as few ranges as there can be.
func Ranges(numbers []int64) (all []Range) {
	for _, n := range numbers {
		if last := len(all) - 1; last >= 0 && all[last].Last+1 == n {
			all[last].Last = n
			continue
		}
		all = append(all, Range{n, n})
	}
	return all
}

// Contains reports whether a number is in one of the ranges, which ascend.
func Contains(ranges []Range, n int64) bool {
	_, found := slices.BinarySearchFunc(ranges, n, func(r Range, n int64) int {
		switch {
		case r.Last < n:
			return -1
		case r.First > n:
			return 1
		}
		return 0
	})
	return found
}

// formatRanges writes ranges as in "1-36,38"; "-" for none.
func formatRanges(all []Range) string {
	if len(all) == 0 {
		return none
	}
	var text []byte
	for i, r := range all {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendInt(text, r.First, 10)
		if r.Last > r.First {
			text = strconv.AppendInt(append(text, '-'), r.Last, 10)
		}
	}
	return string(text)
}

// parseRanges is the inverse of formatRanges.
func parseRanges(text string) (all []Range, err error) {
	if text == none {
		return nil, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		var r Range
		if r.First, err = strconv.ParseInt(first, 10, 64); err == nil {
			r.Last, err = strconv.ParseInt(last, 10, 64)
		}
		if n := len(all); err != nil || r.Last < r.First || n > 0 && r.First < all[n-1].Last+2 {
			return nil, fmt.Errorf("not ranges: %.40q", text)
		}
		all = append(all, r)
	}
	return all, nil
}
