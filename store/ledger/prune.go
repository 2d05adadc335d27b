package ledger

import (
	"fmt"
	"strconv"
	"strings"
)

// Keep is what a prune was told to keep of the snapshots that show nothing new.
// Counts are of the last hours, days, weeks and months that have any; -1 is all.
type Keep struct {
	WithinMS                       int64
	Hourly, Daily, Weekly, Monthly int64
}

// Prune is that snapshots were thinned out, in one transaction. A [Thinning] of
// each response follows.
type Prune struct {
	Workspace            string
	At                   int64
	Keep                 Keep
	Responses, Snapshots int64 // thinned out by this transaction
}

const pruneFormat = "prune workspace %q at %s within %d hourly %d daily %d weekly %d monthly %d responses %d snapshots %d"

// Line is "prune", and what was done.
func (p Prune) Line() string {
	return fmt.Sprintf(pruneFormat, p.Workspace, instant(p.At), p.Keep.WithinMS, p.Keep.Hourly, p.Keep.Daily,
		p.Keep.Weekly, p.Keep.Monthly, p.Responses, p.Snapshots)
}

// ParsePrune is the inverse of Line.
func ParsePrune(line string) (p Prune, err error) {
	var at string
	_, err = fmt.Sscanf(line, pruneFormat, &p.Workspace, &at, &p.Keep.WithinMS, &p.Keep.Hourly, &p.Keep.Daily,
		&p.Keep.Weekly, &p.Keep.Monthly, &p.Responses, &p.Snapshots)
	if err == nil {
		p.At, err = parseInstant(at)
	}
	if err != nil || p.Line() != line {
		return Prune{}, fmt.Errorf("not the line of a prune: %.40q", line)
	}
	return p, nil
}

// Leaves are the leaves of a page from the first to the last.
type Leaves struct{ First, Last int64 }

// Thinning is which snapshots of a response are thinned out after a prune, those of
// earlier prunes among them: the last one of a response tells which rows are
// missing. Their digests are in the root that the line of the response has.
type Thinning struct {
	Response int64
	Gone     []Leaves // ascending, and as few as there can be
}

// Line is "thinned", the number of the response and the numbers of the leaves, the
// first is 0: "thinned 812 0-36,38".
func (t Thinning) Line() string {
	text := append(make([]byte, 0, 64), "thinned "...)
	text = strconv.AppendInt(text, t.Response, 10)
	for i, g := range t.Gone {
		text = append(text, " ,"[min(i, 1)])
		text = strconv.AppendInt(text, g.First, 10)
		if g.Last > g.First {
			text = strconv.AppendInt(append(text, '-'), g.Last, 10)
		}
	}
	return string(text)
}

// ParseThinning is the inverse of Line.
func ParseThinning(line string) (t Thinning, err error) {
	words := strings.Split(line, " ")
	if len(words) == 3 && words[0] == "thinned" {
		t.Response, err = strconv.ParseInt(words[1], 10, 64)
		for part := range strings.SplitSeq(words[2], ",") {
			var g Leaves
			first, last, isRange := strings.Cut(part, "-")
			if !isRange {
				last = first
			}
			if g.First, err = strconv.ParseInt(first, 10, 64); err == nil {
				g.Last, err = strconv.ParseInt(last, 10, 64)
			}
			if n := len(t.Gone); err != nil || g.Last < g.First || n > 0 && g.First < t.Gone[n-1].Last+2 {
				break
			}
			t.Gone = append(t.Gone, g)
		}
	}
	if len(t.Gone) == 0 || err != nil || t.Line() != line {
		return Thinning{}, fmt.Errorf("not the line of a thinning: %.40q", line)
	}
	return t, nil
}

// Gone are the leaves that are thinned out when those of these numbers are too; see
// [Page.Thin].
func (p *Page) Gone(drop func(leaf int64) bool) (gone []Leaves) {
	next := int64(0)
	stays := func(leaf int64) {
		if leaf > next {
			gone = append(gone, Leaves{next, leaf - 1})
		}
		next = leaf + 1
	}
	for _, leaf := range p.there {
		if !drop(leaf) {
			stays(leaf)
		}
	}
	stays(p.size)
	return gone
}
