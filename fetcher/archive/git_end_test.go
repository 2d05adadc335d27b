package archive_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/archive"
)

var errStop = errors.New("enough")

// TestGitEnds: its processes and our goroutines are gone, however a walk ends.
func TestGitEnds(t *testing.T) {
	history := longHistory(t)
	ends := map[string]func(ctx context.Context, cancel func(error)){
		"read to the end": func(ctx context.Context, _ func(error)) {
			for item, err := range archive.Git(ctx, history) {
				readAll(t, item, err)
			}
		},
		"not read at all": func(ctx context.Context, _ func(error)) {
			n := 0
			for range archive.Git(ctx, history) {
				n++
			}
			if n != 400 {
				t.Error(n)
			}
		},
		"left at the first": func(ctx context.Context, _ func(error)) {
			for range archive.Git(ctx, history) {
				break
			}
		},
		"left within a file": func(ctx context.Context, _ func(error)) {
			for item := range archive.Git(ctx, history) {
				if in, err := item.Open(); err != nil {
					t.Error(err)
				} else if _, err := in.Read(make([]byte, 10)); err != nil {
					t.Error(err)
				}
				break
			}
		},
		"stopped": func(ctx context.Context, cancel func(error)) {
			n := 0
			for _, err := range archive.Git(ctx, history) {
				if n++; n == 50 {
					cancel(errStop)
				}
				if err != nil && n < 50 {
					t.Error(err)
				}
			}
		},
		"stopped before": func(ctx context.Context, cancel func(error)) {
			cancel(errStop)
			for item, err := range archive.Git(ctx, history) {
				if err == nil {
					t.Error(item.Name)
				}
			}
		},
	}
	for name, walk := range ends {
		t.Run(name, func(t *testing.T) { leavesNothing(t, walk) })
	}
}

// longHistory has 400 commits.
func longHistory(t *testing.T) archive.History {
	t.Helper()
	r := newRepo(t)
	for n := range 400 {
		r.commit(hours(n), map[string]string{"f": crowd(n, 40, "1")})
	}
	r.write()
	return r.find(t, "f", "")
}

// leavesNothing runs a walk and waits for its processes and goroutines to be gone.
func leavesNothing(t *testing.T, walk func(ctx context.Context, cancel func(error))) {
	t.Helper()
	goroutines := countGoroutines()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	walk(ctx, cancel)
	cancel(nil)
	for begun := time.Now(); countGoroutines() > goroutines || children(t) != ""; time.Sleep(time.Millisecond) {
		if time.Since(begun) > 20*time.Second {
			t.Fatalf("%d goroutines instead of %d, children %q", countGoroutines(), goroutines, children(t))
		}
	}
}
