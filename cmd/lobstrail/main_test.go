package main

import (
	"flag"
	"os"
	"runtime"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// long makes the tests that take their chances take many more of them.
var long = flag.Bool("long", false, "kill and break more often (minutes)")

// fewer is how often something is repeated: less often in the short mode, which is
// for the race detector, to which repetition brings nothing.
func fewer(often, short int) int {
	if testing.Short() {
		return short
	}
	return often
}

// TestMain lets the test binary be the command: copies of it under the name
// lobstrail, first in PATH, are run as real processes.
func TestMain(m *testing.M) {
	if os.Getenv("GORACE") == "" { // else each process sleeps for a second before it ends, under -race
		os.Setenv("GORACE", "atexit_sleep_ms=0")
	}
	testscript.Main(parallel{m}, map[string]func(){"lobstrail": main})
}

// parallel runs twice as many tests at once as there are processors, because tests of commands wait
// more than they compute: for processes, servers and time.
type parallel struct{ *testing.M }

func (p parallel) Run() int {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		if err := flag.Set("test.parallel", strconv.Itoa(2*runtime.GOMAXPROCS(0))); err != nil {
			panic(err)
		}
	}
	return p.M.Run()
}
