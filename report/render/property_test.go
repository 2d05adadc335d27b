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
		if lines := strings.Count(table, "\n"); lines != rows+1 {
			rt.Fatalf("%d lines for %d rows: %q", lines, rows, table)
		}
		checkCSV(t, rendered(t, Options{Format: CSV}, fill, "", columns...), want)
		checkMarkdown(t, rendered(t, Options{Format: Markdown}, fill, "", columns...), len(columns), rows)
	})
}

func TestFitTakesFromFlexibleColumnsFirst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		columns := drawColumns(t)
		natural := make([]int, len(columns))
		for i := range natural {
			natural[i] = rapid.IntRange(1, 60).Draw(t, "natural")
		}
		limit := rapid.IntRange(MinWidth, 300).Draw(t, "limit")
		widths := fit(natural, columns, limit)
		if lineWidth(widths) > limit {
			t.Fatalf("%v makes %d columns of %d", widths, lineWidth(widths), limit)
		}
		if lineWidth(natural) <= limit && !slices.Equal(widths, natural) {
			t.Fatalf("%v became %v without need", natural, widths)
		}
		for i, w := range widths {
			for j, other := range widths {
				if w < natural[i] && columns[j].Flexible > columns[i].Flexible && other > flexibleFloor {
					t.Fatalf("column %d gave way before column %d: %v from %v", i, j, widths, natural)
				}
			}
			if w < 1 || w > natural[i] {
				t.Fatalf("%v from %v", widths, natural)
			}
		}
		if lineWidth(widths) < min(limit, lineWidth(natural)) && len(widths) == len(natural) {
			t.Fatalf("%v uses %d columns of %d", widths, lineWidth(widths), limit)
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
