package notify

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	maxAnswerBytes  = 4 << 10
	maxAnswerHeader = 64 << 10
)

// poster sends HTTP requests to one URL, which is a secret.
type poster struct {
	url    *url.URL
	agent  string
	client *http.Client
	proxy  bool // the proxy of the environment is used
}

// newPoster checks the URL. What the error of net/url says of it is left out: it is a
// secret.
func newPoster(s Settings) (*poster, error) {
	u, err := url.Parse(s.URL)
	switch {
	case s.URL == "":
		return nil, errors.New("a URL is needed: url_env or url_file names where it is kept")
	case err != nil, u.Host == "", u.Hostname() == "":
		return nil, errors.New("the URL is not valid: https://HOST/... is expected")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("the URL begins with neither https:// nor http://")
	}
	return &poster{url: u, agent: cmp.Or(s.Agent, "lobstrail"), client: newClient(s.AllowPrivate), proxy: s.AllowPrivate}, nil
}

// newClient makes a client that follows no redirect, keeps no connection, and goes through
// the proxy of the environment only where every address is allowed: behind a proxy, the
// address that a name leads to cannot be checked.
func newClient(allowPrivate bool) *http.Client {
	transport := &http.Transport{
		DialContext:            dialer{allowPrivate}.DialContext,
		MaxResponseHeaderBytes: maxAnswerHeader,
		DisableKeepAlives:      true,
		DisableCompression:     true,
	}
	if allowPrivate {
		transport.Proxy = http.ProxyFromEnvironment
	}
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// post sends a JSON body. It returns nil for any 2xx. explain gets the beginning of
// another answer, and returns what can be told of it, or "".
func (p *poster) post(ctx context.Context, body []byte, header http.Header, explain func(answer string) string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url.String(), bytes.NewReader(body))
	if err != nil {
		return errConnection
	}
	request.Header = header
	request.Header.Set("Content-Type", "application/json")
	return p.do(request, explain)
}

// get asks for a URL, and returns nil for any 2xx.
func (p *poster) get(ctx context.Context, u *url.URL) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return errConnection
	}
	return p.do(request, nil)
}

func (p *poster) do(request *http.Request, explain func(answer string) string) error {
	request.Header.Set("User-Agent", p.agent)
	response, err := p.client.Do(request)
	if err != nil {
		return p.withoutProxy(request, networkCause(err))
	}
	defer response.Body.Close()
	if response.StatusCode/100 == 2 {
		return nil
	}
	// What it answers is not told: many servers repeat the URL there.
	answer, _ := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
	detail := ""
	if explain != nil {
		detail = explain(string(answer))
	}
	return answerError(response, detail, time.Now())
}

// withoutProxy adds to an error that the proxy which the environment names was not used.
func (p *poster) withoutProxy(request *http.Request, cause error) error {
	if p.proxy || errors.Is(cause, context.Canceled) {
		return cause
	}
	if proxy, err := http.ProxyFromEnvironment(request); proxy == nil && err == nil {
		return cause
	}
	return fmt.Errorf("%w (the proxy of the environment was not used: allow_private = true uses it, and checks no address)", cause)
}

// answerError is the error of an answer that is not 2xx.
func answerError(response *http.Response, detail string, now time.Time) error {
	code := response.StatusCode
	text := strings.TrimSpace(fmt.Sprintf("answered %d %s", code, http.StatusText(code)))
	if detail != "" {
		text += ": " + detail
	}
	if code/100 == 3 {
		text += ", a redirect, which is not followed: give the URL that it leads to"
	}
	err := errors.New(text)
	if after, ok := retryAfter(response.Header.Get("Retry-After"), now); ok {
		return &RetryError{after, err}
	}
	if rejected(code) {
		return &RejectedError{err}
	}
	return err
}

// rejected reports whether a status is about the message. The other ones from 400 on are
// about the URL, the credentials, the time or the server.
func rejected(code int) bool {
	switch code {
	case http.StatusBadRequest, http.StatusNotAcceptable, http.StatusConflict, http.StatusRequestEntityTooLarge,
		http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

// maxRetryAfter is the longest that a sink is left alone because it asked for it.
const maxRetryAfter = 6 * time.Hour

// retryAfter reads the header Retry-After: seconds or a date (RFC 9110, section 10.2.3).
func retryAfter(value string, now time.Time) (time.Duration, bool) {
	value = strings.TrimSpace(value)
	if seconds, err := strconv.ParseUint(value, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(seconds, uint64(maxRetryAfter/time.Second))) * time.Second, true
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	return min(max(at.Sub(now), 0), maxRetryAfter), true
}
