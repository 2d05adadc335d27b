package fetcher

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	jsonv2 "github.com/go-json-experiment/json"

	"github.com/lobstrail/lobstrail/store"
)

// Squid is what the API says of a squid. These fields are all that is read of its
// document, which holds secrets: signed links, webhook addresses, passwords, e-mail
// addresses. No text holds control characters or the API key.
type Squid struct {
	ID   string
	Name string // "" when the API gave none
	// Active is is_active; nil when the API does not say.
	Active *bool
	// Cron is the expression of the schedule, "" when there is none. Zone is its time
	// zone, "" when the API does not say.
	Cron, Zone string
	// NextLaunch is when the next run starts; zero when none is planned.
	NextLaunch time.Time
	// LastRunStatus and LastRunReason say how the last run ended, such as DONE and
	// no_accounts; "" when the API does not say.
	LastRunStatus, LastRunReason string
	// Crawler is the id of the program behind the squid; see [Client.CrawlerType].
	Crawler string
	// Accounts are those that are attached. nil: the API does not say, as in the list.
	Accounts []SquidAccount
	// Chain is what the squid starts when a run ends with DONE. nil: the API does not
	// say; without any link: nothing.
	Chain []ChainLink
	// Unread names the fields that the API gave in an unknown shape. They are as if it
	// did not say.
	Unread []string
}

// SquidAccount is an account that is attached to a squid.
type SquidAccount struct {
	ID     string
	Status string // its status_code_info; "" when the API does not say
}

// ChainLink is a squid that another one starts.
type ChainLink struct {
	ID, Name string
	Active   bool        // what is switched off starts nothing
	Chain    []ChainLink // what that squid starts; nil: the API does not say
}

// squidID is an id that may stand in a URL.
var squidID = regexp.MustCompile(`^[0-9A-Za-z_-]{1,64}$`)

// maxChainDepth is how deep the links of one document are read: the API nests three.
const maxChainDepth = 10

// Squid asks for the details of one squid. The error matches [store.ErrNotFound] when
// the API says that there is no such squid; other errors are as those of
// [Client.Account].
func (c *Client) Squid(ctx context.Context, id string) (Squid, error) {
	var squid Squid
	err := c.one(ctx, "squids", id, func(raw []byte) (err error) {
		squid, err = readSquid(raw, c.key)
		if err == nil && squid.ID != id {
			err = &mismatchError{text: "the answer is about another squid"}
		}
		return err
	})
	if err != nil {
		return Squid{}, err
	}
	return squid, nil
}

// CrawlerType asks which type of account a crawler needs; "" if it needs none. Errors
// are as those of [Client.Squid].
func (c *Client) CrawlerType(ctx context.Context, id string) (accountType string, err error) {
	err = c.one(ctx, "crawlers", id, func(raw []byte) (err error) {
		accountType, err = readCrawlerType(raw, c.key)
		return err
	})
	return accountType, err
}

// one asks for one document below a path, and reads it.
func (c *Client) one(ctx context.Context, kind, id string, read func(raw []byte) error) error {
	what := strings.TrimSuffix(kind, "s") + " " + c.key.clean(id)
	if !squidID.MatchString(id) || c.key.in([]byte(id)) {
		return fmt.Errorf("%s: %w", what, &mismatchError{text: "not an id"})
	}
	s := &session{Client: c}
	_, err := s.get(ctx, s.base.JoinPath(kind, id), nil, func(body []byte) error {
		raw, err := single(body)
		if err != nil {
			return err
		}
		return read(raw)
	})
	switch {
	case err == nil || ctx.Err() != nil:
		return err
	case isAbsent(err):
		err = store.ErrNotFound
	}
	return fmt.Errorf("%s: %w", what, err)
}

// single returns the bytes of the one object in an answer: in an envelope, also as a
// list of one, or the bare object.
func single(body []byte) ([]byte, error) {
	around, err := split(body)
	switch {
	case err != nil:
		return nil, err
	case around.id != nil:
		return bytes.TrimSpace(body), nil
	case around.data == nil:
		return nil, &decodeError{text: "the body has no data", unreadable: true}
	case len(around.data) != 1:
		return nil, &mismatchError{text: fmt.Sprintf("the answer holds %d objects, not one", len(around.data))}
	}
	return around.data[0], nil
}

// squidDocument has the members of a squid that are read.
type squidDocument struct {
	ID        json.RawMessage `json:"id"`
	HashValue json.RawMessage `json:"hash_value"`
	Name      json.RawMessage `json:"name"`
	Active    json.RawMessage `json:"is_active"`
	Schedule  json.RawMessage `json:"schedule"`
	Cron      json.RawMessage `json:"cron_expression"`
	Zone      json.RawMessage `json:"timezone"`
	Next      json.RawMessage `json:"next_launch_at"`
	Status    json.RawMessage `json:"last_run_status"`
	Reason    json.RawMessage `json:"last_run_done_reason"`
	Crawler   json.RawMessage `json:"crawler"`
	Accounts  json.RawMessage `json:"accounts"`
	Chain     json.RawMessage `json:"chain"`
}

// decode reads an object strictly: names in their own case, and none of them twice. An
// error repeats nothing of it.
func decode(raw []byte, what string, into any) error {
	if len(raw) > MaxAccountBytes {
		return &decodeError{text: fmt.Sprintf("the %s is larger than %d bytes", what, MaxAccountBytes)}
	}
	if len(raw) == 0 || raw[0] != '{' || jsonv2.Unmarshal(raw, into) != nil {
		return &decodeError{text: "the " + what + " is no valid JSON object, or has a member twice"}
	}
	return nil
}

// readSquid reads a squid. It fails only if its id cannot be read.
func readSquid(raw []byte, key *secret) (Squid, error) {
	var d squidDocument
	if err := decode(raw, "squid", &d); err != nil {
		return Squid{}, err
	}
	f := &fields{key: key}
	squid := Squid{ID: f.id(d.ID, d.HashValue)}
	if squid.ID == "" {
		return Squid{}, &decodeError{text: "the squid has no id that can be read"}
	}
	squid.Name = f.text("name", d.Name)
	squid.Active = f.flag("is_active", d.Active)
	squid.Cron, squid.Zone = f.schedule(d)
	squid.NextLaunch = f.instant("next_launch_at", d.Next)
	squid.LastRunStatus = f.text("last_run_status", d.Status)
	squid.LastRunReason = f.text("last_run_done_reason", d.Reason)
	squid.Crawler = f.crawler(d.Crawler)
	squid.Accounts = f.accounts(d.Accounts)
	squid.Chain = f.chain(d.Chain, 1)
	squid.Unread = f.unread
	return squid, nil
}

// readCrawlerType reads which type of account a crawler needs.
func readCrawlerType(raw []byte, key *secret) (string, error) {
	var d struct {
		Account json.RawMessage `json:"account"`
	}
	if err := decode(raw, "crawler", &d); err != nil {
		return "", err
	}
	if isNull(d.Account) && d.Account != nil {
		return "", nil
	}
	var needs struct {
		Type json.RawMessage `json:"type"`
		Name json.RawMessage `json:"name"`
	}
	f := &fields{key: key}
	text := d.Account
	if json.Unmarshal(d.Account, &needs) == nil {
		if text = needs.Type; isNull(text) {
			text = needs.Name
		}
	}
	if name := f.text("type", text); name != "" {
		return name, nil
	}
	return "", &decodeError{text: "the crawler does not say in a known form which account it needs"}
}
