package fetcher

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// The errors a caller may branch on.
var (
	// ErrNoToken means that [Config] held no API key.
	ErrNoToken = errors.New("no API key")
	// ErrKeyRefused means that the API answered 401 or 403: nothing may be
	// concluded about any account. The [StatusError] with the API's words is in
	// the same chain.
	ErrKeyRefused = errors.New("the API key is refused")
)

// StatusError is an answer with an unexpected HTTP status. It matches
// [ErrKeyRefused] when the status is 401 or 403.
type StatusError struct {
	// Code is the HTTP status.
	Code int
	// Type is the API's name of the error, such as "Throttled"; often empty.
	Type string
	// Message is one short line in the API's words, without control characters
	// and without the key; empty when the body told nothing.
	Message string
	// documented says that the whole body is one of the API's documented error
	// bodies: it was the API that answered, and no proxy.
	documented bool
}

// Error returns the status and the API's words.
func (e *StatusError) Error() string {
	text := fmt.Sprintf("HTTP %d", e.Code)
	if name := http.StatusText(e.Code); name != "" {
		text += " " + name
	}
	if e.Message != "" {
		text += ": " + e.Message
	}
	if e.Code == http.StatusNotFound && !e.documented {
		text += " (this is not an error body of the API: check LOBSTR_API_BASE and any proxy)"
	}
	return text
}

// Is reports whether target is [ErrKeyRefused] and the status means that.
func (e *StatusError) Is(target error) bool {
	return target == ErrKeyRefused && (e.Code == http.StatusUnauthorized || e.Code == http.StatusForbidden)
}

// absent reports whether e says that there is no such account. A 404 of a proxy
// (a wrong base URL, a deployment) says nothing about accounts.
func (e *StatusError) absent() bool { return e.Code == http.StatusNotFound && e.documented }

// WaitError means that the API asks for a longer wait than [Config].MaxWait.
type WaitError struct {
	// Wait is what the API asks for, Max what is allowed.
	Wait, Max time.Duration
	// Status is the answer that asked, nil when the budget of an earlier answer is
	// used up.
	Status *StatusError
}

// Error says how long the API asks to wait.
func (e *WaitError) Error() string {
	text := fmt.Sprintf("the API asks to wait %s, longer than the %s allowed", e.Wait.Round(time.Second), e.Max)
	if e.Status != nil {
		text += ": " + e.Status.Error()
	}
	return text
}

// Unwrap returns the answer that asked for the wait, if there was one.
func (e *WaitError) Unwrap() error {
	if e.Status == nil {
		return nil
	}
	return e.Status
}

// WorkspaceError means that the first page of the list shows accounts, and that
// none of them is known in the workspace, which knows others: most likely the key
// belongs to another workspace. Nothing was stored.
type WorkspaceError struct {
	Listed int // accounts on the first page of the list
	Known  int // accounts known in the workspace, and not gone
	// ConfirmGone is that of [Config].
	ConfirmGone string
}

// Error says what was seen and names the next step.
func (e *WorkspaceError) Error() string {
	return fmt.Sprintf("%s: none of the first %d accounts it lists is among the %d known here; nothing was stored. "+
		"Each workspace needs a history of its own; %s", otherKey, e.Listed, e.Known, e.ConfirmGone)
}

// networkError is no connection, a broken one, or no answer in time. It keeps
// only a scrubbed text: what lies below may repeat headers.
type networkError struct{ text string }

func (e *networkError) Error() string { return e.text }

// decodeError is an answer that cannot be understood.
type decodeError struct {
	text string
	// unreadable says that the body as a whole is not what was asked for, which
	// another try may mend.
	unreadable bool
}

func (e *decodeError) Error() string { return e.text }

// mismatchError is an answer about something else than asked.
type mismatchError struct{ text string }

func (e *mismatchError) Error() string { return e.text }

// redirectError is a redirect that is not followed.
type redirectError struct {
	code int
	text string
}

func (e *redirectError) Error() string { return fmt.Sprintf("HTTP %d: %s", e.code, e.text) }

// triesError joins the errors of all tries of one request, in their order.
type triesError struct{ tries []error }

// Error returns what the last try met, and what the earlier ones met where that
// was something else.
func (e *triesError) Error() string {
	last := e.last().Error()
	seen := map[string]bool{last: true}
	var others []string
	for _, try := range e.tries {
		if text := try.Error(); !seen[text] {
			seen[text] = true
			others = append(others, text)
		}
	}
	text := fmt.Sprintf("%s (after %d tries", last, len(e.tries))
	if len(others) > 0 {
		text += "; before that: " + strings.Join(others, "; ")
	}
	return text + ")"
}

func (e *triesError) last() error { return e.tries[len(e.tries)-1] }

// Unwrap returns the errors of the tries, the last one first: that one counts.
func (e *triesError) Unwrap() []error {
	reversed := slices.Clone(e.tries)
	slices.Reverse(reversed)
	return reversed
}
