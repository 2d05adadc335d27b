package main

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

const (
	// maxQueryBytes is how long a query may be, from standard input and at the prompt.
	maxQueryBytes = 1 << 20
	// defaultQueryTime is how long a query may work where --timeout does not say.
	defaultQueryTime = 5 * time.Minute
)

func (a *app) newSQLCmd() *cobra.Command {
	var o sqlOptions
	cmd := &cobra.Command{
		Use:   "sql [QUERY]",
		Short: "Ask SQL over the history (read only)",
		Long: `Run SQL over the history; nothing but reading is allowed. Without a query it
is read from standard input, at a prompt on a terminal.

These views are kept stable ("lobstrail help sql" has their columns):
account_current, account_versions, changes, status_changes, health_periods,
squid_assignments, squid_health, limit_usage, snapshots, runs, failures,
alerts, deliveries. They cover all workspaces.

Several statements are separated by semicolons. They see the same moment of
the store, each has an answer, and none runs unless all are right. The answers
of several statements are a list of lists in JSON; in CSV, Markdown and tables
a blank line is between them; in NDJSON their rows follow each other.

--param NAME=VALUE gives the parameter :NAME of the query a value, which is
then no part of the SQL: an integer (42), a real number (0.5), NULL, or a text.
Quotes make anything a text: --param "year='2026'".

A text or blob may have 16 MiB. A query is stopped when it works longer than
--timeout. The time that it takes to write its answer does not count.

At the prompt, ".help" lists the commands. lobstrail keeps what is typed there
in $XDG_STATE_HOME/lobstrail/sql_history (default ~/.local/state). It does not
keep lines that begin with a space, or that have a key in them.

Exit codes: 0 done; 1 the query is wrong, too large or took too long; 2 it would
do more than read, or wrong usage; 10 there is no store; 130 interrupted.`,
		Example: `  lobstrail sql "SELECT health, count(*) FROM account_current GROUP BY 1"
  lobstrail sql "SELECT * FROM changes WHERE kind = 'status' ORDER BY before DESC LIMIT 10" --json
  lobstrail sql "SELECT * FROM changes WHERE username = :who" --param who=marco.rinaldi
  lobstrail sql --format csv < query.sql > answer.csv`,
		Args: takes(0, 1, "one QUERY", ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(); err != nil {
				return err
			}
			return a.reading(cmd.Context(), func(s store.Store) error {
				if len(args) == 0 && a.env.stdinIsTerm {
					return a.prompt(cmd.Context(), s, o)
				}
				query, err := a.givenQuery(cmd.Context(), args)
				if err != nil {
					return err
				}
				return a.runSQL(cmd.Context(), s, query, o)
			})
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&o.given, "param", nil, "`NAME=VALUE` of a parameter :NAME of the query; repeatable")
	flags.DurationVar(&o.timeout, "timeout", defaultQueryTime, "the longest a query may work; 0 is no limit")
	return coversWorkspaces(cmd)
}

type sqlOptions struct {
	given   []string // of --param
	timeout time.Duration
	params  []sql.NamedArg // what was given
}

func (o *sqlOptions) check() (err error) {
	if o.timeout < 0 {
		return usage("--timeout must not be negative\nfor example --timeout 30s; 0 is no limit")
	}
	o.params, err = parseParams(o.given)
	return err
}

// givenQuery is the query of the arguments, else that of standard input.
func (a *app) givenQuery(ctx context.Context, args []string) (string, error) {
	if len(args) == 1 {
		return args[0], nil
	}
	query, err := interruptibly(ctx, func() ([]byte, error) { return io.ReadAll(io.LimitReader(a.env.stdin, maxQueryBytes+1)) })
	switch {
	case err != nil:
		return "", err
	case len(query) > maxQueryBytes:
		return "", usage("the query is longer than 1 MiB\nrun its statements one by one")
	}
	return string(query), nil
}

// runSQL runs the statements of a query and writes their answers.
func (a *app) runSQL(ctx context.Context, s store.Store, query string, o sqlOptions) error {
	statements, rest := a.dialect().split(query)
	if !rest.Blank {
		statements = append(statements, rest)
	}
	switch {
	case len(statements) == 0:
		return usage("no query\nfor example: lobstrail sql \"SELECT * FROM runs\"")
	case strings.ContainsRune(query, 0):
		return usage("the query has a NUL character in it\nremove it")
	}
	if err := checkParams(statements, o.params); err != nil {
		return err
	}
	return a.paged(func() error { return a.answerSQL(ctx, s, query, len(statements) > 1, o) })
}

func (a *app) answerSQL(ctx context.Context, s store.Store, query string, several bool, o sqlOptions) error {
	answers := &sqlAnswers{app: a, several: several}
	ctx, clock := newWorkClock(ctx, o.timeout)
	defer clock.end()
	err := s.Query(ctx, query, func(columns []string) error {
		defer clock.pause()()
		return answers.begin(columns)
	}, func(row []any) error {
		defer clock.pause()()
		return answers.row(row)
	}, o.params...)
	if err != nil {
		return explainQuery(err)
	}
	return answers.end()
}

// explainQuery adds the next step to the error of a query.
func explainQuery(err error) error {
	var hinted *hintedError
	var server *store.ServerError
	switch {
	case errors.As(err, &server): // it has a next step of its own
		return err
	case errors.Is(err, store.ErrReadOnly):
		return usage("%s\nlobstrail sql answers questions; it never changes the store", err)
	case errors.Is(err, store.ErrTooLarge):
		return &hintedError{err, "take a part of it with substr(), or fewer rows with WHERE and LIMIT"}
	case errors.Is(err, errInterrupted), errors.As(err, &hinted):
		return err
	}
	return &hintedError{err, `"lobstrail help sql" lists the views and their columns`}
}

// sqlAnswers writes the answers of the statements of a query, one after the other.
type sqlAnswers struct {
	app     *app
	several bool // more than one statement
	begun   int  // answers
	out     *render.Writer
	names   []string
	rows    int
}

// begin ends the answer before and begins the next one.
func (s *sqlAnswers) begin(columns []string) error {
	if err := s.close(); err != nil {
		return err
	}
	between := map[render.Format][2]string{render.JSON: {"[\n", ",\n"}, render.NDJSON: {}}
	lead, ok := between[render.Format(s.app.format)]
	if !ok {
		lead = [2]string{"", "\n"}
	}
	if s.several {
		if _, err := io.WriteString(s.app.env.stdout, lead[min(s.begun, 1)]); err != nil {
			return err
		}
	}
	s.begun++
	s.names, s.rows = uniqueNames(columns), 0
	s.out = s.app.list(sqlColumns(s.names)...)
	return nil
}

func (s *sqlAnswers) row(row []any) error {
	s.rows++
	return s.out.Row(sqlObject{s.names, row}, sqlCells(row)...)
}

// close ends the answer under way, if there is one.
func (s *sqlAnswers) close() error {
	if s.out == nil {
		return nil
	}
	return s.out.Close(render.Count(s.rows, "row") + ".")
}

// end ends the last answer.
func (s *sqlAnswers) end() error {
	if err := s.close(); err != nil {
		return err
	}
	tail := ""
	if s.several && s.app.format == string(render.JSON) {
		tail = "]\n"
	}
	_, err := io.WriteString(s.app.env.stdout, tail)
	return err
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

// sqlColumns are never cut or left out: a table that is wider than the terminal is
// written as blocks of a line for each column.
func sqlColumns(names []string) []render.Column {
	columns := make([]render.Column, len(names))
	for i, name := range names {
		columns[i] = render.Column{Title: name, Key: name}
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
