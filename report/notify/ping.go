package notify

import (
	"context"
	"fmt"
	"net/url"
	"sync"

	"github.com/lobstrail/lobstrail/report/alert"
)

type pingSink struct {
	limits
	*poster
}

func newPing(l limits, s Settings) (Sink, error) {
	p, err := newPoster(s)
	if err != nil {
		return nil, err
	}
	return &pingSink{l, p}, nil
}

// Send tells the sink that all is well if the message is a test. It is told of no alert.
func (s *pingSink) Send(ctx context.Context, body alert.Body) error {
	if body.Event != alert.Test {
		return nil
	}
	return s.ping(ctx, true)
}

// ping gets the URL after a complete run, and URL/fail after another one, as
// Healthchecks and its like want it. A query stays behind the path.
func (s *pingSink) ping(ctx context.Context, complete bool) error {
	return s.get(ctx, pingURL(s.url, complete))
}

func pingURL(u *url.URL, complete bool) *url.URL {
	if complete {
		return u
	}
	return u.JoinPath("fail")
}

// PingAll tells the sinks of type ping how a run went, all at once, and waits for each as
// long as its time-out at most. The errors, one for each sink that failed, name the sink.
func PingAll(ctx context.Context, sinks []Sink, complete bool) []error {
	failed := make([]error, len(sinks))
	var wait sync.WaitGroup
	for i, sink := range sinks {
		ping, ok := sink.(*pingSink)
		if !ok {
			continue
		}
		wait.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, ping.timeout)
			defer cancel()
			if err := ping.ping(ctx, complete); err != nil {
				failed[i] = fmt.Errorf("sink %s: %w", ping.name, err)
			}
		})
	}
	wait.Wait()
	var all []error
	for _, err := range failed {
		if err != nil {
			all = append(all, err)
		}
	}
	return all
}
