package fetcher

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// DefaultBaseURL is where the API lives when [Config] names no other place.
const DefaultBaseURL = "https://api.lobstr.io/v1"

// DefaultConfirmGone is the next step in messages when [Config] gives no other one.
const DefaultConfirmGone = "check the API key, the workspace and the base URL; if the accounts were really deleted, confirm it with AcceptGone"

// What the zero values of [Config] mean.
const (
	DefaultTimeout      = 30 * time.Second
	DefaultRetries      = 4
	DefaultMaxWait      = 5 * time.Minute
	DefaultMaxBodyBytes = 16 << 20
	DefaultConcurrency  = 4
)

// Config says how to reach the API. Only Token and UserAgent must be set.
type Config struct {
	// Token is the API key. It is sent to the origin of BaseURL and nowhere else.
	Token string
	// BaseURL is [DefaultBaseURL] when empty. Plain http is taken for loopback
	// hosts only, for the key would travel in the clear.
	BaseURL string
	// UserAgent names the program to the API.
	UserAgent string
	// Transport carries the requests; nil means one made for this client.
	Transport http.RoundTripper
	// Timeout bounds one request with its body; 0 means [DefaultTimeout].
	Timeout time.Duration
	// Retries is how often a request is sent again after the first try; nil
	// means [DefaultRetries], and a pointer to 0 that it is sent once.
	Retries *int
	// MaxWait is the longest wait (Retry-After, or the reset of the budget) that
	// is obeyed; beyond it a [WaitError] ends the job. 0 means [DefaultMaxWait].
	MaxWait time.Duration
	// MaxBodyBytes bounds the body of one answer; 0 means [DefaultMaxBodyBytes].
	MaxBodyBytes int64
	// Concurrency is how many details are asked for at the same time; 0 means
	// [DefaultConcurrency].
	Concurrency int
	// AcceptGone confirms that many accounts, or all, were really deleted: a job then
	// makes them unlisted and gone where it would otherwise conclude nothing, and does
	// not refuse a key whose list shows none of the known accounts. It is for one job
	// that somebody looks at, not for schedules.
	AcceptGone bool
	// ConfirmGone ends the messages about accounts that would all disappear: it tells
	// the user of the program what to check, and how to confirm that they were deleted.
	// "" means [DefaultConfirmGone].
	ConfirmGone string
	// Now tells the instants of responses; nil means time.Now. Waits follow the
	// machine's monotonic clock instead, so that a step of the clock cannot
	// prolong them.
	Now func() time.Time
	// Logger is told of requests that are sent again, and of waits that the API asks
	// for: level Info. Waits that only keep the pace are level Debug. It may be called
	// concurrently, and never gets the API key. nil means that nothing is logged.
	Logger *slog.Logger
}

// withDefaults returns c with its zero values filled in.
func (c Config) withDefaults() Config {
	c.BaseURL = cmp.Or(c.BaseURL, DefaultBaseURL)
	c.ConfirmGone = cmp.Or(c.ConfirmGone, DefaultConfirmGone)
	c.Timeout = cmp.Or(c.Timeout, DefaultTimeout)
	c.MaxWait = cmp.Or(c.MaxWait, DefaultMaxWait)
	c.MaxBodyBytes = cmp.Or(c.MaxBodyBytes, DefaultMaxBodyBytes)
	c.Concurrency = cmp.Or(c.Concurrency, DefaultConcurrency)
	c.Retries = cmp.Or(c.Retries, new(DefaultRetries))
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Logger = cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	if c.Transport == nil {
		c.Transport = newTransport(c.Concurrency)
	}
	return c
}

// check validates everything but the base URL, after withDefaults.
func (c Config) check() error {
	switch {
	case c.Token == "":
		return ErrNoToken
	case strings.ContainsFunc(c.Token, notVisible):
		return errors.New("API key: holds white space, control or non-ASCII characters")
	case strings.TrimSpace(c.UserAgent) == "" || strings.ContainsFunc(c.UserAgent, isControl):
		return errors.New("User-Agent: empty, or holds control characters")
	case c.Timeout < 0 || c.MaxWait < 0 || c.MaxBodyBytes < 0 || c.Concurrency < 0 || *c.Retries < 0:
		return errors.New("timeout, retries, longest wait, body limit and concurrency must not be negative")
	}
	return nil
}

func notVisible(r rune) bool { return r <= ' ' || r > '~' }

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// parseBase reads a base URL. Its errors do not repeat the URL, which may hold
// a password.
func parseBase(raw string) (*url.URL, error) {
	base, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, errors.New("base URL: cannot be parsed")
	case base.Scheme != "https" && base.Scheme != "http":
		return nil, errors.New("base URL: must begin with https://")
	case base.Hostname() == "":
		return nil, errors.New("base URL: names no host")
	case base.User != nil:
		return nil, errors.New("base URL: must not hold a user name or password")
	case base.RawQuery != "" || base.Fragment != "":
		return nil, errors.New("base URL: must not hold a query or fragment")
	case base.Scheme == "http" && !isLoopback(base.Hostname()):
		return nil, fmt.Errorf("base URL: plain http to %s would send the API key in the clear; use https", base.Hostname())
	}
	return base, nil
}

func isLoopback(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// newTransport returns a transport of its own, never the shared default one,
// whose settings any other package may change.
func newTransport(concurrency int) *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    concurrency,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxResponseHeaderBytes: 256 << 10,
	}
}
