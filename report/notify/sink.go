package notify

import (
	"context"
	"time"

	"github.com/lobstrail/lobstrail/report/alert"
)

// Sink is a place that messages are sent to. It may be used by several goroutines.
type Sink interface {
	// Name is the name of the sink in the configuration.
	Name() string
	// Send delivers a message once. It returns when ctx is done at the latest. The error
	// has no secret in it: no URL, no password, no body that the sink answered beyond a
	// short, cleaned excerpt. A [*RetryError] says how long the sink wants to be left alone.
	Send(ctx context.Context, body alert.Body) error
}

// RetryError is the error of a sink that said when to try again.
type RetryError struct {
	After time.Duration
	Err   error
}

// Error is that of the cause.
func (e *RetryError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *RetryError) Unwrap() error { return e.Err }
