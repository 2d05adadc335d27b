package document

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Join puts an account object together again. counters maps the pointers of
// [Counter] to their bodies as of the moment wanted; a volatile value that is not
// among them stays null. icon returns the text of an icon by the hex digits of its
// digest; nil leaves the icon out.
func Join(body []byte, counters map[string]json.RawMessage, icon func(digest string) (string, error)) ([]byte, error) {
	account, err := Fields(body)
	if err != nil {
		return nil, fmt.Errorf("document: %w", err)
	}
	kept := account[:0]
	for _, m := range account {
		switch {
		case m.Name == "resets_in" && counters[ResetsIn] != nil:
			m.Value = counters[ResetsIn]
		case m.Name == "icon" && m.Value[0] == '"' && icon == nil:
			continue
		case m.Name == "icon" && m.Value[0] == '"':
			m.Value, err = joinIcon(m.Value, icon)
		case m.Name == "params" && m.Value[0] == '{':
			m.Value, err = joinLimits(m.Value, counters)
		}
		if err != nil {
			return nil, err
		}
		kept = append(kept, m)
	}
	return WriteObject(make([]byte, 0, len(body)), kept), nil
}

func joinIcon(reference []byte, icon func(digest string) (string, error)) ([]byte, error) {
	digest, err := IconDigest(reference)
	if err != nil {
		return nil, err
	}
	text, err := icon(digest)
	if err != nil {
		return nil, err
	}
	return jsontext.AppendQuote(nil, text)
}

// IconDigest reads the hex digits of the digest out of the reference to an icon,
// which is JSON. It returns an error for anything else.
func IconDigest(reference []byte) (string, error) {
	text, err := jsontext.AppendUnquote(nil, reference)
	if err != nil {
		return "", err
	}
	digest, ok := strings.CutPrefix(string(text), iconPrefix)
	if raw, err := hex.DecodeString(digest); !ok || err != nil || len(raw) != 32 {
		return "", errors.New("document: the icon is no reference")
	}
	return digest, nil
}

func joinLimits(params []byte, counters map[string]json.RawMessage) ([]byte, error) {
	return eachMember(params, func(kind *Field) (err error) {
		if kind.Name != "user" || kind.Value[0] != '{' {
			return nil
		}
		kind.Value, err = eachMember(kind.Value, func(limit *Field) error {
			return joinLimit(limit, counters[LimitPrefix+EscapePointer(limit.Name)])
		})
		return err
	})
}

func joinLimit(limit *Field, counter json.RawMessage) error {
	if counter == nil || limit.Value[0] != '{' {
		return nil
	}
	moving, err := ReadObject(counter)
	if err != nil {
		return err
	}
	settings, err := Fields(limit.Value)
	if err != nil {
		return err
	}
	for i, m := range settings {
		for _, c := range moving {
			if c.Name == m.Name {
				settings[i].Value = c.Value
			}
		}
	}
	limit.Value = WriteObject(nil, settings)
	return nil
}
