package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"

	"github.com/lobstrail/lobstrail/store"
)

// paged runs fn, whose answer goes through the program that PAGER names when it is
// longer than the terminal. Without a terminal or such a program it goes straight to
// stdout. Who leaves the pager early has seen enough: that is no failure.
func (a *app) paged(fn func() error) error {
	words := strings.Fields(a.env.getenv("PAGER"))
	if a.env.stdoutWidth == 0 || a.env.stdoutHeight == 0 || len(words) == 0 {
		return fn()
	}
	if _, err := exec.LookPath(words[0]); err != nil {
		return fn()
	}
	stdout := a.env.stdout
	p := &pager{out: stdout, lines: a.env.stdoutHeight - 1, program: exec.Command(words[0], words[1:]...)}
	p.program.Stdout, p.program.Stderr = behind(stdout), a.env.stderr
	if a.env.getenv("LESS") == "" {
		p.program.Env = append(p.program.Environ(), "LESS=FRX") // R: colours; F and X: leave short answers on the screen
	}
	a.env.stdout = p
	err := fn()
	a.env.stdout = stdout
	if closed := p.Close(); err == nil {
		err = closed
	}
	if p.left && (err == nil || errors.Is(err, syscall.EPIPE)) {
		return nil
	}
	return err
}

// readingPaged is reading for a command whose answer may be long.
func (a *app) readingPaged(ctx context.Context, fn func(store.Store) error) error {
	return a.paged(func() error { return a.reading(ctx, fn) })
}

// pager holds an answer back until it is longer than the terminal, and starts the
// program then.
type pager struct {
	out     io.Writer // the terminal
	lines   int       // that fit
	program *exec.Cmd
	held    bytes.Buffer
	in      io.WriteCloser // of the program, once it runs
	left    bool           // the reader left it
}

func (p *pager) Write(text []byte) (int, error) {
	if p.in == nil {
		p.held.Write(text) // a bytes.Buffer takes everything
		if bytes.Count(p.held.Bytes(), []byte("\n")) <= p.lines {
			return len(text), nil
		}
		return len(text), p.start()
	}
	n, err := p.in.Write(text)
	return n, p.seen(err)
}

func (p *pager) start() (err error) {
	if p.in, err = p.program.StdinPipe(); err != nil {
		return err
	}
	if err := p.program.Start(); err != nil {
		return err
	}
	_, err = p.in.Write(p.held.Bytes())
	return p.seen(err)
}

// seen notes that the program reads no more.
func (p *pager) seen(err error) error {
	p.left = p.left || errors.Is(err, syscall.EPIPE)
	return err
}

// Close waits until the reader is done, or writes what was too short for the program.
func (p *pager) Close() error {
	if p.in == nil {
		_, err := p.out.Write(p.held.Bytes())
		return err
	}
	closed := p.seen(p.in.Close())
	if err := p.program.Wait(); err != nil {
		return fmt.Errorf("the pager %s: %w", p.program.Path, err)
	}
	return closed
}
