package fetcher

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/lobstrail/lobstrail/store"
)

// Client asks the API. Its methods may be called concurrently: all requests of
// one client share one budget.
type Client struct {
	config Config
	base   *url.URL
	key    *secret
	pacer  *pacer
}

// New checks config and returns a client. It sends nothing. The error matches
// [ErrNoToken] when there is no API key, and never repeats the key.
func New(config Config) (*Client, error) {
	config = config.withDefaults()
	if err := config.check(); err != nil {
		return nil, err
	}
	base, err := parseBase(config.BaseURL)
	if err != nil {
		return nil, err
	}
	return &Client{
		config: config,
		base:   base,
		key:    newSecret(config.Token),
		pacer:  newPacer(config.MaxWait, config.Now, config.Logger),
	}, nil
}

// CloseIdleConnections closes connections that wait for another request.
func (c *Client) CloseIdleConnections() {
	if closer, ok := c.config.Transport.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}

// session is one job's use of a client: it counts the requests.
type session struct {
	*Client
	requests atomic.Int64
}

func (s *session) sent() int { return int(s.requests.Load()) }

// Account asks for the details of one account. The answer carries exactly one
// observed account, or the id as absent when the API says that there is no such
// account. Letters of id may be upper case.
//
// Errors are those of the request ([StatusError], [WaitError], also
// [ErrKeyRefused]) or say that the answer could not be understood or was about
// another account; [FailureOf] tells them apart. When ctx is done its cause is
// returned.
func (c *Client) Account(ctx context.Context, id string) (store.Response, error) {
	s := &session{Client: c}
	response, err := s.account(ctx, strings.ToLower(id))
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("account %s: %w", c.key.clean(id), err)
	}
	return response, err
}

// account is Account without the id in its errors.
func (s *session) account(ctx context.Context, id string) (store.Response, error) {
	if !store.IsAccountID(id) {
		return store.Response{}, &mismatchError{text: "not an account id: " + s.key.clean(id)}
	}
	var seen store.Observed
	got, err := s.get(ctx, s.base.JoinPath("accounts", id), nil, func(body []byte) error {
		var err error
		seen, err = newInspector(s.key).detail(body, id)
		return err
	})
	response := store.Response{
		Source:     store.Detail,
		Sent:       got.sent,
		Received:   got.received,
		ServerTime: got.serverTime,
		Requests:   s.sent(),
	}
	if isAbsent(err) {
		response.Absent = []string{id}
		return response, nil
	}
	if err != nil {
		return store.Response{}, err
	}
	response.Accounts = []store.Observed{seen}
	return response, nil
}
