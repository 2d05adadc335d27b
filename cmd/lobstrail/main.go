package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/peterh/liner"
	"golang.org/x/term"
)

// errInterrupted is the cause of the context once the user asked to stop.
var errInterrupted = errors.New("interrupted")

// errTerminated is the cause if it was a SIGTERM. It matches errInterrupted.
var errTerminated = fmt.Errorf("%w", errInterrupted)

func main() {
	// A write to a pipe whose reader has ended is an error then, instead of the
	// end of the process in the midst of its work.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	taken := &interrupts{}
	ctx, stop := interruptible(context.Background(), taken)
	code := run(ctx, systemEnv(taken), os.Args[1:])
	stop()
	os.Exit(code)
}

// interruptible returns a context that the first SIGINT or SIGTERM cancels. The
// second one kills the process, as if nobody had listened. A SIGINT that is taken
// does neither.
func interruptible(ctx context.Context, taken *interrupts) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		for sig := range signals {
			if sig == os.Interrupt && taken.handle() {
				continue
			}
			signal.Stop(signals)
			if sig == syscall.SIGTERM {
				cancel(errTerminated)
			} else {
				cancel(errInterrupted)
			}
			return
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel(nil)
	}
}

// hangUps hands on each SIGHUP until the function it returns is called.
func hangUps() (<-chan os.Signal, func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	return signals, func() { signal.Stop(signals) }
}

// interrupts lets a command take Ctrl-C over: at a prompt it does not end the program.
type interrupts struct {
	mu sync.Mutex
	fn func() // nil: nobody has taken it
}

// take has fn called for each SIGINT until the function it returns is called.
func (i *interrupts) take(fn func()) (giveBack func()) {
	set := func(fn func()) {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.fn = fn
	}
	set(fn)
	return func() { set(nil) }
}

// handle reports whether somebody has taken the signal.
func (i *interrupts) handle() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.fn == nil {
		return false
	}
	i.fn()
	return true
}

func systemEnv(taken *interrupts) *environment {
	hostname, _ := os.Hostname() // a machine need not have a name
	zone, zoneErr := localZone(os.LookupEnv, systemZoneFile)
	var stdout io.Writer = os.Stdout
	if closedAtStart(os.Stdout) {
		stdout = closedOutput{}
	}
	columns, lines := sizeOf(os.Stdout)
	errColumns, _ := sizeOf(os.Stderr)
	e := &environment{
		stdin:        os.Stdin,
		stdout:       stdout,
		stderr:       os.Stderr,
		getenv:       os.Getenv,
		now:          time.Now,
		zone:         zone,
		zoneErr:      zoneErr,
		hostname:     hostname,
		stdoutWidth:  columns,
		stdoutHeight: lines,
		stderrWidth:  errColumns,
		stdinIsTerm:  term.IsTerminal(int(os.Stdin.Fd())),
		interrupts:   taken,
		hangups:      hangUps,
	}
	if e.stdinIsTerm && e.stdoutWidth > 0 && liner.TerminalSupported() {
		e.editor = newEditor
	}
	return e
}

// sizeOf is how many columns and lines the terminal has; 0 when it is none. A terminal
// that does not tell has 80 columns.
func sizeOf(f *os.File) (columns, lines int) {
	if !term.IsTerminal(int(f.Fd())) {
		return 0, 0
	}
	columns, lines, err := term.GetSize(int(f.Fd()))
	if err != nil || columns <= 0 {
		return 80, 0
	}
	return columns, lines
}
