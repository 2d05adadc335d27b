package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// importPast brings along many small answers, so that pruning them takes several
// transactions. Something happens in every hundredth of them.
func importPast(t *testing.T, h *home) {
	t.Helper()
	answers := fewer(4500, 2200)
	var lines strings.Builder
	began := time.Date(2026, 1, 5, 6, 0, 0, 0, time.UTC)
	for n := range answers {
		var list []string
		for i := range 4 {
			status := 200 + (n/100+i)%4/3*201
			list = append(list, fmt.Sprintf(`{"id":"%032x","username":"u%d","status":"%d"}`, i+1, i, status))
		}
		fmt.Fprintf(&lines, `{"at":%q,"data":[%s]}`+"\n", began.Add(time.Duration(n)*10*time.Minute).Format(time.RFC3339), strings.Join(list, ","))
	}
	saved := filepath.Join(t.TempDir(), "past.ndjson")
	if err := os.WriteFile(saved, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	h.must(exitDone, "import", saved, "--at-field", "at", "--workspace", "past", "--quiet")
}

func prunePast(*crashSite) []string {
	return []string{"prune", "--workspace", "past", "--keep-within", "2d", "--keep-daily", "20", "--quiet"}
}

// thinnedRows are the snapshots that are left, what stands for the others, and the
// log: which transactions thinned them out is the same too.
func thinnedRows(h *home) (rows []string) {
	h.t.Helper()
	for _, query := range []string{
		`SELECT at, source, slot, shown FROM response ORDER BY ws, at`,
		`SELECT ws, id, text, hashes FROM entry WHERE ws = (SELECT id FROM workspace WHERE name = 'past') ORDER BY id`,
		`SELECT name FROM setting ORDER BY name`,
	} {
		o := h.must(exitDone, "sql", "--format", "ndjson", query)
		text := regexp.MustCompile(`\\nprune \d+ (.*),"hashes":.*`).ReplaceAllString(o.stdout, `\nprune AT $1`)
		rows = append(rows, strings.Split(text, "\n")...)
	}
	return rows
}
