package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/lobstrail/lobstrail/store"
)

// infoExpired is the status_code_info that means expired cookies whatever the
// status says.
const infoExpired = "cookies_expired"

// infoWorks is the status_code_info of an account that works: all that the reduced
// accounts of the vendor's CLI tell of it.
const infoWorks = "synchronized"

// FactsOf takes the facts out of a state, from the latest word on every field. A field
// of another type than documented yields what text it has, "" for objects and lists. A
// state that is gone has no facts but its health. It returns an error when there is no document, when one is no JSON
// object, and when squids are in an unknown shape.
func FactsOf(s store.State) (store.Facts, error) {
	r, err := read(s)
	return r.facts, err
}

// reading is a state and what it says.
type reading struct {
	*view // nil when it is gone
	facts store.Facts
}

func read(s store.State) (r reading, err error) {
	if s.Gone {
		return reading{facts: store.Facts{Health: store.Gone}}, nil
	}
	if r.view, err = readState(s); err != nil {
		return reading{}, err
	}
	r.facts, err = r.view.readFacts()
	return r, err
}

func (v *view) readFacts() (store.Facts, error) {
	facts := store.Facts{}
	var err error
	if facts.Squids, err = v.squids(); err != nil {
		return store.Facts{}, err
	}
	if err := v.readTexts(&facts); err != nil {
		return store.Facts{}, err
	}
	lock, err := v.lock()
	if err != nil {
		return store.Facts{}, err
	}
	if lock.live {
		facts.LockedUntil = lock.until
	}
	facts.Health = v.health(facts)
	return facts, nil
}

// readTexts fills the facts that are texts.
func (v *view) readTexts(facts *store.Facts) error {
	for _, text := range []struct {
		name string
		to   *string
	}{
		{"username", &facts.Username},
		{"type", &facts.Type},
		{"status", &facts.Status},
		{"status_code_info", &facts.Info},
		{"status_code_description", &facts.Description},
		{"last_synchronization_time", &facts.LastSync},
	} {
		n, err := v.field(text.name)
		if err != nil {
			return err
		}
		switch {
		case text.name != "status":
			*text.to = scalarText(n)
		case !v.state.Outdated:
			*text.to = statusText(n)
		}
	}
	return nil
}

// lock reads the lock_time that holds in the state.
func (v *view) lock() (lockReading, error) {
	n, err := v.field("lock_time")
	return readLock(n, v.state.At), err
}

// health applies the rules of health, the first that fits. A synchronisation is under
// way while the status is from 100 to 199.
func (v *view) health(facts store.Facts) store.Health {
	status, isNumber := parseDecimal(facts.Status)
	code, _ := status.integer()
	switch {
	case isNumber && (code == 401 || code == 429), facts.Info == infoExpired:
		return store.Expired
	case !isNumber && facts.Info == infoWorks:
		return store.Healthy
	case !isNumber, code >= 100 && code < 200:
		return store.Unknown
	case code != 200:
		return store.Failing
	case !facts.LockedUntil.IsZero(), isLeft(v.state):
		return store.Locked
	}
	return store.Healthy
}

// scalarText is the text of a string, number or boolean, "" of all else.
func scalarText(n *node) string {
	if n.isNull() || n.isContainer() {
		return ""
	}
	return n.text
}

// statusText is the text of a status, which is a string or a number: whole
// numbers in plain digits, so that 200, 200.0 and "200" read alike.
func statusText(n *node) string {
	if n == nil || n.kind != kindString && n.kind != kindNumber {
		return ""
	}
	if number, ok := parseDecimal(n.text); ok {
		if code, ok := number.integer(); ok {
			return strconv.FormatInt(code, 10)
		}
	}
	return n.text
}

// isLeft reports whether something is left of a resets_in at the instant of its state.
func isLeft(s store.State) bool {
	until, _ := store.ParseResetsIn(s.ResetsIn, s.At)
	return !until.IsZero()
}

// squids are those that use the account, sorted by id. No field and null are no
// squids.
func (v *view) squids() ([]store.Squid, error) {
	n, err := v.field("squids")
	if err != nil || n == nil {
		return nil, err
	}
	squids, err := store.ParseSquids(n.raw)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(squids, func(a, b store.Squid) int { return cmp.Compare(a.ID, b.ID) })
	return squids, nil
}

// quote is text as a JSON string.
func quote(text string) json.RawMessage { return appendText(nil, text) }

// appendText appends text as a JSON string.
func appendText(dst []byte, text string) []byte {
	// Only text that is no UTF-8 is an error, and it is appended all the same,
	// with U+FFFD for what cannot be said.
	out, _ := jsontext.AppendQuote(dst, text)
	return out
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// located puts the field into an error about its value.
func located(field string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", field, err)
}
