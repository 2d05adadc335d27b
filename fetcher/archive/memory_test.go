package archive_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/archive"
	"github.com/lobstrail/lobstrail/store"
)

// thirsty counts, and measures the heap now and then.
type thirsty struct {
	counting
	heap uint64 // the most that was in use after a collection
}

func (h *thirsty) AppendAll(ctx context.Context, responses []store.Response) (store.Appended, error) {
	if h.batches%8 == 0 {
		h.heap = max(h.heap, min(heapInUse(), heapInUse(), heapInUse())) // the reader goes on meanwhile
	}
	return h.counting.AppendAll(ctx, responses)
}

func heapInUse() uint64 {
	runtime.GC()
	var now runtime.MemStats
	runtime.ReadMemStats(&now)
	return now.HeapAlloc
}

// heapOf imports so many commits of so many accounts, each object another one, and
// every other commit with something that is no account or cannot be read.
func heapOf(t *testing.T, commits, accounts int) *thirsty {
	t.Helper()
	rec := &thirsty{}
	items := func(yield func(archive.Item, error) bool) {
		for n := range commits {
			body := crowd(0, accounts, fmt.Sprint(n)) + []string{"", "{}", "{}]"}[n%3]
			item := text(fmt.Sprint("commit ", n), start.Add(time.Duration(n)*time.Second), body)
			if accounts == 0 && n%2 == 0 {
				item.Lost = errDisk
			}
			if !yield(item, nil) {
				return
			}
		}
	}
	if _, _, err := archive.Import(t.Context(), rec, items, archive.Options{Now: clock}, nil); err != nil {
		t.Fatal(err)
	}
	if rec.accounts != commits*accounts {
		t.Fatalf("%d accounts of %d", rec.accounts, commits*accounts)
	}
	return rec
}

// TestMemoryIsFlat: in commits, in accounts, and in failures.
func TestMemoryIsFlat(t *testing.T) {
	if testing.Short() {
		t.Skip("many objects")
	}
	const most = 48 << 20 // two batches, the digests of what was seen, a window
	tests := map[string]struct{ commits, accounts int }{
		"few": {100, 60}, "20 times the commits": {2000, 60}, "10 times the accounts": {100, 600}, "nobody, many times": {40000, 0},
	}
	for name, test := range tests {
		rec := heapOf(t, test.commits, test.accounts)
		if rec.heap > most || rec.largest > 8<<20 || rec.most > 8500 {
			t.Errorf("%s: %d MiB in use, the largest batch has %d bytes, %d failures", name, rec.heap>>20, rec.largest, rec.most)
		}
		if rec.batches < 3 && name != "few" && test.accounts > 0 {
			t.Errorf("%s: only %d batches", name, rec.batches)
		}
		t.Logf("%s: %d MiB, %d batches, %d failures", name, rec.heap>>20, rec.batches, rec.failures)
	}
}
