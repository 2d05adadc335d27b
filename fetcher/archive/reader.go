package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/lobstrail/lobstrail/fetcher"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/localtime"
)

// maxItemFailures is how many objects of one item may be no accounts before the
// rest of it is left alone.
const maxItemFailures = 100

// reader turns items into batches, on a goroutine of its own.
type reader struct {
	ctx       context.Context
	options   Options
	batches   *batches
	inspector *fetcher.Inspector
	known     digests // of objects
	brought   digests // of answers that this import stored: see bringsAgain
	splitter  splitter
	order     order
	result    Result
	anyone    bool // the workspace has accounts

	item   Item
	answer answer // that is being read
	failed int    // objects of the item
}

// formError says how a text is not one that can be read.
type formError struct{ text string }

func (e *formError) Error() string { return e.text }

// run reads all items.
func (r *reader) run(items Items) error {
	defer close(r.batches.ready)
	r.splitter = splitter{field: r.options.Field, sink: r}
	if err := r.batches.renew(r.ctx); err != nil {
		return err
	}
	err := r.takeAll(items)
	if cause := context.Cause(r.ctx); cause != nil {
		return cause // the batch may not be the reader's any longer
	}
	for _, text := range r.order.complaints() {
		r.fail(text)
	}
	// What was read is stored, also when there is no more to be had.
	return errors.Join(err, r.batches.send(r.ctx))
}

func (r *reader) takeAll(items Items) error {
	for item, err := range items {
		if err == nil {
			err = r.take(item)
		}
		if err == nil { // many items may have nothing but failures
			err = r.makeRoom(0)
		}
		if err != nil {
			return err
		}
		r.batches.progress.Items++
	}
	return nil
}

// take reads one item, unless it has no place in the store.
func (r *reader) take(item Item) error {
	r.item, r.answer, r.failed = item, answer{}, 0
	if item.Lost != nil {
		return r.breakOff(item.Lost)
	}
	if r.options.Field == "" {
		if err := r.date(item.At, item.Origin); err != nil || r.answer.passed {
			return err
		}
	}
	before := r.result
	err := r.read()
	switch cause := context.Cause(r.ctx); {
	case cause != nil:
		return cause
	case errors.Is(err, errPassed):
		return nil
	case err != nil:
		err = r.breakOff(err)
	case r.options.Field == "":
		err = r.finish()
	}
	if r.options.Field != "" || r.result.Skipped == before.Skipped && r.result.Refused == before.Refused {
		r.counted()
	}
	return err
}

// breakOff ends an item that cannot be read on. What it showed before was so.
func (r *reader) breakOff(reason error) error {
	if err := r.settle(false); err != nil {
		return err
	}
	r.answer.doubt = "it could not be read to its end"
	if err := r.conclude(); err != nil {
		return err
	}
	said, err := r.complain(store.Failure{
		Kind: store.FailDecode, Message: r.item.Name + ": " + strings.Join(strings.Fields(reason.Error()), " "),
	})
	switch {
	case said:
		r.result.Failed++
		r.count()
	case r.answer.stored:
		r.count()
	default:
		r.result.Skipped++
	}
	r.answer = answer{}
	return err
}

func (r *reader) read() error {
	in, err := r.item.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	text, err := openText(&counting{ctx: r.ctx, in: in, n: r.counter()})
	if err != nil {
		return err
	}
	defer text.Close()
	return r.splitter.split(text, r.item.base)
}

// counter is where the bytes read of the item are counted. An item that was read
// into memory, or is read in sections, was counted when it was sorted.
func (r *reader) counter() *int64 {
	src := r.item.source
	if src == nil || src.text == nil && !r.item.section {
		return &r.batches.progress.Bytes
	}
	if !src.counted {
		r.batches.progress.Bytes += src.size
	}
	return new(int64)
}

// counted counts an item that was read. One of which only sections are read counts
// once.
func (r *reader) counted() {
	if src := r.item.source; src != nil {
		if src.counted {
			return
		}
		src.counted = true
	}
	r.result.Items++
}

func (r *reader) fail(text string) {
	r.batches.fail(store.Failure{Kind: store.FailDecode, Message: text})
}

// account takes one object of the item.
func (r *reader) account(raw []byte) error {
	if r.answer.passed {
		return nil
	}
	seen, wrong := r.observe(raw)
	if wrong == nil {
		if err := r.expect(); err != nil || r.answer.passed {
			return err
		}
	}
	// What is withheld is replaced by a text that may be longer.
	if err := r.makeRoom(len(seen.Raw)); err != nil || r.answer.passed {
		return err
	}
	if wrong == nil {
		r.batches.add(seen)
		return nil
	}
	r.answer.doubt = "it shows something that is no account"
	failure := r.inspector.Failure(raw, wrong)
	failure.Message = r.item.Name + ": " + failure.Message
	r.batches.failed(failure)
	return r.another()
}

// another counts a failure within the item, and ends the item when there are too
// many.
func (r *reader) another() error {
	if r.failed++; r.failed > maxItemFailures {
		return &formError{fmt.Sprintf("more than %d of its objects are no accounts", maxItemFailures)}
	}
	return nil
}

// observe checks an object that was not seen lately; equal bytes are equal
// accounts.
func (r *reader) observe(raw []byte) (store.Observed, error) {
	digest := digestOf(raw)
	if id := r.known.id(digest); id != "" {
		return store.Observed{ID: id, Raw: raw, Digest: digest[:]}, nil
	}
	seen, err := r.inspector.Account(raw)
	if err != nil || seen.Withheld {
		return seen, err
	}
	r.known.add(digest, seen.ID)
	seen.Digest = digest[:]
	return seen, nil
}

// instant takes the value of the field. What it says is not repeated: it could be
// anything.
func (r *reader) instant(value []byte) error {
	if !r.answer.told.IsZero() || r.answer.passed {
		return &formError{fmt.Sprintf("member %q stands twice in one answer", r.options.Field)}
	}
	at, err := r.options.ParseTime(plainText(value))
	if unclear, ok := errors.AsType[*localtime.UnclearError](err); ok {
		return r.undated("an answer was left out whose member %q tells no instant: " + unclear.Error())
	}
	if err != nil {
		return r.undated("an answer whose member %q is no time was left out")
	}
	return r.date(at, Field)
}

// answered ends an answer.
func (r *reader) answered() error {
	if r.options.Field == "" {
		return nil // all of the item is of one instant
	}
	undated := r.answer.told.IsZero() && !r.answer.passed && len(r.batches.pages()) > 0
	if err := r.finish(); err != nil {
		return err
	}
	if undated {
		err := r.undated("an answer without member %q, which tells the instant, was left out")
		r.answer = answer{}
		return err
	}
	return nil
}

// undated leaves the answer out whose instant nothing tells.
func (r *reader) undated(format string) error {
	r.answer.passed = true
	r.fail(fmt.Sprintf("%s: "+format+" (at byte %d)", r.item.Name, r.options.Field, r.splitter.offset()))
	return r.another()
}

// counting counts what is read, and ends with ctx.
type counting struct {
	ctx context.Context
	in  io.Reader
	n   *int64
}

func (c *counting) Read(p []byte) (int, error) {
	if err := context.Cause(c.ctx); err != nil {
		return 0, err
	}
	n, err := c.in.Read(p)
	*c.n += int64(n)
	return n, err
}
