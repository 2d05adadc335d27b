package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/term"
)

// errInterrupted is the cause of the context once the user asked to stop.
var errInterrupted = errors.New("interrupted")

func main() {
	ctx, stop := interruptible(context.Background())
	code := run(ctx, systemEnv(), os.Args[1:])
	stop()
	os.Exit(code)
}

// interruptible answers a context that the first SIGINT or SIGTERM cancels. The
// second one kills the process, as if nobody had listened.
func interruptible(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		if _, open := <-signals; open {
			signal.Stop(signals)
			cancel(errInterrupted)
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel(nil)
	}
}

func systemEnv() *environment {
	hostname, _ := os.Hostname() // a machine need not have a name
	zone, zoneErr := localZone(os.LookupEnv, systemZoneFile)
	columns, lines := sizeOf(os.Stdout)
	errColumns, _ := sizeOf(os.Stderr)
	return &environment{
		stdin:        os.Stdin,
		stdout:       os.Stdout,
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
	}
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
