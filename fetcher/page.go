package fetcher

import (
	"bytes"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/lobstrail/lobstrail/store"
)

// page is a page of the list that was understood.
type page struct {
	envelope
	accounts []store.Observed
	failures []store.Failure
}

// ids are those of the objects on the page, also of those that could not be
// understood, where their ids could.
func (p page) ids() (ids []string) {
	for _, account := range p.accounts {
		ids = append(ids, account.ID)
	}
	for _, failure := range p.failures {
		if failure.Account != "" {
			ids = append(ids, failure.Account)
		}
	}
	return ids
}

// page reads a page of the list. Accounts that cannot be understood become
// failures; an error means that the page as a whole cannot be.
func (in *inspector) page(body []byte) (page, error) {
	around, err := listIn(body)
	if err != nil {
		return page{}, err
	}
	p := page{envelope: around, accounts: make([]store.Observed, 0, len(around.data))}
	for _, raw := range around.data {
		seen, err := in.digested(raw)
		if err != nil {
			p.failures = append(p.failures, in.failure(raw, err))
			continue
		}
		p.accounts = append(p.accounts, seen)
	}
	return p, nil
}

// digested checks an account and takes its digest: here, where other answers are
// waited for, and not where the store is kept waiting.
func (in *inspector) digested(raw []byte) (store.Observed, error) {
	seen, err := in.account(raw)
	if err == nil {
		seen.Digest = seen.Sum()
	}
	return seen, err
}

func (in *inspector) failure(raw []byte, err error) store.Failure {
	return store.Failure{
		Account:    in.guessID(raw),
		Kind:       store.FailDecode,
		HTTPStatus: http.StatusOK,
		Message:    err.Error(),
	}
}

// detail reads the answer about one account: an envelope with the account, also
// as a list of one, or the bare account.
func (in *inspector) detail(body []byte, id string) (store.Observed, error) {
	around, err := split(body)
	if err != nil {
		return store.Observed{}, err
	}
	accounts := around.data
	if _, bare := normalID(around.id); bare || accounts == nil && around.id != nil {
		accounts = [][]byte{bytes.TrimSpace(body)}
	}
	switch {
	case accounts == nil:
		return store.Observed{}, &decodeError{text: "the body has no data", unreadable: true}
	case len(accounts) == 0:
		return store.Observed{}, &mismatchError{text: "the answer holds no account"}
	case len(accounts) > 1:
		return store.Observed{}, &mismatchError{text: "the answer holds several accounts"}
	}
	seen, err := in.digested(accounts[0])
	if err == nil && seen.ID != id {
		err = &mismatchError{text: "the answer is about another account: " + seen.ID}
	}
	if err != nil {
		return store.Observed{}, err
	}
	return seen, nil
}

// guessID looks for the id of an account that cannot be understood: "" unless
// its bytes name exactly one.
func (in *inspector) guessID(raw []byte) string {
	decoder := jsontext.NewDecoder(bytes.NewBuffer(raw),
		jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if decoder.PeekKind() != '{' {
		return ""
	}
	if _, err := decoder.ReadToken(); err != nil {
		return ""
	}
	found := ""
	for decoder.PeekKind() == '"' {
		name, err := decoder.ReadToken()
		if err != nil {
			return ""
		}
		isID := name.String() == "id"
		value, err := decoder.ReadValue()
		if err != nil {
			return ""
		}
		if !isID {
			continue
		}
		id, ok := normalID(value)
		if !ok || found != "" && found != id || in.key.in([]byte(unquote(value))) {
			return ""
		}
		found = id
	}
	return found
}
