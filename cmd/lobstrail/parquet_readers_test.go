package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/report/export"
)

// parquetReaders runs queries in DuckDB and in ClickHouse, in a folder. Without them it
// skips the test.
func parquetReaders(t *testing.T, dir string, duckdb, clickhouse []string) (answers struct {
	DuckDB, ClickHouse [][][]any
}) {
	t.Helper()
	readers := os.Getenv("LOBSTRAIL_PARQUET_READERS")
	if readers == "" {
		const sentence = "LOBSTRAIL_PARQUET_READERS does not name a folder with the npm packages @duckdb/node-api and chdb: nobody else reads the files"
		if os.Getenv("CI") == "true" {
			t.Fatal(sentence)
		}
		t.Skip(sentence)
	}
	asked, err := json.Marshal(map[string][]string{"duckdb": duckdb, "clickhouse": clickhouse})
	if err != nil {
		t.Fatal(err)
	}
	script, err := filepath.Abs("testdata/parquet_readers.cjs")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", script, readers)
	cmd.Dir, cmd.Stdin = dir, bytes.NewReader(asked)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, errs.String())
	}
	if err := json.Unmarshal(out, &answers); err != nil {
		t.Fatal(err)
	}
	return answers
}

// parquetHome is a home with a store of two workspaces with values that are easily lost.
func parquetHome(t *testing.T) *home {
	t.Helper()
	h := newHome(t)
	account := func(n, value, username, info, more string) string {
		return fmt.Sprintf(`{"id": "%032s", "username": %s, "type": "linkedin-sync", "status": "200", "status_code_info": %s,
			"squids": [{"hash_value": "s1", "name": "Squid 😀"}], "big": 9007199254740993, %s
			"params": {"user": {"profiles": {"value": %s, "max": 9223372036854775807, "timestamp": 1790000000}}}}`, n, username, info, more, value)
	}
	moments := []string{
		account("1", "9007199254740993", `"ada 😀 👩‍👩‍👧"`, `null`, `"odd": null,`) + account("2", "1.5", `"o'brien, \"x\" \\ \t"`, `"synchronized"`, ""),
		account("1", "9007199254740995", `"ada 😀 👩‍👩‍👧"`, `"cookies_expired"`, `"odd": 123456789012345678901234567890,`) + account("2", "null", `"é"`, `null`, ""),
		account("1", "9007199254740997", `"ada"`, `"synchronized"`, "") + account("2", `"twelve"`, `"é"`, `"cookies_expired"`, `"status_code_description": "夜",`),
	}
	for _, workspace := range []string{"acme", "a/b=c %😀"} {
		for i, accounts := range moments {
			file := filepath.Join(h.dir, fmt.Sprintf("2026-0%d-28T23:5%d:00Z.json", i+1, i))
			if err := os.WriteFile(file, []byte(accounts), 0o600); err != nil {
				t.Fatal(err)
			}
			h.must(exitDone, "import", file, "--workspace", workspace)
		}
	}
	return h
}

// TestDuckDBAndClickHouseReadWhatSQLHas: every value of every table, and its workspace.
func TestDuckDBAndClickHouseReadWhatSQLHas(t *testing.T) {
	t.Parallel()
	h := parquetHome(t)
	h.must(exitDone, "export", "--parquet", "lake", "--workspace", "*")
	var duckdb, clickhouse []string
	for _, table := range export.Tables() {
		duckdb = append(duckdb, readerQuery(table, "epoch_ms(%s)", "workspace", "read_parquet('lake/%s/**/*.parquet', hive_partitioning = true)"))
		clickhouse = append(clickhouse, readerQuery(table, "toUnixTimestamp64Milli(%s)", "decodeURLComponent(workspace)", "file('lake/%s/**/*.parquet', Parquet)"))
	}
	answers := parquetReaders(t, h.dir, duckdb, clickhouse)
	for i, table := range export.Tables() {
		want := h.sqlRows(table)
		if len(want) < 2 {
			t.Errorf("%s has only %d rows", table.Name, len(want))
		}
		sameRows(t, "DuckDB: "+table.Name, answers.DuckDB[i], want)
		sameRows(t, "ClickHouse: "+table.Name, answers.ClickHouse[i], want)
	}
}

// readerQuery reads the workspace and all columns of a table, instants in milliseconds.
func readerQuery(table export.TableInfo, instant, workspace, from string) string {
	columns := []string{workspace}
	for _, c := range table.Columns {
		name := `"` + c.Name + `"`
		if c.Type == "TIMESTAMP" {
			name = fmt.Sprintf(instant, name)
		}
		columns = append(columns, name)
	}
	return "SELECT " + strings.Join(columns, ", ") + " FROM " + fmt.Sprintf(from, table.Name)
}

