package fetcher

import (
	"errors"
	"net/http"

	"github.com/lobstrail/lobstrail/store"
)

// FailureOf says as a failure what err means for the account with this id; ""
// stands for a request that was about no single account. Of a request that was
// tried several times the last try gives the kind. A nil err panics. At is left
// zero.
func FailureOf(account string, err error) store.Failure {
	if err == nil {
		panic("fetcher: FailureOf(nil)")
	}
	failure := store.Failure{Account: account, Message: err.Error()}
	if !store.IsAccountID(account) {
		failure.Account = ""
	}
	failure.Kind, failure.HTTPStatus = classify(lastTry(err))
	if failure.Kind == store.FailNotFound && failure.Account == "" {
		failure.Kind = store.FailHTTP
	}
	return failure
}

func lastTry(err error) error {
	if tries, ok := errors.AsType[*triesError](err); ok {
		return tries.last()
	}
	return err
}

// classify returns the kind of an error and its HTTP status, 0 when there was no
// answer.
func classify(err error) (store.FailureKind, int) {
	if wait, ok := errors.AsType[*WaitError](err); ok {
		if wait.Status == nil {
			return store.FailRateLimit, 0
		}
		return store.FailRateLimit, wait.Status.Code
	}
	if status, ok := errors.AsType[*StatusError](err); ok {
		return classifyStatus(status), status.Code
	}
	if redirect, ok := errors.AsType[*redirectError](err); ok {
		return store.FailHTTP, redirect.code
	}
	if _, ok := errors.AsType[*decodeError](err); ok {
		return store.FailDecode, http.StatusOK
	}
	if _, ok := errors.AsType[*mismatchError](err); ok {
		return store.FailMismatch, 0
	}
	return store.FailNetwork, 0
}

func classifyStatus(status *StatusError) store.FailureKind {
	switch {
	case errors.Is(status, ErrKeyRefused):
		return store.FailAuth
	case status.Code == http.StatusTooManyRequests:
		return store.FailRateLimit
	case status.absent():
		return store.FailNotFound
	}
	return store.FailHTTP
}

// retryable reports whether another try may end otherwise.
func retryable(err error) bool {
	if _, ok := errors.AsType[*WaitError](err); ok {
		return false
	}
	if status, ok := errors.AsType[*StatusError](err); ok {
		return status.Code == http.StatusTooManyRequests || status.Code >= 500
	}
	if decode, ok := errors.AsType[*decodeError](err); ok {
		return decode.unreadable
	}
	_, ok := errors.AsType[*networkError](err)
	return ok
}

// isOutage reports whether err tells of the service rather than of one account,
// so that many in a row mean that going on is of no use.
func isOutage(err error) bool { return retryable(lastTry(err)) }
