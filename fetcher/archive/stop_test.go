package archive_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/archive"
	"github.com/lobstrail/lobstrail/store"
)

var errDisk = errors.New("the disk is full")

// failing is a run that fails at the k-th batch: before it is stored, or after it
// was, as when the answer of the disk gets lost.
type failing struct {
	store.RunWriter
	k     int
	after bool
	done  int
	stop  func() // instead of failing
}

func (f *failing) AppendAll(ctx context.Context, responses []store.Response) (store.Appended, error) {
	f.done++
	if f.done == f.k && f.stop != nil {
		f.stop()
	} else if f.done == f.k && !f.after {
		return store.Appended{}, errDisk
	}
	done, err := f.RunWriter.AppendAll(ctx, responses)
	if f.done == f.k && f.after && err == nil {
		err = errDisk
	}
	return done, err
}

// crowd is a list of so many accounts, of a hundred bytes or so each.
func crowd(from, n int, x string) string {
	var all []string
	for i := range n {
		all = append(all, object(from+i, x))
	}
	return "[" + strings.Join(all, ",") + "]"
}

// longPast is an import of several batches: one instant that fills more than one,
// and many that share one. Of two answers of one instant, some contradict each
// other, and some are pages of one answer.
var longPast = sync.OnceValue(func() []archive.Item {
	large, medium := `"`+strings.Repeat("x", 80<<10)+`"`, `"`+strings.Repeat("y", 18<<10)
	items := []archive.Item{
		text("large", start.Add(300*time.Microsecond), crowd(0, 50, large)+crowd(50, 55, large)),
		text("its second page", start.Add(400*time.Microsecond), crowd(105, 5, large)),
	}
	for i := range 14 {
		body := crowd(i, 40, fmt.Sprint(medium, i/3, `"`))
		items = append(items, text(fmt.Sprint("small ", i), start.Add(time.Duration(i/2+1)*time.Hour), body))
	}
	return append(items, text("the last", start.AddDate(0, 0, 9), crowd(400, 50, "2")))
})

// interrupt imports the long past until the run fails, and answers how.
func (f *failing) interrupt(ctx context.Context, s store.Store) (store.Outcome, error) {
	outcome, _, err := archive.Import(ctx, f, sequence(longPast()...), archive.Options{Now: clock}, nil)
	finished := f.RunWriter.Finish(context.WithoutCancel(ctx), outcome)
	return outcome, errors.Join(err, finished)
}

// TestGoesOnWhereItStopped lets an import fail at each of its batches, or stops it
// there; what comes of it when it is run again is what an undisturbed one gives.
func TestGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	steady := openStore(t)
	importInto(t, steady, sequence(longPast()...), archive.Options{})
	for _, how := range []string{"failed and not stored", "failed but stored", "stopped"} {
		t.Run(how, func(t *testing.T) {
			step := 1
			if testing.Short() {
				step = 3
			}
			if testing.Short() && how != "stopped" {
				t.Skip("like that one")
			}
			t.Parallel()
			for k := 1; ; k += step {
				s := openStore(t)
				ctx, cancel := context.WithCancelCause(t.Context())
				f := &failing{RunWriter: begin(t, s, store.ScopeImport), k: k, after: how == "failed but stored"}
				want, state := errDisk, store.Failed
				if how == "stopped" {
					f.stop, state = func() { cancel(errDisk) }, store.Interrupted
				}
				outcome, err := f.interrupt(ctx, s)
				cancel(nil)
				if f.done < k { // there are no so many batches
					if err != nil || k < 4 {
						t.Fatalf("%d batches, %v", f.done, err)
					}
					return
				}
				if !errors.Is(err, want) || outcome.State != state || strings.Count(err.Error(), want.Error()) != 1 {
					t.Fatalf("batch %d: %v, %+v", k, err, outcome)
				}
				done := importInto(t, s, sequence(longPast()...), archive.Options{})
				if !sameHistory(t, steady, s) || done.outcome.State != store.Complete {
					t.Fatalf("batch %d: %+v", k, done)
				}
			}
		})
	}
}

// TestStoppedAnywhereItEnds stops imports at random instants: they end at once,
// and store nothing behind.
func TestStoppedAnywhereItEnds(t *testing.T) {
	t.Parallel()
	page := crowd(0, 900, "1")
	for n := range 10 {
		ctx, cancel := context.WithCancelCause(t.Context())
		rec := &counting{}
		rec.stop = func() {
			if rec.batches == 1+n%7 {
				cancel(errDisk)
			}
		}
		endless := func(yield func(archive.Item, error) bool) {
			for i := 0; yield(text("x", start.Add(time.Duration(i)*time.Second), page), nil); i++ {
			}
		}
		ended := make(chan error, 1)
		go func() {
			_, _, err := archive.Import(ctx, rec, endless, archive.Options{Now: clock}, nil)
			ended <- err
		}()
		select {
		case err := <-ended:
			if !errors.Is(err, errDisk) {
				t.Fatal(err)
			}
		case <-time.After(time.Minute):
			buf := make([]byte, 1<<16)
			t.Fatalf("it hangs\n%s", buf[:runtime.Stack(buf, true)])
		}
		cancel(nil)
	}
}

// counting stores nothing and counts.
type counting struct {
	batches, responses, accounts, failures int
	largest                                int // batch, in bytes of objects
	most                                   int // failures stored at once
	stop                                   func()
}

func (c *counting) AppendAll(ctx context.Context, responses []store.Response) (done store.Appended, err error) {
	c.batches++
	bytes := 0
	for _, r := range responses {
		c.responses++
		c.accounts += len(r.Accounts)
		done.Changed += len(r.Accounts)
		done.Failed += len(r.Failures)
		for _, a := range r.Accounts {
			bytes += len(a.Raw)
			if !json.Valid(a.Raw) {
				return done, fmt.Errorf("not JSON: %.100s", a.Raw)
			}
		}
	}
	c.largest = max(c.largest, bytes)
	if c.stop != nil {
		c.stop()
	}
	return done, ctx.Err()
}

func (c *counting) Fail(_ context.Context, _ int, failures ...store.Failure) error {
	c.failures += len(failures)
	c.most = max(c.most, len(failures))
	return nil
}

func (c *counting) Newest() time.Time { return time.Time{} }

func (c *counting) Moment(context.Context, time.Time) (store.Moment, error) { return nil, nil }

func (c *counting) Conclude(context.Context, store.Conclusion) (store.Appended, error) {
	return store.Appended{}, nil
}

func (c *counting) Known(context.Context, []string) (hits, total int, err error) { return 0, 0, nil }

func (c *counting) Told(context.Context, string) (bool, error) { return false, nil }
