package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

func (a *app) newSQLCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "sql [QUERY]",
		Short: "Ask SQL over the history (read only)",
		Long: `Run one SQL query over the history; nothing but reading is allowed. Without a
query it is read from standard input, at a prompt on a terminal.

The views are documented in README.md and kept stable: account_current,
account_versions, changes, status_changes, health_periods, squid_assignments,
squid_health, limit_usage, snapshots, runs, failures. They cover all workspaces.

Exit codes: 0 done; 1 the query is wrong; 2 it would do more than read; 10
there is no store.`,
		Example: `  lobstrail sql "SELECT health, count(*) FROM account_current GROUP BY 1"
  lobstrail sql "SELECT * FROM changes WHERE kind = 'status' ORDER BY before DESC LIMIT 10" --json
  lobstrail sql --format csv < query.sql > answer.csv`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.reading(cmd.Context(), func(s *store.Store) error {
				if len(args) == 1 {
					return a.runSQL(cmd.Context(), s, args[0])
				}
				if a.env.stdinIsTerm {
					return a.prompt(cmd.Context(), s)
				}
				query, err := io.ReadAll(io.LimitReader(a.env.stdin, 1<<20))
				if err != nil {
					return err
				}
				return a.runSQL(cmd.Context(), s, string(query))
			})
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
}

func (a *app) runSQL(ctx context.Context, s *store.Store, query string) error {
	if strings.TrimSpace(query) == "" {
		return usage("no query\nfor example: lobstrail sql \"SELECT * FROM runs\"")
	}
	var out *render.Writer
	var names []string
	n := 0
	err := s.Query(ctx, query, func(columns []string) error {
		names = uniqueNames(columns)
		out = a.list(sqlColumns(names)...)
		return nil
	}, func(row []any) error {
		n++
		return out.Row(sqlObject{names, row}, sqlCells(row)...)
	})
	switch {
	case errors.Is(err, store.ErrReadOnly):
		return usage("%s\nlobstrail sql answers questions; it never changes the store", err)
	case err != nil:
		return &hintedError{err, `"lobstrail sql" without a query, or README.md, lists the views`}
	}
	return out.Close(count(n, "row") + ".")
}

// prompt reads queries from a terminal, each ended by a semicolon.
func (a *app) prompt(ctx context.Context, s *store.Store) error {
	fmt.Fprintln(a.env.stderr, `SQL over the history, read only. End a query with ";", leave with Ctrl-D or ".quit"; ".views" lists the views.`)
	lines := bufio.NewScanner(a.env.stdin)
	var query strings.Builder
	for a.promptSign(query.Len() == 0); lines.Scan() && ctx.Err() == nil; a.promptSign(query.Len() == 0) {
		line := strings.TrimSpace(lines.Text())
		if query.Len() == 0 && (line == ".quit" || line == ".exit") {
			return nil
		}
		if query.Len() == 0 && line == ".views" {
			line = `SELECT name AS view FROM sqlite_schema WHERE type = 'view' ORDER BY name;`
		}
		if query.WriteString(line + "\n"); !strings.HasSuffix(line, ";") {
			continue
		}
		if err := a.runSQL(ctx, s, query.String()); err != nil {
			fmt.Fprint(a.env.stderr, explain(err))
		}
		query.Reset()
	}
	fmt.Fprintln(a.env.stderr)
	return lines.Err()
}

func (a *app) promptSign(first bool) {
	sign := "   ...> "
	if first {
		sign = "lobstrail> "
	}
	fmt.Fprint(a.env.stderr, sign)
}

// uniqueNames gives each column a name of its own: an object holds a key once.
func uniqueNames(columns []string) []string {
	seen, names := map[string]bool{}, make([]string, len(columns))
	for i, name := range columns {
		names[i] = name
		for k := 2; seen[names[i]]; k++ {
			names[i] = name + "_" + strconv.Itoa(k)
		}
		seen[names[i]] = true
	}
	return names
}

func sqlColumns(names []string) []render.Column {
	columns := make([]render.Column, len(names))
	for i, name := range names {
		columns[i] = render.Column{Title: name, Key: name, Flexible: 1}
	}
	return columns
}

// sqlObject is a row in JSON: the columns in their order.
type sqlObject struct {
	names  []string
	values []any
}

// MarshalJSON writes NULL as null and a blob, which JSON has no type for, as
// text: itself where it is UTF-8, else in base64.
func (o sqlObject) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, name := range o.names {
		if i > 0 {
			out = append(out, ',')
		}
		key, err := marshal(name)
		if err != nil {
			return nil, err
		}
		value, err := marshal(sqlValue(o.values[i]))
		if err != nil {
			return nil, err
		}
		out = append(append(append(out, key...), ':'), value...)
	}
	return append(out, '}'), nil
}

func sqlValue(value any) any {
	blob, ok := value.([]byte)
	switch {
	case !ok:
		return finite(value)
	case utf8.Valid(blob):
		return string(blob)
	}
	return base64.StdEncoding.EncodeToString(blob)
}

func sqlCells(row []any) []render.Cell {
	cells := make([]render.Cell, len(row))
	for i, value := range row {
		switch v := sqlValue(value).(type) {
		case nil:
		case string:
			cells[i] = render.TextCell(v)
		default:
			cells[i] = render.TextCell(fmt.Sprint(v))
		}
	}
	return cells
}
