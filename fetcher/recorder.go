package fetcher

import (
	"context"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// Recorder is what a batch writes to. A batch calls it from one goroutine at a
// time, and never again after it returned an error.
type Recorder interface {
	// Append stores what the response shows, whole or not at all. The bytes of
	// the response are reused once it returned.
	Append(ctx context.Context, r store.Response) (store.Appended, error)
	// Fail stores failures that no understood response carried. requests is the
	// number of requests the run has sent so far.
	Fail(ctx context.Context, requests int, failures ...store.Failure) error
	// Unlist notes, after a complete list whose last page was received at `at`,
	// that every account known in the workspace, not gone and neither seen nor
	// failed by this run, is missing from it. It answers how many.
	Unlist(ctx context.Context, at time.Time) (int, error)
	// Missing lists up to n of the accounts so noted by this run, in id order
	// after the id `after` ("" from the start), that this run has not asked for
	// yet.
	Missing(ctx context.Context, after string, n int) ([]string, error)
	// Known answers how many of ids the workspace has ever seen, and how many
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
