package render

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

func TestWriteErrorsStay(t *testing.T) {
	for _, format := range Formats {
		for _, room := range []int{0, 1, 100, 40_000} {
			t.Run(fmt.Sprint(format, " ", room), func(t *testing.T) {
				w := New(&failing{room}, Options{Format: format, Width: 80}, fixtureColumns...)
				for range 5000 {
					fill(w)
				}
				row := w.Row("x", make([]Cell, len(fixtureColumns))...)
				if !errors.Is(row, errFull) {
					t.Errorf("Row gave %v", row)
				}
				for range 2 {
					if err := w.Close("end"); !errors.Is(err, errFull) {
						t.Errorf("Close gave %v", err)
					}
				}
			})
		}
	}
}

func TestAnErrorAtTheEndIsReturned(t *testing.T) {
	for _, format := range Formats {
		w := New(&failing{}, Options{Format: format}, fixtureColumns...)
		fill(w)
		if err := w.Close(""); !errors.Is(err, errFull) {
			t.Errorf("%s: Close gave %v", format, err)
		}
		if err := Object(&failing{}, Options{Format: format}, "x", Pair{"T", "k", TextCell("v")}); !errors.Is(err, errFull) {
			t.Errorf("%s: Object gave %v", format, err)
		}
	}
	for _, format := range []Format{Table, Markdown} {
		r, _ := NewReport(&failing{}, Options{Format: format})
		fill(r.Section("a", fixtureColumns...))
		r.section.Close("")
		if err := r.Close("end"); !errors.Is(err, errFull) {
			t.Errorf("%s: report gave %v", format, err)
		}
	}
}

func TestAReportReturnsTheErrorsOfItsSections(t *testing.T) {
	r, err := NewReport(io.Discard, Options{})
	if err != nil {
		t.Fatal(err)
	}
	section := r.Section("a", Column{Title: "A"})
	section.Close("")
	section.Row(nil, Cell{})
	if err := r.Paragraph("more"); !errors.Is(err, ErrClosed) {
		t.Errorf("Paragraph gave %v", err)
	}
	if err := r.Close("end"); !errors.Is(err, ErrClosed) {
		t.Errorf("Close gave %v", err)
	}
}

func TestAValueThatIsNoJSONStopsTheList(t *testing.T) {
	var b bytes.Buffer
	w := New(&b, Options{Format: JSON})
	w.Row(1)
	err := w.Row(json.RawMessage("{"))
	if err == nil || w.Row(2) != err || w.Close("") != err {
		t.Errorf("Row gave %v, Close %v", err, w.Close(""))
	}
	if json.Valid(b.Bytes()) {
		t.Errorf("a broken list looks whole: %q", b.String())
	}
}

func TestWrongUse(t *testing.T) {
	w := New(io.Discard, Options{}, Column{Title: "A"})
	w.Close("")
	if err := w.Row(nil, Cell{}); !errors.Is(err, ErrClosed) {
		t.Errorf("Row after Close gave %v", err)
	}
	if err := New(io.Discard, Options{Format: "xml"}).Close(""); err == nil || !strings.Contains(err.Error(), "ndjson") {
		t.Errorf("unknown format gave %v", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("a missing cell went unnoticed")
		}
	}()
	New(io.Discard, Options{}, Column{Title: "A"}).Row(nil)
}

// counting counts what is written.
type counting struct{ total int }

func (c *counting) Write(p []byte) (int, error) {
	c.total += len(p)
	return len(p), nil
}

func TestLongAnswersStream(t *testing.T) {
	for _, format := range Formats {
		var out counting
		w := New(&out, Options{Format: format, Width: 60}, fixtureColumns...)
		for range 2000 {
			fill(w)
		}
		if out.total == 0 {
			t.Errorf("%s: nothing was written after 12000 rows", format)
		}
		if table, ok := w.rows.(*tableRows); ok && len(table.sample) > 0 {
			t.Errorf("%d rows are kept", len(table.sample))
		}
	}
}

func TestRowsAfterTheSampleKeepTheLayout(t *testing.T) {
	columns := []Column{{Title: "N", Right: true}, {Title: "Name"}, {Title: "Rest"}}
	fill := func(w *Writer) {
		for i := range sampleRows {
			w.Row(nil, IntCell(i), TextCell("short"), TextCell("r"))
		}
		w.Row(nil, IntCell(1_000_000), TextCell("much longer than those before"), TextCell(strings.Repeat("tail ", 20)))
	}
	lines := strings.Split(rendered(t, Options{Width: 40}, fill, "", columns...), "\n")
	if got, want := lines[sampleRows+1], "1000000  much longer than those before"; got != want {
		t.Errorf("on a terminal: %q, want %q", got, want)
	}
	columns[1].Flexible = 1
	lines = strings.Split(rendered(t, Options{Width: 40}, fill, "", columns...), "\n")
	if got, want := lines[sampleRows+1], "1000000  …  tail tail tail tail tail ta…"; got != want {
		t.Errorf("with a flexible column: %q, want %q", got, want)
	}
	lines = strings.Split(rendered(t, Options{}, fill, "", columns...), "\n")
	want := "1000000  much longer than those before  " + strings.Repeat("tail ", 20)
	if got := lines[sampleRows+1]; got != want {
		t.Errorf("without a terminal: %q, want %q", got, want)
	}
}

