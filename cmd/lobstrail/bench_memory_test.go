//go:build unix

package main_test

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/fetcher/lobstrtest/oracle"
)

// maxMemory is what the process of a batch may take at its peak, whatever the
// number of accounts.
const maxMemory = 128 << 20

// BenchmarkSnapshot takes batches of a whole workspace as real processes, over
// real HTTP from the fake API: a first one and an unchanged one. It prints the
// time and the peak of memory of each, and fails when that is 128 MiB or more or
// when there were more calls than pages. The workspace has 2,000 accounts; with
// LOBSTRAIL_BENCH set there are two, of 10,000 and of 100,000.
func BenchmarkSnapshot(b *testing.B) {
	sizes := []int{2_000}
	if os.Getenv("LOBSTRAIL_BENCH") != "" {
		sizes = []int{10_000, 100_000}
	}
	binary := buildCommand(b)
	for _, accounts := range sizes {
		b.Run(strconv.Itoa(accounts), func(b *testing.B) { benchmarkSnapshot(b, binary, accounts) })
	}
}

func benchmarkSnapshot(b *testing.B, binary string, accounts int) {
	url := serveAccounts(b, accounts)
	db := filepath.Join(b.TempDir(), "store.db")
	first, peak := snapshotProcess(b, binary, db, url, accounts)
	b.ReportMetric(first.Seconds(), "first-s")
	b.ReportMetric(peak/(1<<20), "first-MiB")
	var took []time.Duration
	for range atLeast(b, 3) {
		again, memory := snapshotProcess(b, binary, db, url, accounts)
		took, peak = append(took, again), max(peak, memory)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(took).Seconds(), "again-s")
	b.ReportMetric(peak/(1<<20), "peak-MiB")
	if peak >= maxMemory {
		b.Errorf("%d accounts: %.0f bytes of memory at the peak, %d are allowed", accounts, peak, maxMemory)
	}
}

// serveAccounts starts a fake API in a process of its own.
func serveAccounts(b *testing.B, accounts int) (url string) {
	b.Helper()
	cmd := exec.Command(os.Args[0], "-test.run", "^TestServeBenchmark$", "-test.timeout", "0")
	cmd.Env = append(os.Environ(), serveVariable+"="+strconv.Itoa(accounts))
	cmd.Stderr = os.Stderr
	stop, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = stop.Close()
		_ = cmd.Wait()
	})
	if _, err := fmt.Fscanln(out, &url); err != nil {
		b.Fatal(err)
	}
	return url
}

const serveVariable = "LOBSTRAIL_BENCH_SERVE"

// TestServeBenchmark is no test but the server of BenchmarkSnapshot. It serves
// until its standard input ends.
func TestServeBenchmark(t *testing.T) {
	accounts, err := strconv.Atoi(os.Getenv(serveVariable))
	if err != nil {
		t.Skip("BenchmarkSnapshot runs it")
	}
	server, err := lobstrtest.Listen(oracle.RandomWorld(1, oracle.RandomOptions{Accounts: accounts, Events: -1}))
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	fmt.Println(server.URL)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func snapshotProcess(b *testing.B, binary, db, url string, accounts int) (time.Duration, float64) {
	b.Helper()
	env := []string{
		"LOBSTRAIL_DB=" + db, "HOME=" + filepath.Dir(binary), "LOBSTR_API_BASE=" + url, "LOBSTR_TOKEN=" + lobstrtest.DefaultToken,
	}
	done := launch(b, env, binary, "snapshot", "--json", "--quiet")
	var run struct{ Captured, Requests int }
	err := json.Unmarshal([]byte(done.Head), &run)
	if calls := (accounts + 99) / 100; err != nil || run.Captured != accounts || run.Requests != calls {
		b.Fatalf("%d of %d accounts with %d calls, want %d: %v\n%s", run.Captured, accounts, run.Requests, calls, err, done.Head)
	}
	return done.Took, float64(done.Peak)
}
