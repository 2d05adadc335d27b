package fetcher

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/lobstrail/lobstrail/store"
)

// MaxAccountBytes is how large one account object may be.
const MaxAccountBytes = 1 << 20

// maxDepth is how deep one may be nested.
const maxDepth = 100

// inspector reads accounts, one after the other, in one pass over the tokens of
// each. It is not safe for concurrent use.
type inspector struct {
	key     *secret
	decoder *jsontext.Decoder
	raw     []byte
	frames  []frame
	scratch []byte
	folded  []byte
	// inner reads JSON that stands within a string; nil until there is some.
	inner *inspector
	depth int // of strings within strings; 0 for an account

	id, squids         span // of the account; zero: not seen
	lockTime, resetsIn span
	specs              []string
	suspects           []suspect
	edits              []edit
}

// span is a place in the account's bytes. The zero value is none, for no value
// can begin an account but the account.
type span struct{ from, to int }

func (s span) in(raw []byte) []byte { return raw[s.from:s.to] }

// frame is an object or array that the pass is inside of.
type frame struct {
	from     int
	object   bool
	awaiting bool   // an object: a name comes next
	member   member // an object: what the value that comes next belongs to
	element  bool   // an object or array: an element of an array
	secret   bool   // stands below a member whose name speaks of cookies or sessions
	spec     bool   // stands below the account's own member "cookies"
	jar      bool   // an object: has a member that only a browser's cookie has
	name     span   // an object: its member "name" (or "key"), when that is a string
	value    span   // an object: its member "value"
}

// member is what matters of a member's name.
type member struct {
	name   string // "" for names that do not matter
	secret bool   // speaks of cookies or sessions
	jar    bool   // only a browser's cookie has such a member
}

// Inspector checks account objects that came another way than through a
// [Client], as a Client would. It is not safe for concurrent use.
type Inspector struct{ in *inspector }

// NewInspector returns an inspector that withholds the token, should an object
// hold it; "" stands for none.
func NewInspector(token string) *Inspector { return &Inspector{newInspector(newSecret(token))} }

// Account checks one account object and withholds its secrets. Without any, the
// bytes answered are those given. The text of an error holds nothing secret.
func (i *Inspector) Account(raw []byte) (store.Observed, error) { return i.in.account(raw) }

// Failure is how the run's failures tell why an object could not be understood.
func (i *Inspector) Failure(raw []byte, err error) store.Failure {
	failure := i.in.failure(raw, err)
	failure.HTTPStatus = 0
	return failure
}

func newInspector(key *secret) *inspector {
	return &inspector{key: key, decoder: new(jsontext.Decoder)}
}

// account checks one account and withholds its secrets. An error is a
// decodeError and repeats nothing of the account but, scrubbed, where it failed.
func (in *inspector) account(raw []byte) (store.Observed, error) {
	if len(raw) > MaxAccountBytes {
		return store.Observed{}, &decodeError{text: fmt.Sprintf("the account is larger than %d bytes", MaxAccountBytes)}
	}
	if len(raw) == 0 || raw[0] != '{' {
		return store.Observed{}, &decodeError{text: "the account is no JSON object"}
	}
	in.reset(raw)
	if err := in.walk(); err != nil {
		return store.Observed{}, err
	}
	id, err := in.accountID()
	if err != nil {
		return store.Observed{}, err
	}
	if err := in.checkSquids(); err != nil {
		return store.Observed{}, err
	}
	if err := in.checkLock(); err != nil {
		return store.Observed{}, err
	}
	kept, withheld, err := in.withhold()
	return store.Observed{ID: id, Raw: kept, Withheld: withheld}, err
}

func (in *inspector) reset(raw []byte) {
	in.raw = raw
	in.decoder.Reset(bytes.NewBuffer(raw))
	in.frames = in.frames[:0]
	in.id, in.squids, in.lockTime, in.resetsIn = span{}, span{}, span{}, span{}
	in.specs, in.suspects, in.edits = in.specs[:0], in.suspects[:0], in.edits[:0]
}

func (in *inspector) accountID() (string, error) {
	if in.id == (span{}) {
		return "", &decodeError{text: "the account has no id"}
	}
	id, ok := normalID(in.id.in(in.raw))
	if !ok {
		return "", &decodeError{text: "the id of the account is not a string of 32 lower-case hex digits"}
	}
	if in.key.in([]byte(unquote(in.id.in(in.raw)))) {
		return "", &decodeError{text: "the id of the account holds the API key"}
	}
	return id, nil
}

// normalID reads an account id out of a JSON value. The API writes ids in lower
// case; another spelling could be another thing.
func normalID(value []byte) (string, bool) {
	if len(value) == 0 || value[0] != '"' {
		return "", false
	}
	id := unquote(value)
	return id, store.IsAccountID(id)
}

func (in *inspector) checkSquids() error {
	if in.squids == (span{}) {
		return nil
	}
	if _, err := store.ParseSquids(in.squids.in(in.raw)); err != nil {
		return &decodeError{text: in.key.clean(err.Error())}
	}
	return nil
}

// checkLock refuses a lock that cannot be read: it must not pass for no lock. The error
// does not repeat the value, which can be anything.
func (in *inspector) checkLock() error {
	field := store.CheckLock(in.lockTime.in(in.raw), in.resetsIn.in(in.raw))
	if field == "" {
		return nil
	}
	return &decodeError{text: field + " is neither null nor a time (ISO 8601, a date, Unix seconds or milliseconds) nor, for resets_in, a number of seconds"}
}

// walk goes over all tokens of the account.
func (in *inspector) walk() error {
	for {
		kind := in.decoder.PeekKind()
		var err error
		switch kind {
		case '{', '[':
			err = in.enter(kind == '{')
		case '}', ']':
			err = in.leave()
		default:
			err = in.scalar()
		}
		if err != nil {
			return in.problem(err)
		}
		if len(in.frames) > 0 {
			continue
		}
		if int(in.decoder.InputOffset()) < len(in.raw) {
			return &decodeError{text: "the account goes on after its JSON"}
		}
		return nil
	}
}

// problem says what is wrong with an account as a decodeError.
func (in *inspector) problem(err error) error {
	if _, ok := errors.AsType[*decodeError](err); ok {
		return err
	}
	syntax, ok := errors.AsType[*jsontext.SyntacticError](err)
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName) && ok && len(in.frames) > 0 && in.top().secret:
		return &decodeError{text: "the account has a cookie twice"}
	case errors.Is(err, jsontext.ErrDuplicateName) && ok:
		return &decodeError{text: in.key.clean("the account has a member twice: " + syntax.JSONPointer.LastToken())}
	case ok:
		return &decodeError{text: fmt.Sprintf("the account is no valid JSON, from its byte %d on", syntax.ByteOffset)}
	}
	return &decodeError{text: "the account is no valid JSON"}
}

// top returns the innermost frame. The walk never asks before it entered one.
func (in *inspector) top() *frame { return &in.frames[len(in.frames)-1] }
