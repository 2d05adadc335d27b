package render

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rivo/uniseg"
	"pgregory.net/rapid"
)

func drawText(t *rapid.T) string {
	return rapid.OneOf(rapid.SampledFrom(hostile), rapid.String(), rapid.StringMatching(`[a-z ]{0,30}`)).Draw(t, "text")
}

func drawColumns(t *rapid.T) []Column {
	columns := make([]Column, rapid.IntRange(1, 12).Draw(t, "columns"))
	for i := range columns {
		columns[i] = Column{
			Title:    "T" + drawText(t),
			Key:      fmt.Sprintf("key_%d", i),
			Right:    rapid.Bool().Draw(t, "right"),
			Flexible: rapid.IntRange(0, 3).Draw(t, "flexible"),
			Least:    rapid.IntRange(0, 30).Draw(t, "least"),
			Drop:     rapid.IntRange(0, 2).Draw(t, "drop"),
		}
	}
	return columns
}

func TestTablesFitTheTerminalAndRowsStayRows(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		columns, rows := drawColumns(rt), rapid.IntRange(1, 8).Draw(rt, "rows")
		width := rapid.IntRange(MinWidth, 150).Draw(rt, "width")
		want := [][]string{nil}
		for _, column := range columns {
			want[0] = append(want[0], column.Key)
		}
		cells := make([][]Cell, rows)
		for i := range cells {
			var record []string
			for range columns {
				text := drawText(rt)
				cells[i], record = append(cells[i], TextCell(text)), append(record, Clean(text))
			}
			want = append(want, record)
		}
		fill := func(w *Writer) {
			for _, row := range cells {
				w.Row(nil, row...)
			}
		}
		table := rendered(t, Options{Width: width}, fill, "", columns...)
		checkWidth(t, table, width)
		checkRows(t, table, rows)
		checkCSV(t, rendered(t, Options{Format: CSV}, fill, "", columns...), want)
		checkMarkdown(t, rendered(t, Options{Format: Markdown}, fill, "", columns...), len(columns), rows)
	})
}

// TestFit holds what a layout promises: it fits, only flexible columns are narrower
// than their content and none than its least width, columns are dropped in their
// order and only where they must be, and blocks come only when nothing can be dropped.
func TestFit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		columns := drawColumns(t)
		natural := make([]int, len(columns))
		for i := range natural {
			natural[i] = max(rapid.IntRange(1, 60).Draw(t, "natural"), displayWidth(Clean(columns[i].Title)))
		}
		limit := rapid.IntRange(MinWidth, 300).Draw(t, "limit")
		l := fit(natural, columns, limit)
		least := leastWidths(natural, columns)
		dropped := func(i int) bool { return !slices.Contains(l.shown, i) }
		for i := range columns {
			for j := range columns {
				if dropped(i) && !dropped(j) && columns[j].Drop > columns[i].Drop {
					t.Fatalf("column %d was dropped before column %d", i, j)
				}
			}
			if dropped(i) && columns[i].Drop == 0 {
				t.Fatalf("column %d was dropped", i)
			}
		}
		if l.stacked {
			kept := slices.DeleteFunc(slices.Clone(l.shown), func(i int) bool { return columns[i].Drop > 0 })
			if lineWidth(pick(least, kept)) <= limit || len(l.shown) != len(columns) {
				t.Fatalf("stacked without need: %v of %v on %d", l.shown, natural, limit)
			}
			return
		}
		if lineWidth(natural) <= limit && !slices.Equal(l.widths, natural) {
			t.Fatalf("%v became %v without need", natural, l.widths)
		}
		if lineWidth(l.widths) > limit {
			t.Fatalf("%v makes %d columns of %d", l.widths, lineWidth(l.widths), limit)
		}
		if lineWidth(l.widths) < min(limit, lineWidth(pick(natural, l.shown))) {
			t.Fatalf("%v uses %d columns of %d", l.widths, lineWidth(l.widths), limit)
		}
		for at, i := range l.shown {
			if w := l.widths[at]; w > natural[i] || w < least[i] || w < natural[i] && columns[i].Flexible == 0 {
				t.Fatalf("column %d is %d wide, naturally %d, at least %d", i, w, natural[i], least[i])
			}
			for other, j := range l.shown {
				if l.widths[at] < natural[i] && columns[j].Flexible > columns[i].Flexible && l.widths[other] > least[j] {
					t.Fatalf("column %d gave way before column %d: %v from %v", i, j, l.widths, natural)
				}
			}
		}
	})
}

func TestTruncateKeepsTheBeginningAndWholeClusters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, limit := Clean(drawText(t)), rapid.IntRange(0, 50).Draw(t, "limit")
		got := truncate(s, limit)
		if uniseg.StringWidth(got) > limit {
			t.Fatalf("%q takes more than %d columns", got, limit)
		}
		if got == s {
			return
		}
		head := strings.TrimSuffix(got, ellipsis)
		if !strings.HasPrefix(s, head) || limit > 0 && head == got {
			t.Fatalf("%q became %q", s, got)
		}
		if uniseg.GraphemeClusterCount(head)+uniseg.GraphemeClusterCount(s[len(head):]) != uniseg.GraphemeClusterCount(s) {
			t.Fatalf("%q was cut within a character: %q", s, got)
		}
	})
}

func TestWrapKeepsAllWords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, limit := Clean(drawText(t)), rapid.IntRange(4, 60).Draw(t, "limit")
		lines := wrap(s, limit)
		for _, line := range lines {
			if uniseg.StringWidth(line) > limit {
				t.Fatalf("%q takes more than %d columns", line, limit)
			}
		}
		squeeze := strings.NewReplacer(" ", "")
		if got, want := squeeze.Replace(strings.Join(lines, "")), squeeze.Replace(s); got != want {
			t.Fatalf("wrapped %q, want %q", got, want)
		}
	})
}
