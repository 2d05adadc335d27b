package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/peterh/liner"
)

// openLines reads from the terminal, with editing and history where it can be. A
// message on cleared is Ctrl-C.
func (a *app) openLines(cleared <-chan struct{}) lineReader {
	if a.env.editor == nil {
		return newPlainLines(a.env.stdin, a.env.stderr, cleared)
	}
	e := &editedLines{editor: a.env.editor(), history: a.openHistory()}
	for _, line := range e.history.lines {
		e.editor.AppendHistory(line)
	}
	return e
}

// newEditor edits lines on the terminal that standard input and output are.
func newEditor() *liner.State {
	editor := liner.NewLiner()
	editor.SetCtrlCAborts(true)
	editor.SetBeep(false)
	editor.SetMultiLineMode(true)
	return editor
}

// editedLines are lines that are edited while they are typed.
type editedLines struct {
	editor  *liner.State
	history *history
}

func (e *editedLines) read(ctx context.Context, sign string) (line string, err error) {
	done := make(chan struct{})
	go func() { // the editor waits for the terminal, whatever becomes of ctx
		line, err = e.editor.Prompt(sign)
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	if errors.Is(err, liner.ErrPromptAborted) {
		return "", errCleared
	}
	return line, err
}

func (e *editedLines) remember(line string) {
	if e.history.add(line) {
		e.editor.AppendHistory(line)
	}
}

func (e *editedLines) close() { e.editor.Close() }

// plainLines are lines as the terminal gives them.
type plainLines struct {
	sign    io.Writer
	cleared <-chan struct{}
	typed   chan string // closed at the end
	err     error       // to be read after that
}

func newPlainLines(in io.Reader, sign io.Writer, cleared <-chan struct{}) *plainLines {
	p := &plainLines{sign: sign, cleared: cleared, typed: make(chan string)}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxQueryBytes)
	go func() { // it waits for the terminal, whatever becomes of who asks
		for lines.Scan() {
			p.typed <- lines.Text()
		}
		p.err = lines.Err()
		close(p.typed)
	}()
	return p
}

func (p *plainLines) read(ctx context.Context, sign string) (string, error) {
	fmt.Fprint(p.sign, sign)
	select {
	case line, more := <-p.typed:
		if !more && p.err == nil {
			return "", io.EOF
		}
		return line, p.err
	case <-p.cleared:
		fmt.Fprintln(p.sign)
		return "", errCleared
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

func (p *plainLines) remember(string) {}

func (p *plainLines) close() {}