// sqlRows is what the views have for a table, as readerQuery reads it.
func (h *home) sqlRows(table export.TableInfo) (rows [][]any) {
	h.t.Helper()
	var objects []map[string]any
	o := h.must(exitDone, "sql", "--json", strings.Replace(table.Query, "SELECT ", "SELECT workspace, ", 1))
	decoder := json.NewDecoder(strings.NewReader(o.stdout))
	decoder.UseNumber()
	if err := decoder.Decode(&objects); err != nil {
		h.t.Fatal(err)
	}
	for _, object := range objects {
		row := []any{object["workspace"]}
		for _, c := range table.Columns {
			row = append(row, asRead(h.t, c, object[c.Name]))
		}
		rows = append(rows, row)
	}
	return rows
}

// asRead is a value of a view as the readers have it: integers and milliseconds in quotes.
func asRead(t testing.TB, c export.ColumnInfo, value any) any {
	t.Helper()
	number, isNumber := value.(json.Number)
	integer := isNumber && !strings.ContainsAny(number.String(), ".eE")
	switch {
	case value == nil, c.Type == "INT64" && !integer, c.Type == "STRING" && integer:
		return nil // or in the column beside it
	case isNumber:
		return number.String()
	case c.Type == "TIMESTAMP":
		at, err := time.Parse(time.RFC3339Nano, value.(string))
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(at.UnixMilli())
	}
	return value
}

// sameRows compares rows in any order.
func sameRows(t *testing.T, what string, got, want [][]any) {
	t.Helper()
	lines := func(rows [][]any) (all []string) {
		for _, row := range rows {
			all = append(all, fmt.Sprintf("%q", row))
		}
		slices.Sort(all)
		return all
	}
	if g, w := lines(got), lines(want); !slices.Equal(g, w) {
		t.Errorf("%s: got\n%s\nwant\n%s", what, strings.Join(g, "\n"), strings.Join(w, "\n"))
	}
}

// TestHelpParquetQueriesRun runs the queries of the topic on the demo's export.
func TestHelpParquetQueriesRun(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.db = demoStore(t)
	h.must(exitDone, "export", "--parquet", "lake", "--db", h.db)
	text := findTopic("parquet").text
	duckdb, clickhouse := blocks(text, "duckdb"), blocks(text, "clickhouse")
	if len(duckdb) == 0 || len(clickhouse) == 0 {
		t.Fatal("the topic has no queries")
	}
	for i, query := range clickhouse {
		clickhouse[i] = strings.TrimSuffix(strings.TrimSpace(query), ";")
	}
	answers := parquetReaders(t, h.dir, duckdb, clickhouse)
	for i, rows := range slices.Concat(answers.DuckDB, answers.ClickHouse) {
		if len(rows) < 2 {
			t.Errorf("query %d has only %d rows: %v", i, len(rows), rows)
		}
	}
	// The first is a count that SQL can check.
	var expired []struct{ N json.Number }
	h.read(&expired, "sql", "--db", h.db, "SELECT count(*) AS n FROM status_changes WHERE became = 'expired' GROUP BY workspace, account ORDER BY n DESC, username")
	for i, want := range expired {
		if got := answers.DuckDB[0][i][2]; fmt.Sprint(got) != want.N.String() {
			t.Errorf("row %d of DuckDB is %v, want %s times", i, answers.DuckDB[0][i], want.N)
		}
	}
}

var regexpNotes = regexp.MustCompile(` \(NULL: [^)]*\)`)

// TestHelpParquetHasEveryColumn compares the topic with what is written.
func TestHelpParquetHasEveryColumn(t *testing.T) {
	text := findTopic("parquet").text
	types := map[string]string{}
	for line := range strings.Lines(text) {
		if kind, names, ok := strings.Cut(strings.TrimPrefix(line, "| "), " | "); ok {
			for name := range strings.FieldsFuncSeq(names, func(r rune) bool { return strings.ContainsRune(", |\n", r) }) {
				types[name] = strings.Trim(strings.Fields(kind)[0], ",")
			}
		}
	}
	for _, table := range export.Tables() {
		var names []string
		for _, c := range table.Columns {
			names = append(names, c.Name)
			if kind, told := types[c.Name]; c.Type != "STRING" && kind != c.Type || c.Type == "STRING" && told && kind != "STRING" && !strings.HasPrefix(kind, "`") {
				t.Errorf("%s.%s is %s, the topic says %q", table.Name, c.Name, c.Type, kind)
			}
		}
		list := regexpNotes.ReplaceAllString(text, "")
		if !strings.Contains(list, "| `"+table.Name+"` |") || !strings.Contains(list, "| "+strings.Join(names, ", ")+" |") {
			t.Errorf("the topic does not have the columns of %s: %s", table.Name, strings.Join(names, ", "))
		}
	}
}
