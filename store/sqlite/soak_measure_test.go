package sqlite_test

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"testing"
)

// measure is what the process holds at a moment.
type measure struct {
	round, goroutines, descriptors int
	heap, resident, file           int64 // bytes
}

func (m measure) String() string {
	const mib = 1 << 20
	return fmt.Sprintf("round %6d: heap %5.1f MiB, resident %6.1f MiB, %d descriptors, %d goroutines, store %.1f MiB",
		m.round, float64(m.heap)/mib, float64(m.resident)/mib, m.descriptors, m.goroutines, float64(m.file)/mib)
}

func takeMeasure(t *testing.T, round int, path string) measure {
	t.Helper()
	debug.FreeOSMemory() // collects first
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	m := measure{round: round, goroutines: runtime.NumGoroutine(), heap: int64(stats.HeapAlloc)}
	if open, err := os.ReadDir("/proc/self/fd"); err == nil { // else there is no /proc here
		m.descriptors = len(open)
	}
	if raw, err := os.ReadFile("/proc/self/statm"); err == nil {
		var size, resident int64
		if _, err := fmt.Sscan(string(raw), &size, &resident); err != nil {
			t.Fatal(err)
		}
		m.resident = resident * int64(os.Getpagesize())
	}
	if info, err := os.Stat(path); err == nil {
		m.file = info.Size()
	}
	t.Log(m)
	return m
}

// checkMeasures holds the second half of a life to the first: what is needed is
// there by then. The bounds leave room for what comes and goes (connections, the
// pages that SQLite keeps), not for anything that grows with the rounds.
func checkMeasures(t *testing.T, all []measure) {
	t.Helper()
	const mib = 1 << 20
	var before, after measure
	for i, m := range all {
		half := &before
		if i >= len(all)/2 {
			half = &after
		}
		half.heap, half.resident = max(half.heap, m.heap), max(half.resident, m.resident)
		half.descriptors, half.goroutines = max(half.descriptors, m.descriptors), max(half.goroutines, m.goroutines)
	}
	if after.heap > before.heap+8*mib || after.resident > before.resident+64*mib ||
		after.descriptors > before.descriptors+8 || after.goroutines > before.goroutines+8 {
		t.Errorf("it grows; at most before and after half of the time:\n%s\n%s", before, after)
	}
}
