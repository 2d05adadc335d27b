package fetcher

import (
	"context"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// Recorder is what a batch writes to. A batch calls it from one goroutine at a
// time, and never again after it returned an error.
type Recorder interface {
	// AppendAll stores what the responses show, all of it or nothing. Their bytes
	// are reused once it returned.
	AppendAll(ctx context.Context, responses []store.Response) (store.Appended, error)
	// Fail stores failures that no understood response carried. requests is the
	// number of requests the run has sent so far.
	Fail(ctx context.Context, requests int, failures ...store.Failure) error
	// Missing lists up to n accounts, in id order after the id `after` ("" from
	// the start), that the workspace knows, that are not gone, and that this run has
	// neither seen nor failed to see.
	Missing(ctx context.Context, after string, n int) ([]string, error)
	// Unlist stores that a complete list, whose last page was received at `at`, lacks
	// the accounts with these ids. Those that are gone or already unlisted stay so.
	Unlist(ctx context.Context, at time.Time, ids []string) error
	// Disappearing counts the accounts, each once, that would become unlisted if a
	// list lacked those of `missing`, or gone if detail calls answered 404 for those
	// of `absent`.
	Disappearing(ctx context.Context, missing, absent []string) (int, error)
	// Known returns how many of ids the workspace has ever seen, and how many
	// accounts it knows that are not gone.
	Known(ctx context.Context, ids []string) (hits, total int, err error)
}

// Progress is how far a batch has come.
type Progress struct {
	// Done counts accounts that were captured, found absent, or failed.
	Done int
	// Total is how many there are to do; 0 while that is not known. It may grow:
	// accounts that a list lacks are asked for one by one.
	Total int
	// Requests counts the requests sent so far, retries included.
	Requests int
}
