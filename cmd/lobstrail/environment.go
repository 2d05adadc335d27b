package main

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/peterh/liner"
)

// environment is everything the process is given by the system. Nothing else
// here reads the environment or touches the standard streams.
type environment struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	now            func() time.Time
	zone           *time.Location
	zoneErr        error  // why zone is not known; no command that uses times may run then
	hostname       string // empty when unknown
	stdoutWidth    int    // columns; 0 when it is no terminal
	stdoutHeight   int    // lines; 0 when it is no terminal, or not known
	stderrWidth    int    // columns; 0 when it is no terminal
	stdinIsTerm    bool
	editor         func() *liner.State // edits lines on the terminal; nil where there is none
	interrupts     *interrupts         // nil where no signal comes
	hangups        func() (<-chan os.Signal, func())
	transport      http.RoundTripper // to the API; nil: one that each client makes
}

// takeInterrupts has fn called for each Ctrl-C, which then ends nothing by itself, until
// the function it returns is called.
func (e *environment) takeInterrupts(fn func()) (giveBack func()) {
	if e.interrupts == nil {
		return func() {}
	}
	return e.interrupts.take(fn)
}

// dataHome is where the store is kept by default
// (https://specifications.freedesktop.org/basedir-spec/).
func (e *environment) dataHome() (string, error) {
	return e.home("XDG_DATA_HOME", ".local", "share")
}

// configHome is where the configuration is kept: ours, and that of the vendor's tools.
func (e *environment) configHome() (string, error) { return e.home("XDG_CONFIG_HOME", ".config") }

// stateHome is where the history of the prompt is kept, and notes about stores on servers.
func (e *environment) stateHome() (string, error) {
	return e.home("XDG_STATE_HOME", ".local", "state")
}

func (e *environment) home(variable string, below ...string) (string, error) {
	if dir := e.getenv(variable); filepath.IsAbs(dir) { // a relative one is to be ignored
		return dir, nil
	}
	home := e.userHome()
	if home == "" {
		return "", errors.New("neither " + variable + " nor HOME is set")
	}
	return filepath.Join(append([]string{home}, below...)...), nil
}

// userHome is the home folder of the user; "" if it is not known.
func (e *environment) userHome() string {
	if home := e.getenv("HOME"); home != "" {
		return home
	}
	return e.getenv("USERPROFILE")
}

// variable is an environment variable; one that is set but empty counts as not
// set, as in the XDG specification.
func (e *environment) variable(name string) string {
	if value := e.getenv(name); !isEmpty(value) {
		return value
	}
	return ""
}

// width is how many columns tables may have; 0 is no bound. COLUMNS narrows or
// widens a terminal, as it does for other tools.
func (e *environment) width() int {
	if e.stdoutWidth == 0 {
		return 0
	}
	if columns, err := strconv.Atoi(e.getenv("COLUMNS")); err == nil && columns > 0 {
		return columns
	}
	return e.stdoutWidth
}
