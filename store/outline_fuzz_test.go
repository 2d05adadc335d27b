package store

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"reflect"
	"testing"
)

// FuzzOutline: an object with the outline of another one is what its outline makes
// of it, and has the document of that one.
func FuzzOutline(f *testing.F) {
	for _, object := range fixtureAccounts(f) {
		f.Add(object, []byte("7"))
	}
	for _, object := range outlined {
		f.Add([]byte(object), []byte(`"18/07/2022 21:47:09"`))
	}
	f.Fuzz(func(t *testing.T, raw, by []byte) {
		outline := OutlineOf(raw)
		apart, err := separate(raw)
		if outline == nil || err != nil {
			return
		}
		made := newTemplate(raw, outline, apart)
		other := withCounters(raw, by)
		again := OutlineOf(other)
		if again == nil || again.Digest() != outline.Digest() || made == nil {
			return
		}
		want, err := separate(other)
		if err != nil {
			t.Fatalf("%q has the outline of %q and cannot be read: %v", other, raw, err)
		}
		if made.document != sha256.Sum256(want.body) {
			t.Errorf("%q has another document than its outline: %q", other, want.body)
		}
		if got := made.usageOf(other, again); len(got)+len(want.usage) > 0 && !reflect.DeepEqual(got, want.usage) {
			t.Errorf("%q: usage %s, want %s", other, got, want.usage)
		}
	})
}

// withCounters replaces every counter.
func withCounters(raw, by []byte) (other []byte) {
	at := 0
	for _, counter := range plainCounters(raw) {
		other = append(append(other, raw[at:counter.from]...), by...)
		at = counter.to
	}
	return append(other, raw[at:]...)
}

// outlined are objects whose outlines are of use.
var outlined = []string{
	`{"id":"x","params":{"user":{"profiles":{"max": 5, "value": 12, "timestamp": 1700000000, "current": null}}}}`,
	`{"params":{"user":{"batch":{"current":3,"last_batch_at": "18/07/2022 21:47:09"},"a/b~c":{"value":0}}},"status":200}`,
	`{"params":{"user":{"a":{"value":{"value":1,"timestamp":2}}}}}`,
	`{"params":{"user":{"a\"value":{"value":1}}},"resets_in":null}`,
}

// TestOutlinesAreOfUse: what differs in counters alone has one outline, from which
// they are read.
func TestOutlinesAreOfUse(t *testing.T) {
	for _, object := range outlined {
		outline := OutlineOf([]byte(object))
		apart, err := separate([]byte(object))
		if outline == nil || err != nil {
			t.Fatal(object, outline, err)
		}
		made := newTemplate([]byte(object), outline, apart)
		other := withCounters([]byte(object), []byte("99"))
		again := OutlineOf(other)
		if made == nil || again == nil || again.Digest() != outline.Digest() || bytes.Equal(other, []byte(object)) {
			t.Errorf("%s and %s: template %v, outlines %v and %v", object, other, made, outline, again)
		}
	}
}

// TestWhatIsNoCounterIsInNoOutline: a value that only looks like a counter is part
// of the document, and two objects that differ in it are two states.
func TestWhatIsNoCounterIsInNoOutline(t *testing.T) {
	for _, object := range []string{
		`{"value":1,"params":{"user":{"a":{"value":1}}}}`,
		`{"params":{"user":{"a":{"max":{"value":1}}}}}`,
		`{"cookies":[{"name":"a","current":5}]}`,
		`{"x":"\u0000","params":{"user":{"a":{"value":1,"text":"\u0000"}}}}`,
	} {
		outline := OutlineOf([]byte(object))
		apart, err := separate([]byte(object))
		if err != nil {
			t.Fatal(err)
		}
		if outline != nil && newTemplate([]byte(object), outline, apart) != nil {
			t.Errorf("%s has a template", object)
		}
	}
	for _, spelled := range []string{"-1", "1.5", "1e3", "01", "12345678901234567890", `"x"`, "null", `"18/07/2022`} {
		if OutlineOf(fmt.Appendf(nil, `{"value":%s}`, spelled)) != nil {
			t.Errorf("%s is no plain counter", spelled)
		}
	}
}
