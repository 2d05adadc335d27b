//go:build unix

package main_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// launched is what became of a process.
type launched struct {
	Took   time.Duration
	CPU    time.Duration // of all its threads
	Peak   int64         // of its memory, in bytes
	Head   string        // the beginning of what it wrote to its standard output
	Errors string        // and to its standard error
	Failed string        // why it is no success
}

const (
	launchVariable = "LOBSTRAIL_BENCH_LAUNCH"
	headBytes      = 64 << 10
)

// launch runs a command to its end. That is left to a small process in between:
// the peak of a process is, on Linux, at least the memory of the one that began
// it, and a benchmark has a lot.
func launch(b *testing.B, env []string, command ...string) (done launched) {
	b.Helper()
	spec, err := json.Marshal(command)
	if err != nil {
		b.Fatal(err)
	}
	launcher := exec.Command(os.Args[0], "-test.run", "^TestLaunchBenchmark$")
	launcher.Env = append(slices.Clone(env), launchVariable+"="+string(spec))
	launcher.Stderr = os.Stderr
	out, err := launcher.Output()
	if err == nil {
		err = json.NewDecoder(bytes.NewReader(out)).Decode(&done) // the launcher's PASS follows
	}
	if err != nil || done.Failed != "" {
		b.Fatalf("lobstrail %s: %v %s\n%s%s", strings.Join(command[1:], " "), err, done.Failed, done.Errors, done.Head)
	}
	return done
}

// TestLaunchBenchmark is no test but the process in between.
func TestLaunchBenchmark(t *testing.T) {
	var command []string
	if json.Unmarshal([]byte(os.Getenv(launchVariable)), &command) != nil {
		t.Skip("benchmarks run it")
	}
	if err := json.NewEncoder(os.Stdout).Encode(runTimed(command)); err != nil {
		t.Fatal(err)
	}
}

// runTimed runs the command with its output in a pipe, as in "lobstrail ... | jq".
func runTimed(command []string) (done launched) {
	cmd := exec.Command(command[0], command[1:]...)
	var problems strings.Builder
	cmd.Stderr = &problems
	start := time.Now()
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		done.Failed = err.Error()
		return done
	}
	head, err := io.ReadAll(io.LimitReader(out, headBytes))
	if err == nil {
		_, err = io.Copy(io.Discard, out)
	}
	if ended := cmd.Wait(); err == nil {
		err = ended
	}
	done.Took = time.Since(start)
	done.CPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	done.Peak, done.Head, done.Errors = maxRSS(cmd.ProcessState), string(head), problems.String()
	if err != nil {
		done.Failed = err.Error()
	}
	return done
}

// maxRSS is the peak of a process's memory in bytes.
func maxRSS(state *os.ProcessState) int64 {
	peak := int64(state.SysUsage().(*syscall.Rusage).Maxrss)
	if runtime.GOOS == "darwin" {
		return peak
	}
	return peak << 10
}

// buildCommand builds the program that is timed. With -short it is the copy of the test binary
// that the tests run as the command: nothing is timed then.
func buildCommand(b *testing.B) string {
	b.Helper()
	if testing.Short() {
		binary, err := exec.LookPath("lobstrail")
		if err != nil {
			b.Fatal(err)
		}
		return binary
	}
	binary := filepath.Join(b.TempDir(), "lobstrail")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	return binary
}

func median[T time.Duration | float64](all []T) T {
	return slices.Sorted(slices.Values(all))[len(all)/2]
}

// atLeast is how often something is measured: as often as a median needs, unless -short
// only asks whether it can be.
func atLeast(b *testing.B, times int) int {
	if testing.Short() {
		return b.N
	}
	return max(b.N, times)
}
