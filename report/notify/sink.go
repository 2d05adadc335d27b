package notify

import (
	"context"
	"fmt"
	"time"

	"github.com/lobstrail/lobstrail/report/alert"
)

// Sink is a place that messages are sent to. It may be used by several goroutines.
type Sink interface {
	// Name is the name of the sink in the configuration.
	Name() string
	// Timeout is the longest that one attempt may take, and PerMinute how many messages
	// are sent in a minute at most. Both are positive.
	Timeout() time.Duration
	PerMinute() int
	// Send delivers a message once. It returns when ctx is done at the latest. The error
	// has no secret in it: no URL, no password, and nothing of what the sink answered
	// except its code. A [*RetryError] says how long the sink wants to be left alone, a
	// [*RejectedError] that it works and does not want this message.
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

// RejectedError is the error of a sink that works and does not want this message, such as
// one that answers 400. Other messages can be sent to it.
type RejectedError struct{ Err error }

// Error is that of the cause.
func (e *RejectedError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *RejectedError) Unwrap() error { return e.Err }

// New makes a sink. The error says what is wrong with the settings, without a secret.
func New(s Settings) (Sink, error) {
	l, err := newLimits(s)
	if err != nil {
		return nil, err
	}
	switch s.Type {
	case Slack:
		return newSlack(l, s)
	case Webhook:
		return newWebhook(l, s)
	case Email:
		return newEmail(l, s)
	case Command:
		return newCommand(l, s)
	case Ping:
		return newPing(l, s)
	}
	return nil, fmt.Errorf("type: %.40q is none of %v", s.Type, Types)
}

// TestBody is the message that tries a sink. The id is its idempotency key.
func TestBody(id, workspace, sink string, at time.Time) alert.Body {
	return alert.Body{
		Version: alert.BodyVersion, ID: id, Workspace: workspace, Event: alert.Test, At: at.UTC().Truncate(time.Millisecond), Items: []alert.Item{},
		Summary: fmt.Sprintf("This is a test of the sink %s. It works.", sink),
	}
}
