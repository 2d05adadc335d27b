//go:build linux

package engines_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/report"
)

// BenchmarkProcesses lets processes write at once, each to a workspace of its own, pages of
// a hundred accounts in which nothing has changed. It measures pages a second of all of
// them, and the time of processors that a page costs them, the server, and PgBouncer. Set
// LOBSTRAIL_TEST_FSYNC=on for `.ci/postgres start`, and LOBSTRAIL_TEST_VIA=pgbouncer for a
// second run.
func BenchmarkProcesses(b *testing.B) {
	pages := 500
	if testing.Short() {
		pages = 20
	}
	for _, processes := range []int{1, 2, 4, 8} {
		b.Run(strconv.Itoa(processes), func(b *testing.B) {
			place := onServer.Place(b, report.Rules())
			postmaster := postmasterOf(b, place)
			var took time.Duration
			var clients, server, pooler float64
			for b.Loop() {
				var workers []*worker
				for i := range processes {
					w := job{URL: place, Workspace: fmt.Sprint("w", i), Pages: pages}.start(b)
					w.next(func(news) {}, func(news) bool { return true }) // it is ready
					workers = append(workers, w)
				}
				before := used(b, postmaster, workers)
				begun := time.Now()
				for _, w := range workers {
					fmt.Fprintln(w.stdin)
				}
				for _, w := range workers {
					if n := w.next(func(news) {}, func(news) bool { return true }); n.Step != pages {
						b.Fatalf("%+v", n)
					}
				}
				took += time.Since(begun)
				after := used(b, postmaster, workers)
				clients, server, pooler = clients+after[0]-before[0], server+after[1]-before[1], pooler+after[2]-before[2]
				for _, w := range workers {
					w.stdin.Close()
					if err := w.Wait(); err != nil {
						b.Fatal(err)
					}
				}
			}
			stored := float64(pages * processes * b.N)
			b.ReportMetric(stored/took.Seconds(), "pages/s")
			b.ReportMetric(clients/stored*1000, "client-cpu-ms/page")
			b.ReportMetric(server/stored*1000, "server-cpu-ms/page")
			b.ReportMetric(pooler/stored*1000, "pooler-cpu-ms/page")
			b.ReportMetric((clients+server+pooler)/took.Seconds(), "cpus")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// postmasterOf is the number of the server's first process.
func postmasterOf(b *testing.B, place string) int {
	b.Helper()
	var backend int
	if err := onDatabase(b, place).QueryRowContext(b.Context(), `SELECT pg_backend_pid()`).Scan(&backend); err != nil {
		b.Fatal(err)
	}
	stat := processes()[backend]
	if stat == nil {
		b.Skip("the server runs on another machine")
	}
	return stat.parent
}

type process struct {
	name   string
	parent int
	cpu    float64 // seconds, of its children that have ended, too
}

// processes are all that run here; see proc(5).
func processes() map[int]*process {
	all := map[int]*process{}
	paths, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range paths {
		text, err := os.ReadFile(path)
		open, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
		if err != nil || open < 0 || end < 0 {
			continue // it has ended
		}
		fields := strings.Fields(string(text[end+1:]))
		p := &process{name: string(text[open+1 : end])}
		p.parent, _ = strconv.Atoi(fields[1])
		for _, ticks := range fields[11:15] {
			n, _ := strconv.Atoi(ticks)
			p.cpu += float64(n) / 100
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		all[pid] = p
	}
	return all
}

// used is the time of processors that the workers, the server and PgBouncer have used.
func used(b *testing.B, postmaster int, workers []*worker) (seconds [3]float64) {
	b.Helper()
	all := processes()
	for _, w := range workers {
		seconds[0] += all[w.Process.Pid].cpu
	}
	for pid, p := range all {
		switch {
		case pid == postmaster, p.parent == postmaster:
			seconds[1] += p.cpu
		case p.name == "pgbouncer":
			seconds[2] += p.cpu
		}
	}
	return seconds
}
