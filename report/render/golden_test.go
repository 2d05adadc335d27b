package render

import (
	"bytes"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

func TestRowsInEveryFormat(t *testing.T) {
	zone := paris(t)
	for name, options := range map[string]Options{
		"table":        {},
		"table-wide":   {Width: 160, Zone: zone},
		"table-80":     {Width: 80, Zone: zone},
		"table-narrow": {Width: 20},
		"table-color":  {Width: 120, Color: true},
		"json":         {Format: JSON, Color: true, Width: 20, Zone: zone},
		"ndjson":       {Format: NDJSON},
		"csv":          {Format: CSV, Color: true, Width: 20, Zone: zone},
		"markdown":     {Format: Markdown, Color: true, Width: 20, Zone: zone},
	} {
		t.Run(name, func(t *testing.T) {
			footer := "6 accounts, 1 hidden.\nTimes in " + ZoneName(options.Zone, noon)
			golden(t, "rows-"+name, rendered(t, options, fill, footer, fixtureColumns...))
		})
	}
}

func TestNoRows(t *testing.T) {
	for format, want := range map[Format]string{
		Table:    "No accounts.\n",
		JSON:     "[]\n",
		NDJSON:   "",
		CSV:      "account,username,health,squid_count,seen_at,changed_after,reason\n",
		Markdown: "No accounts.\n",
	} {
		if got := rendered(t, Options{Format: format}, func(*Writer) {}, "No accounts.", fixtureColumns...); got != want {
			t.Errorf("%s: got %q, want %q", format, got, want)
		}
	}
}

func TestObjectInEveryFormat(t *testing.T) {
	value := map[string]any{"id": "aaaa", "name": "\u009b<evil>", "squids": []string{}}
	pairs := []Pair{
		{"Account", "id", TextCell("aaaa")},
		{"Name", "username", TextCell("\x1b[2J<evil>\n| name")},
		{"Health", "health", HealthCell(store.Failing)},
		{"Empty", "empty", Cell{}},
		{"Status of the last answer", "status_code_description", TextCell("=the platform refused the cookies of this account " +
			"and wants them to be synchronised again")},
		{"Last seen", "seen_at", TimeCell(noon)},
		{"Changed", "", WindowCell(store.Window{After: noon, Before: noon.Add(time.Hour)})},
		{"", "changed_after", TimeCell(noon)},
	}
	for name, options := range map[string]Options{
		"table":       {},
		"table-50":    {Width: 50},
		"table-20":    {Width: 20},
		"table-color": {Width: 50, Color: true},
		"json":        {Format: JSON},
		"ndjson":      {Format: NDJSON},
		"csv":         {Format: CSV},
		"markdown":    {Format: Markdown},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := Object(&b, options, value, pairs...); err != nil {
				t.Fatal(err)
			}
			golden(t, "object-"+name, b.String())
			if options.Width > 0 {
				checkWidth(t, b.String(), options.Width)
			}
		})
	}
}

func TestReportHoldsSeveralTables(t *testing.T) {
	for name, options := range map[string]Options{
		"table":    {Width: 70, Color: true},
		"markdown": {Format: Markdown},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			r, err := NewReport(&b, options)
			if err != nil {
				t.Fatal(err)
			}
			r.Paragraph("Status of the workspace \x1b[0m*default*\nfrom 2026-03-22 to 2026-03-29")
			accounts := r.Section("Accounts | *all*", fixtureColumns...)
			fill(accounts)
			accounts.Close("6 accounts")
			r.Section("Squids", Column{Title: "Squid"}).Close("No squid changed.")
			limits := r.Section("Limits", Column{Title: "Limit"}, Column{Title: "Max", Right: true})
			limits.Row(nil, TextCell("max_pages"), IntCell(int64(50)))
			limits.Close("")
			if err := r.Close("Times in UTC"); err != nil {
				t.Fatal(err)
			}
			golden(t, "report-"+name, b.String())
		})
	}
}

func TestReportRefusesFormatsForPrograms(t *testing.T) {
	for _, format := range []Format{JSON, NDJSON, CSV, "xml"} {
		if _, err := NewReport(&bytes.Buffer{}, Options{Format: format}); err == nil {
			t.Errorf("%s: no error", format)
		}
	}
}
