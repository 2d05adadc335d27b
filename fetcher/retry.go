package fetcher

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/sethvargo/go-retry"
)

// The back-off of tries: it doubles from firstBackoff to maxBackoff, each time
// a quarter more or less by chance, so that clients that failed together do not
// come back together.
const (
	firstBackoff  = 500 * time.Millisecond
	maxBackoff    = 30 * time.Second
	jitterPercent = 25
)

// get sends a request until parse understands the body of an answer, at most
// 1+Retries times. body is valid until buf is used again. Errors of several tries
// are joined, the last one first; when ctx is done its cause is returned.
func (s *session) get(ctx context.Context, u *url.URL, buf []byte, parse func(body []byte) error) (answer, error) {
	var got answer
	var tries []error
	err := retry.Do(ctx, s.backoff(ctx, u, &tries), func(ctx context.Context) error {
		var err error
		got, err = s.attempt(ctx, u, buf)
		if err == nil {
			buf = got.body
			err = parse(got.body)
		}
		if err == nil {
			return nil
		}
		tries = append(tries, err)
		if retryable(err) {
			return retry.RetryableError(err)
		}
		return err
	})
	switch {
	case err == nil:
		return got, nil
	case ctx.Err() != nil:
		return answer{}, context.Cause(ctx)
	case len(tries) > 1:
		return got, &triesError{tries: tries}
	}
	return got, err
}

// backoff returns the waits between tries, and logs each. After 429 there is none: the pacer
// holds the next try back for as long as the API asks.
func (s *session) backoff(ctx context.Context, u *url.URL, tries *[]error) retry.Backoff {
	growing := retry.WithJitterPercent(jitterPercent, retry.NewExponential(firstBackoff))
	growing = retry.WithCappedDuration(maxBackoff, growing)
	return retry.WithMaxRetries(uint64(*s.config.Retries), retry.BackoffFunc(func() (time.Duration, bool) {
		last := (*tries)[len(*tries)-1]
		if status, ok := errors.AsType[*StatusError](last); ok && status.Code == http.StatusTooManyRequests {
			s.logRetry(ctx, u, *tries, 0)
			return 0, false
		}
		wait, stop := growing.Next()
		s.logRetry(ctx, u, *tries, wait)
		return wait, stop
	}))
}

// logRetry logs that a request is sent again after the wait.
func (s *session) logRetry(ctx context.Context, u *url.URL, tries []error, wait time.Duration) {
	s.config.Logger.InfoContext(ctx, "request failed; trying again",
		"path", s.key.clean(u.RequestURI()), "try", len(tries), "error", tries[len(tries)-1], "wait", wait)
}

// isAbsent reports whether the last try was answered that there is no such
// account.
func isAbsent(err error) bool {
	status, ok := errors.AsType[*StatusError](lastTry(err))
	return ok && status.absent()
}

// isNotFound reports whether the last try was answered with 404, by whomever.
func isNotFound(err error) bool {
	status, ok := errors.AsType[*StatusError](lastTry(err))
	return ok && status.Code == http.StatusNotFound
}
