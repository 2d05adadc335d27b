package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

const promptHelp = `A query ends with ";" and may have several lines.
.help           what can be done here
.tables         the views and tables; "lobstrail help sql" documents the views
.schema [NAME]  how a view or table is made, or all of them
.quit           leave; so does Ctrl-D
Ctrl-C stops the query that runs, or throws away what was typed.`

// errCleared means that the user threw away what was typed.
var errCleared = errors.New("cleared")

// errStopped is the cause of the end of a query that the user stopped.
var errStopped = &hintedError{errors.New("the query was stopped"), ""}

// lineReader reads what a user types.
type lineReader interface {
	// read shows a sign and returns the line typed after it, errCleared when the user
	// threw it away, io.EOF when there are no more, and the cause of the end of ctx.
	read(ctx context.Context, sign string) (string, error)
	// remember offers the line again in this session and later ones.
	remember(line string)
	// close leaves the terminal as it was.
	close()
}

// prompt is a session at a terminal.
type prompt struct {
	*app
	store   store.Store
	options sqlOptions
	lines   lineReader
	typed   string // of the statement under way

	mu   sync.Mutex
	stop func() // the query that runs; nil while none does
}

func (a *app) prompt(ctx context.Context, s store.Store, o sqlOptions) error {
	p := &prompt{app: a, store: s, options: o}
	cleared := make(chan struct{}, 1)
	defer a.env.takeInterrupts(func() {
		if p.interrupt() {
			return
		}
		select {
		case cleared <- struct{}{}:
		default: // it is known already
		}
	})()
	p.lines = a.openLines(cleared)
	defer p.lines.close()
	fmt.Fprintln(a.env.stderr, `SQL over the history, read only. End a query with ";". ".help" tells more.`)
	for {
		line, err := p.lines.read(ctx, p.sign())
		switch {
		case errors.Is(err, errCleared):
			p.typed = ""
			continue
		case errors.Is(err, io.EOF):
			return p.finish()
		case err != nil:
			return err
		}
		p.lines.remember(line)
		if done := p.take(ctx, line); done || ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

func (p *prompt) sign() string {
	if p.typed == "" {
		return "lobstrail> "
	}
	return "      ...> "
}

// finish says of a statement without an end that it did not run.
func (p *prompt) finish() error {
	fmt.Fprintln(p.env.stderr)
	if p.typed != "" {
		return usage("the last statement has no \";\" and did not run\nend it with one")
	}
	return nil
}

// take runs what is complete with the line. It reports whether the user leaves.
func (p *prompt) take(ctx context.Context, line string) (done bool) {
	if command := strings.TrimSpace(line); p.typed == "" && strings.HasPrefix(command, ".") {
		return p.command(ctx, strings.Fields(strings.TrimRight(command, "; ")))
	}
	p.typed += line + "\n"
	if len(p.typed) > maxQueryBytes {
		p.tell(usage("the query is longer than 1 MiB and was thrown away\nread it from a file: lobstrail sql < query.sql"))
		p.typed = ""
		return false
	}
	statements, rest := p.dialect().split(p.typed)
	if !rest.Blank {
		return false // it goes on
	}
	query := p.typed
	p.typed = ""
	if len(statements) > 0 {
		p.run(ctx, query, p.usedIn(statements))
	}
	return false
}

// usedIn are the options with those parameters only that the statements have: others
// may be for the next ones.
func (p *prompt) usedIn(statements []store.Statement) sqlOptions {
	o := p.options
	o.params = nil
	for _, given := range p.options.params {
		if slices.ContainsFunc(statements, func(s store.Statement) bool { return slices.Contains(s.Params, given.Name) }) {
			o.params = append(o.params, given)
		}
	}
	return o
}

// run runs a query that Ctrl-C stops.
func (p *prompt) run(ctx context.Context, query string, o sqlOptions) {
	ctx, stop := context.WithCancelCause(ctx)
	p.mu.Lock()
	p.stop = func() { stop(errStopped) }
	p.mu.Unlock()
	err := p.runSQL(ctx, p.store, query, o)
	p.mu.Lock()
	p.stop = nil
	p.mu.Unlock()
	stop(nil)
	p.tell(err)
}

// interrupt stops the query that runs. It reports whether there is one.
func (p *prompt) interrupt() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stop == nil {
		return false
	}
	p.stop()
	return true
}

func (p *prompt) tell(err error) {
	if err != nil && !errors.Is(err, errInterrupted) { // which ends the session, and is told then
		fmt.Fprint(p.env.stderr, explain(err))
	}
}

// command runs a command of the prompt. It reports whether the user leaves.
func (p *prompt) command(ctx context.Context, words []string) (done bool) {
	if len(words) == 0 {
		words = []string{"."}
	}
	name, most := words[0], map[string]int{".schema": 1}[words[0]]
	switch {
	case !slices.Contains([]string{".help", ".tables", ".views", ".schema", ".quit", ".exit"}, name):
		p.tell(usage("there is no command %q\n\".help\" lists the commands; queries do not begin with a point", name))
	case len(words)-1 > most:
		p.tell(usage("%s does not take %q\n\".help\" lists the commands", name, words[most+1]))
	case name == ".help":
		fmt.Fprintln(p.env.stderr, promptHelp)
	case name == ".schema":
		p.tell(p.schema(ctx, words[1:]))
	case name == ".quit" || name == ".exit":
		return true
	default:
		p.run(ctx, p.dialect().tables, sqlOptions{timeout: p.options.timeout})
	}
	return false
}

// schema writes the statements that make the object of a name, or all objects.
func (p *prompt) schema(ctx context.Context, names []string) error {
	name := sql.Named("name", nil)
	if len(names) > 0 {
		name.Value = names[0]
	}
	found := 0
	err := p.store.Query(ctx, p.dialect().schema, func([]string) error { return nil }, func(row []any) error {
		found++
		for line := range strings.Lines(fmt.Sprint(row[0], ";")) {
			if _, err := fmt.Fprintln(p.env.stdout, render.Clean(strings.TrimRight(line, "\n"))); err != nil {
				return err
			}
		}
		return nil
	}, name)
	if err == nil && found == 0 {
		return usage("there is no view or table %q\n\".tables\" lists them", names[0])
	}
	return err
}
