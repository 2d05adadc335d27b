package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// BenchmarkLog appends batches of 2,000 unchanged accounts, in pages of a hundred,
// each a transaction as in production: to one store with its log, and to another one
// without, batch by batch in turn. Both are opened anew for each batch, as cron does.
// It prints
//
//	with/without     the median of the ratios of the times
//	log-B/snapshot   by how much more the database with the log grows
func BenchmarkLog(b *testing.B) {
	with, without := newLogBench(b), newLogBench(b)
	with.batch(b)
	store.WithoutLog(func() { without.batch(b) })
	grown, grownWithout := with.size(b), without.size(b)
	var ratios []float64
	batches := max(b.N, 20)
	for range batches {
		took := with.batch(b)
		var base time.Duration
		store.WithoutLog(func() { base = without.batch(b) })
		ratios = append(ratios, took.Seconds()/base.Seconds())
	}
	slices.Sort(ratios)
	more := with.size(b) - grown - (without.size(b) - grownWithout)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ratios[len(ratios)/2], "with/without")
	b.ReportMetric(float64(more)/float64(batches*len(with.accounts)), "log-B/snapshot")
}

// logBench is a store that batches are appended to.
type logBench struct {
	path     string
	accounts []store.Observed
	now      time.Time
}

func newLogBench(b *testing.B) *logBench {
	l := &logBench{path: filepath.Join(b.TempDir(), "store.db"), now: start}
	icon := strings.Repeat("aWNvbg", 700)
	for i := range 2000 {
		id := fmt.Sprintf("%032x", i*7919+1)
		raw := fmt.Appendf(nil, `{"id":"%s","username":"u%d","status":"200","icon":"%s","params":{"user":{"p":{"max":9,"value":%d}}}}`,
			id, i, icon, i%9)
		account := store.Observed{ID: id, Raw: raw}
		account.Digest = account.Sum()
		l.accounts = append(l.accounts, account)
	}
	return l
}

// batch appends all accounts, and answers how long that took without opening and
// closing.
func (l *logBench) batch(b *testing.B) (took time.Duration) {
	b.Helper()
	l.now = l.now.Add(15 * time.Minute)
	s, _, err := store.OpenWriter(b.Context(), l.path, writer(l.now))
	if err != nil {
		b.Fatal(err)
	}
	begun := time.Now()
	run, err := s.Begin(b.Context(), "default", store.ScopeAll)
	if err != nil {
		b.Fatal(err)
	}
	for page := range slices.Chunk(l.accounts, 100) {
		_, err := run.Append(b.Context(), store.Response{Source: store.List, Sent: l.now, Received: l.now, Accounts: page})
		if err != nil {
			b.Fatal(err)
		}
	}
	if err := run.Finish(b.Context(), store.Outcome{State: store.Complete}); err != nil {
		b.Fatal(err)
	}
	took = time.Since(begun)
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	return took
}

func (l *logBench) size(b *testing.B) int64 {
	b.Helper()
	info, err := os.Stat(l.path)
	if err != nil {
		b.Fatal(err)
	}
	return info.Size()
}
