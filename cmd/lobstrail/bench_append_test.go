//go:build unix

package main_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// These benchmarks append batches of a whole workspace, in pages of a hundred as
// the API's list has them, each page a transaction with synchronous=FULL as in
// production. The digests of a page are taken while the page before is stored, as a
// batch does where it reads the answers, and that is a part of the time. They
// print, as medians of all batches measured:
//
//	snapshots/s      what is hashed and stored
//	bare-rows/s      the same (response, account, document) rows, written right
//	                 after each batch by one prepared INSERT a row through the
//	                 same driver, pragmas and transactions into a table with
//	                 nothing but the key of table snapshot: no other table, index,
//	                 foreign key or trigger
//	of-bare          the ratio of the two, batch by batch
//	db-B/snapshot    growth of the database after a checkpoint
//	wal-B/snapshot   bytes written to the journal: frames of whole pages
//	allocs/snapshot  allocations in Go
//
// The workspace has 1,000 accounts, or as many as LOBSTRAIL_BENCH says:
//
//	go test ./cmd/lobstrail -run '^$' -bench Append
//	LOBSTRAIL_BENCH=10000x1000 go test ./cmd/lobstrail -run '^$' -bench Append

// BenchmarkAppendUnchanged has all batches written by one process.
func BenchmarkAppendUnchanged(b *testing.B) { benchmarkAppend(b, benched{}) }

// BenchmarkAppendUnchangedAnew opens the store for each batch, as a job does that
// is started every quarter of an hour: nothing is at hand, and the journal has to
// grow. The bare table is opened anew too.
func BenchmarkAppendUnchangedAnew(b *testing.B) { benchmarkAppend(b, benched{anew: true}) }

// BenchmarkAppendChanged1pct has one account in a hundred change from batch to
// batch, and the counters of another.
func BenchmarkAppendChanged1pct(b *testing.B) {
	benchmarkAppend(b, benched{changed: 0.01, moved: 0.01})
}

// BenchmarkAppendFirst is the first sight of all accounts.
func BenchmarkAppendFirst(b *testing.B) {
	h := benchHistory(b)
	var took []time.Duration
	for range atLeast(b, 3) {
		w := openBench(b, h)
		took = append(took, w.batch(b))
		w.close(b)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(h.Accounts)/median(took).Seconds(), "snapshots/s")
}

// benched says what happens between two batches.
type benched struct {
	changed, moved float64 // to these shares of the accounts, and of their counters
	anew           bool    // the store is closed and opened again
}

func benchmarkAppend(b *testing.B, between benched) {
	h := benchHistory(b)
	w := openBench(b, h)
	w.batch(b) // first sights
	w.batch(b)
	w.reopen(b)
	bare := openBare(b)
	bare.batch(b, h.Accounts)

	batches := atLeast(b, 10)
	var took, tookBare []time.Duration
	var ratios []float64
	var frames, mallocs uint64
	size := fileSize(b, w.path)
	for range batches {
		w.fleet.Change(between.changed, w.now)
		w.fleet.Move(between.moved, w.now)
		if between.anew {
			w.reopen(b)
			bare.reopen(b)
		}
		before, written := mallocsNow(), w.frames
		took = append(took, w.batch(b))
		mallocs += mallocsNow() - before
		frames += w.frames - written
		tookBare = append(tookBare, bare.batch(b, h.Accounts))
		ratios = append(ratios, tookBare[len(ratios)].Seconds()/took[len(ratios)].Seconds())
	}
	w.reopen(b)
	snapshots := float64(batches * h.Accounts)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(h.Accounts)/median(took).Seconds(), "snapshots/s")
	b.ReportMetric(float64(h.Accounts)/median(tookBare).Seconds(), "bare-rows/s")
	b.ReportMetric(median(ratios), "of-bare")
	b.ReportMetric(float64(fileSize(b, w.path)-size)/snapshots, "db-B/snapshot")
	b.ReportMetric(float64(frames)*4120/snapshots, "wal-B/snapshot")
	b.ReportMetric(float64(mallocs)/snapshots, "allocs/snapshot")
	w.close(b)
	bare.close(b)
}