// TestLaterInstantsAreNotCut either: what follows moves to the right.
func TestLaterInstantsAreNotCut(t *testing.T) {
	columns := []Column{{Title: "When"}, {Title: "Name", Flexible: 1}, {Title: "Since"}}
	short := WindowCell(store.Window{After: noon, Before: noon.Add(time.Hour)})
	long := WindowCell(store.Window{After: noon, Before: noon.AddDate(0, 0, 1)})
	name := TextCell("a long name, longer than that")
	fill := func(w *Writer) {
		for range sampleRows {
			w.Row(nil, short, name, short)
		}
		w.Row(nil, long, name, short)
		w.Row(nil, short, name, long)
	}
	lines := strings.Split(rendered(t, Options{Width: 72}, fill, "", columns...), "\n")
	for i, want := range []string{
		"2026-03-29 12:00 … 13:00  a long name, longer…  2026-03-29 12:00 … 13:00",
		"2026-03-29 12:00 … 2026-03-30 12:00  a long n…  2026-03-29 12:00 … 13:00",
		"2026-03-29 12:00 … 13:00  a long name, longer…  2026-03-29 12:00 … 2026-03-30 12:00",
	} {
		if got := lines[sampleRows+i]; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestTitlesAreNotCut(t *testing.T) {
	columns := []Column{{Title: "Name", Flexible: 2}, {Title: "Squids that use it", Flexible: 1, Least: 4}}
	fill := func(w *Writer) { w.Row(nil, TextCell(strings.Repeat("n", 40)), TextCell(strings.Repeat("s", 40))) }
	if out := rendered(t, Options{Width: 33}, fill, "", columns...); !strings.HasPrefix(out, "NAME          SQUIDS THAT USE IT\n") {
		t.Errorf("got %q", out)
	}
	if out := rendered(t, Options{Width: 30}, fill, "", columns...); !strings.HasPrefix(out, "Name           nnnnnnnnnnnnnnn\n") {
		t.Errorf("where not even the titles fit: %q", out)
	}
}

func TestOneEnormousCellDoesNotWidenEveryRow(t *testing.T) {
	out := rendered(t, Options{}, func(w *Writer) {
		w.Row(nil, TextCell(strings.Repeat("x", 1<<20)), TextCell("y"))
		for range 500 {
			w.Row(nil, TextCell("x"), TextCell("y"))
		}
	}, "", Column{Title: "A"}, Column{Title: "B"})
	if len(out) > 2<<20 {
		t.Errorf("%d bytes", len(out))
	}
}

func TestColoursOnlyWhenAllowedAndOnlyInTables(t *testing.T) {
	columns := []Column{{Title: "H", Key: "h"}, {Title: "N", Key: "n"}}
	for _, format := range Formats {
		for _, color := range []bool{false, true} {
			fill := func(w *Writer) {
				for _, h := range store.Healths {
					w.Row(h, HealthCell(h), TextCell("n"))
				}
			}
			plain := rendered(t, Options{Format: format, Width: 40}, fill, "f", columns...)
			got := rendered(t, Options{Format: format, Width: 40, Color: color}, fill, "f", columns...)
			if coloured := strings.Contains(got, "\x1b["); coloured != (color && format == Table) {
				t.Errorf("%s with Color %v: %q", format, color, got)
			}
			if stripped := sgr.ReplaceAllString(got, ""); stripped != plain {
				t.Errorf("colours move the text: %q, want %q", stripped, plain)
			}
		}
	}
	for _, h := range store.Healths {
		if healthColors[h] == "" {
			t.Errorf("no colour for %s", h)
		}
	}
}

func TestASingleEmptyCellIsARecord(t *testing.T) {
	fill := func(w *Writer) { w.Row(nil, Cell{}) }
	checkCSV(t, rendered(t, Options{Format: CSV}, fill, "", Column{Key: "k"}), [][]string{{"k"}, {""}})
}

// TestEncodesAsEncodingJSON: the faster encoder is told apart by nobody who reads
// JSON, and what Lazy writes is what Row writes.
func TestEncodesAsEncodingJSON(t *testing.T) {
	type inner struct {
		List  []string        `json:"list"`
		Raw   json.RawMessage `json:"raw"`
		Time  time.Time       `json:"time"`
		Some  *string         `json:"some,omitzero"`
		Float float64         `json:"float"`
	}
	raw := []string{`{"b":1.0,"a":[1e400,"\u00e9<&>"],"b":2}`, `null`, `-0.0`, `"\/"`}
	for i, text := range append([]string{"a", "<&>\u2028\"\\"}, hostile...) {
		value := inner{Raw: json.RawMessage(raw[i%len(raw)]), Some: &text, Float: 1e21}
		want, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		got, err := encodeJSON(value)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(decoded(t, got), decoded(t, want)) {
			t.Errorf("%s instead of %s", got, want)
		}
	}
	for _, format := range Formats {
		var row, lazy bytes.Buffer
		columns := []Column{{Title: "A", Key: "a"}}
		a, b := New(&row, Options{Format: format}, columns...), New(&lazy, Options{Format: format}, columns...)
		if err := errors.Join(a.Row(5, IntCell(5)), b.Lazy(func() any { return 5 }, func() []Cell { return []Cell{IntCell(5)} }),
			a.Close(""), b.Close("")); err != nil || row.String() != lazy.String() {
			t.Errorf("%s: %q instead of %q: %v", format, lazy.String(), row.String(), err)
		}
	}
}

// decoded is a JSON value with its numbers as they are written.
func decoded(t *testing.T, text []byte) (value any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&value); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return value
}
