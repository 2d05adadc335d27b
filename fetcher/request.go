package fetcher

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"time"
)

// maxRedirects is how many redirects of one request are followed.
const maxRedirects = 3

// answer is one answer of the API with its instants. An answer 404 has no body.
type answer struct {
	body           []byte
	sent, received time.Time
	serverTime     time.Time // zero: no Date header
}

// attempt sends one request, and follows redirects that stay at the origin. The
// body is read into buf, which grows as needed. The instants are answered beside
// a StatusError too, for they date an absence.
func (s *session) attempt(ctx context.Context, u *url.URL, buf []byte) (answer, error) {
	asked := path.Base(u.Path)
	for range maxRedirects + 1 {
		got, next, err := s.hop(ctx, u, buf)
		if status, ok := errors.AsType[*StatusError](err); ok && path.Base(u.Path) != asked {
			status.documented = false // an answer about something else, such as a login page
		}
		if err != nil || next == nil {
			return got, err
		}
		u = next
	}
	return answer{}, &redirectError{code: http.StatusFound, text: "redirected too often"}
}

// hop sends one HTTP request and reads its answer. next is where a redirect
// leads.
func (s *session) hop(ctx context.Context, u *url.URL, buf []byte) (got answer, next *url.URL, err error) {
	leave, err := s.pacer.acquire(ctx)
	if err != nil {
		return answer{}, nil, err
	}
	bounded, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	request, err := s.newRequest(bounded, u)
	if err != nil {
		s.pacer.lost(leave)
		return answer{}, nil, &networkError{text: s.key.clean(err.Error())}
	}
	s.requests.Add(1)
	got.sent = s.config.Now()
	started := time.Now()
	// Not through an http.Client: redirects are followed by attempt, which checks,
	// counts and paces each.
	response, err := s.config.Transport.RoundTrip(request)
	if err != nil {
		s.pacer.lost(leave)
		return answer{}, nil, s.broken(ctx, err)
	}
	defer response.Body.Close()
	s.pacer.answered(leave, response.StatusCode, response.Header)
	got.serverTime = serverClock(response.Header)
	next, err = s.read(ctx, u, response, buf, &got)
	got.received = s.config.Now()
	if got.received.Round(0).Before(got.sent.Round(0)) {
		// The wall clock was set back meanwhile: the monotonic one knows how long
		// it took.
		got.received = got.sent.Round(0).Add(time.Since(started))
	}
	return got, next, err
}

func (s *session) newRequest(ctx context.Context, u *url.URL) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Token "+s.key.token)
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", s.config.UserAgent)
	return request, nil
}

// read takes what matters out of an answer: the body, where a redirect leads, or
// the error that its status means.
func (s *session) read(ctx context.Context, u *url.URL, response *http.Response, buf []byte, got *answer) (*url.URL, error) {
	code := response.StatusCode
	switch location := response.Header.Get("Location"); {
	case code == http.StatusOK:
		body, err := s.readBody(ctx, response, buf)
		got.body = body
		return nil, err
	case code >= 300 && code < 400 && location != "":
		next, err := follow(u, location)
		if err != nil {
			return nil, &redirectError{code: code, text: "redirect refused: " + err.Error()}
		}
		return next, nil
	}
	// A part of the words is good enough for a message, but not to conclude anything.
	words, err := io.ReadAll(io.LimitReader(response.Body, maxErrorBytes+1))
	status := newStatusError(code, []byte(wholeWords(string(words), maxErrorBytes)), s.key)
	status.documented = err == nil && len(words) <= maxErrorBytes && isDocumented(code, response.Header.Get("Content-Type"), words)
	if code == http.StatusTooManyRequests || code >= 500 {
		if err := s.pacer.overlong(status); err != nil {
			return nil, err
		}
	}
	return nil, status
}

func (s *session) readBody(ctx context.Context, response *http.Response, buf []byte) ([]byte, error) {
	limit := s.config.MaxBodyBytes
	body := bytes.NewBuffer(buf[:0])
	_, err := body.ReadFrom(io.LimitReader(response.Body, limit+1))
	if err != nil {
		return nil, s.broken(ctx, err)
	}
	if int64(body.Len()) > limit {
		return nil, &decodeError{text: fmt.Sprintf("the body is larger than the %d bytes allowed", limit)}
	}
	return body.Bytes(), nil
}

// broken says why a connection failed, in a text without the key. When the
// caller's ctx is done, that is the reason.
func (s *session) broken(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &networkError{text: fmt.Sprintf("no whole answer within %s", s.config.Timeout)}
	}
	return &networkError{text: s.key.clean(err.Error())}
}
