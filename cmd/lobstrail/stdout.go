package main

import (
	"errors"
	"io"
	"syscall"
)

// answerWriter writes to standard output and remembers that it failed, also where
// the caller does not look: an answer that did not arrive is a failure.
type answerWriter struct {
	out io.Writer
	err error
}

func (w *answerWriter) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.out.Write(p)
	if w.err = err; errors.Is(err, syscall.EPIPE) {
		w.err = &hintedError{err, "the program that read the answer ended before it was complete"}
	}
	return n, w.err
}

// behind returns what an answerWriter writes to: another program must have the
// terminal itself.
func behind(out io.Writer) io.Writer {
	if answer, ok := out.(*answerWriter); ok {
		return answer.out
	}
	return out
}

// errClosed is for an answer that nobody can get.
var errClosed = &hintedError{errors.New("standard output is closed"), "the answer is lost; send it to a file or a program"}

// closedOutput stands for a standard output that is closed. Go opens /dev/null in
// its place, which takes everything without a word.
type closedOutput struct{}

func (closedOutput) Write([]byte) (int, error) { return 0, errClosed }

// unheard reports whether nobody can read what a command tells of its work, and
// says so on stderr. It is no error, as it is for an answer that was asked for: the
// work is done.
func (a *app) unheard() bool {
	if !a.outputClosed() {
		return false
	}
	a.note("note: standard output is closed: what was done is not shown")
	return true
}

func (a *app) outputClosed() bool {
	return behind(a.env.stdout) == closedOutput{}
}

// exitCodeTells drops the answer if standard output is closed: who asked for an
// exit code has it.
func (a *app) exitCodeTells() {
	if a.outputClosed() {
		a.env.stdout = io.Discard
	}
}