func benchHistory(b *testing.B) History {
	b.Helper()
	h, err := FromEnv()
	if err != nil {
		b.Fatal(err)
	}
	return h
}

// appending is a store that batches are appended to.
type appending struct {
	path   string
	fleet  *Fleet
	now    time.Time
	store  store.Store
	frames uint64 // written to the journal so far
}

func openBench(b *testing.B, h History) *appending {
	b.Helper()
	w := &appending{
		path: filepath.Join(b.TempDir(), fmt.Sprint(time.Now().UnixNano()), "store.db"),
		now:  h.Begin(), fleet: NewFleet(h.Accounts, h.Squids, h.Begin(), h.Seed),
	}
	w.open(b)
	return w
}

func (w *appending) open(b *testing.B) {
	b.Helper()
	var err error
	options := sqlite.Options{Rules: report.Rules(), Now: func() time.Time { return w.now }}
	if w.store, _, err = sqlite.OpenWriter(b.Context(), w.path, options); err != nil {
		b.Fatal(err)
	}
}

func (w *appending) close(b *testing.B) {
	b.Helper()
	if err := w.store.Close(); err != nil {
		b.Fatal(err)
	}
}

// reopen leaves an empty journal, so that the file is all of the database.
func (w *appending) reopen(b *testing.B) {
	b.Helper()
	w.close(b)
	w.open(b)
}

// batch appends all accounts once and answers how long that took, without Begin and
// Finish; a look at the journal after each page is in it.
func (w *appending) batch(b *testing.B) (took time.Duration) {
	b.Helper()
	ctx := b.Context() // like that of a command, it can be cancelled
	run, err := w.store.Begin(ctx, "default", store.ScopeAll)
	if err != nil {
		b.Fatal(err)
	}
	journal := walFrames(b, w.path)
	sent, requests := w.now, 0
	start := time.Now()
	for page := range digested(w.fleet.Pages()) {
		sent, requests = sent.Add(time.Second), requests+1
		done, err := run.Append(ctx, store.Response{
			Source: store.List, Sent: sent, Received: sent.Add(time.Second), Page: requests, Requests: requests, Accounts: page,
		})
		if err != nil || done.Captured() != len(page) {
			b.Fatal(done, err)
		}
		// A journal that was emptied begins anew.
		frames := walFrames(b, w.path)
		if w.frames += frames; frames > journal {
			w.frames -= journal
		}
		journal = frames
	}
	took = time.Since(start)
	if err := run.Finish(ctx, store.Outcome{State: store.Complete}); err != nil {
		b.Fatal(err)
	}
	w.now = w.now.Add(time.Hour)
	return took
}

// digested takes the digests of the pages, one page ahead of who takes them.
func digested(pages [][]store.Observed) <-chan []store.Observed {
	ready := make(chan []store.Observed)
	go func() {
		defer close(ready)
		for _, page := range pages {
			page = slices.Clone(page)
			for i := range page {
				page[i].Digest = page[i].Sum()
			}
			ready <- page
		}
	}()
	return ready
}

// walFrames is how many frames the journal holds: mxFrame of the header of the
// -shm file (https://sqlite.org/walformat.html, section 2.1).
func walFrames(b *testing.B, path string) uint64 {
	b.Helper()
	f, err := os.Open(path + "-shm")
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	var header [20]byte
	if _, err := f.ReadAt(header[:], 0); err != nil {
		b.Fatal(err)
	}
	return uint64(binary.NativeEndian.Uint32(header[16:]))
}

func fileSize(b *testing.B, path string) int64 {
	b.Helper()
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	return info.Size()
}

func mallocsNow() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}
