package fetcher

import (
	"context"
	"iter"
	"strings"
	"sync"

	"github.com/lobstrail/lobstrail/store"
)

// detail is what asking for one account came to.
type detail struct {
	id       string
	response store.Response
	err      error
}

// details asks for accounts, Concurrency at a time, and stores what comes back.
// It returns how many ids there were, also those it did not get to. An error
// means that the job must not go on; requests under way are then cancelled, and
// nothing is concluded from their answers.
func (b *batch) details(ctx context.Context, ids iter.Seq[string]) (named int, err error) {
	flight, land := context.WithCancel(ctx)
	defer land()
	results := make(chan detail)
	go func() {
		defer close(results)
		named = b.ask(flight, ids, results)
	}()
	// The loop goes on to the end also after an error, for only then every
	// goroutine has ended.
	for result := range results {
		if err == nil {
			if err = b.settle(ctx, result); err != nil {
				land()
			}
		}
	}
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return named, err
}

// ask sends the answers for ids to results and returns when all have come. It
// answers the number of ids.
func (b *batch) ask(ctx context.Context, ids iter.Seq[string], results chan<- detail) int {
	jobs := make(chan string)
	var workers sync.WaitGroup
	for range b.config.Concurrency {
		workers.Go(func() {
			for id := range jobs {
				response, err := b.account(ctx, id)
				results <- detail{id: id, response: response, err: err}
			}
		})
	}
	named := 0
	for id := range ids {
		named++
		select {
		case jobs <- strings.ToLower(id):
		case <-ctx.Done(): // count the rest
		}
	}
	close(jobs)
	workers.Wait()
	return named
}

// settle stores one result, or holds it back.
func (b *batch) settle(ctx context.Context, result detail) error {
	if result.err != nil {
		return b.fail(ctx, result.id, result.err)
	}
	b.outages = 0
	if len(result.response.Absent) > 0 {
		return b.settleAbsent(ctx, result.response)
	}
	b.captured++
	if err := b.trust(ctx, []string{result.id}); err != nil {
		return err
	}
	if err := b.contradicted(ctx, result.id, "a later one"); err != nil {
		return err
	}
	_, err := b.append(ctx, result.response)
	return err
}
