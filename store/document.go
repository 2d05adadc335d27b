package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// iconPrefix begins the reference that stands for an icon in a document.
const iconPrefix = "sha256:"

// separated is an account object taken apart into what is stored once per
// version (the document), once per icon, and once per movement (usage).
type separated struct {
	body  []byte // the document; see table document
	icon  *icon  // nil when there is none
	usage []usage
}

// icon is the text of an icon.
type icon struct {
	text   string
	digest [sha256.Size]byte
}

// usage is the volatile values that share one object, or one value alone.
type usage struct {
	pointer string          // of the object, or of the value
	body    json.RawMessage // the object's volatile members, or the value
	max     json.RawMessage // the limit in force; nil when there is none
}

// separate takes the account object apart. Nothing is lost: restore is its
// inverse. It fails on anything that is not one JSON object with unique names
// and valid UTF-8.
func separate(raw []byte) (separated, error) {
	s := separated{}
	maxima := map[string]json.RawMessage{}
	body, err := rewrite(raw, func(pointer string, value jsontext.Value) (jsontext.Value, bool) {
		switch {
		case pointer == "/icon":
			return s.takeIcon(value), true
		case IsVolatile(pointer):
			s.use(pointer, value)
			return jsontext.Value("null"), true
		}
		if object, ok := strings.CutSuffix(pointer, "/max"); ok {
			maxima[object] = json.RawMessage(value.Clone())
		}
		return value, true
	})
	if err != nil {
		return separated{}, err
	}
	s.body = body
	for i := range s.usage {
		s.usage[i].max = maxima[s.usage[i].pointer]
	}
	return s, nil
}

// takeIcon answers the reference that stands for the icon in the document.
func (s *separated) takeIcon(value jsontext.Value) jsontext.Value {
	if value.Kind() != '"' {
		return value
	}
	text, _ := jsontext.AppendUnquote(nil, value) // checked by the decoder
	s.icon = &icon{text: string(text), digest: sha256.Sum256(text)}
	return fmt.Appendf(nil, `"%s%x"`, iconPrefix, s.icon.digest)
}

// use adds a volatile value to the usage of the object it is a member of. The
// members arrive in the order of the document.
func (s *separated) use(pointer string, value jsontext.Value) {
	if pointer == "/resets_in" {
		s.usage = append(s.usage, usage{pointer: pointer, body: appendCompact(nil, value)})
		return
	}
	slash := strings.LastIndexByte(pointer, '/')
	object, member := pointer[:slash], pointer[slash+1:]
	last := len(s.usage) - 1
	if last < 0 || s.usage[last].pointer != object {
		s.usage = append(s.usage, usage{pointer: object, body: append(make([]byte, 0, 64), "{}"...)})
		last++
	}
	body := bytes.TrimSuffix(s.usage[last].body, []byte("}"))
	if len(body) > 1 {
		body = append(body, ',')
	}
	body = append(append(append(body, '"'), member...), `":`...) // a name of the list of patterns
	s.usage[last].body = append(appendCompact(body, value), '}')
}

// restore puts an account object together again. values maps usage pointers to
// bodies as of the moment wanted; icon answers the text of an icon by its hex
// digest, or is nil to leave the icon out.
func restore(body []byte, values map[string]json.RawMessage, icon func(digest string) (string, error)) ([]byte, error) {
	var failed error
	whole, err := rewrite(body, func(pointer string, value jsontext.Value) (jsontext.Value, bool) {
		if pointer == "/icon" {
			if value.Kind() != '"' || icon == nil {
				return value, value.Kind() != '"'
			}
			text, err := iconText(value, icon)
			failed = err
			return text, true
		}
		if !IsVolatile(pointer) {
			return value, true
		}
		if known := valueAt(values, pointer); len(known) > 0 {
			return jsontext.Value(known), true
		}
		return value, true
	})
	switch {
	case failed != nil:
		return nil, failed
	case err != nil:
		return nil, fmt.Errorf("%w: document: %w", ErrDamaged, err)
	}
	return whole, nil
}

func iconText(reference jsontext.Value, icon func(digest string) (string, error)) (jsontext.Value, error) {
	digest, err := jsontext.AppendUnquote(nil, reference)
	if err != nil {
		return nil, err
	}
	hexDigest, ok := strings.CutPrefix(string(digest), iconPrefix)
	if !ok || !isDigest(hexDigest) {
		return nil, fmt.Errorf("%w: document: icon is no reference", ErrDamaged)
	}
	text, err := icon(hexDigest)
	if err != nil {
		return nil, err
	}
	return jsontext.AppendQuote(nil, text)
}

func isDigest(s string) bool {
	raw, err := hex.DecodeString(s)
	return err == nil && len(raw) == sha256.Size
}

// valueAt finds the volatile value at the pointer; nil when there is none.
func valueAt(values map[string]json.RawMessage, pointer string) json.RawMessage {
	if whole, ok := values[pointer]; ok {
		return whole
	}
	slash := strings.LastIndexByte(pointer, '/')
	object, ok := values[pointer[:slash]]
	if !ok {
		return nil
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(object, &members) != nil {
		return nil
	}
	return members[pointer[slash+1:]]
}

var (
	pointerEscaper   = strings.NewReplacer("~", "~0", "/", "~1")
	pointerUnescaper = strings.NewReplacer("~1", "/", "~0", "~")
)

// escapePointer and unescapePointer are the two ways of RFC 6901, section 3.
func escapePointer(name string) string { return pointerEscaper.Replace(name) }

func unescapePointer(token string) string { return pointerUnescaper.Replace(token) }
