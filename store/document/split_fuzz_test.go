package document_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/lobstrail/lobstrail/store/document"
)

// fixtures are the account objects of the vendor's documentation.
func fixtures(t testing.TB) (objects [][]byte) {
	t.Helper()
	for _, name := range []string{"testdata/accounts-page.json", "testdata/account-detail.json"} {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var envelope struct{ Data []json.RawMessage }
		if err := json.Unmarshal(body, &envelope); err != nil {
			t.Fatal(err)
		}
		for _, object := range envelope.Data {
			objects = append(objects, object)
		}
	}
	if len(objects) < 3 {
		t.Fatalf("%d fixtures", len(objects))
	}
	return objects
}

// odd are texts that an API may send.
var odd = []string{
	`{"a":1}`, ` {"a" : 1e400 , "b":-0} `, `{"icon":""}`, `{"icon":null}`, `{"icon":"x","icon":"y"}`, `{"resets_in":{"a":[]}}`,
	`{"params":{"user":{"":{"value":1,"max":2,"current":{}},"a/b~":{"timestamp":[ ]},"p":5}}}`, `{"params":null}`,
	`{"params":{"user":{"p":{"value":1,"value":1}}}}`, "{\"\xff\":1}", `{"a":"\ud800"}`, `{}{}`, `{}`, `[]`, `{`, ``,
	`{"z":{"b":{"d":1,"c":2},"a":"\" x"},"":{"":{}},"q":["\\\\" , "\\\" x"],"params":{"user":{"p":{"value":null}},"other":{"value":1}}}`,
}

// FuzzSplit: Join is the inverse of Split, and FromMembers that of Members. Split takes
// every JSON object with members, unique names and valid UTF-8, and nothing else.
func FuzzSplit(f *testing.F) {
	for _, object := range fixtures(f) {
		f.Add(object)
	}
	for _, text := range odd {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		parts, err := document.Split(bytes.Clone(raw))
		value := jsontext.Value(raw)
		valid := value.IsValid() && value.Kind() == '{' && !bytes.Equal(compact(raw), []byte("{}"))
		if valid != (err == nil) {
			t.Fatalf("valid %t, but %v", valid, err)
		}
		if err == nil {
			checkParts(t, raw, parts)
			checkMembers(t, parts.Body)
		}
	})
}

func compact(raw []byte) []byte {
	value := jsontext.Value(bytes.Clone(raw))
	if value.Compact() != nil {
		return raw
	}
	return value
}

// checkParts joins the parts and takes the whole apart again.
func checkParts(t *testing.T, raw []byte, parts document.Parts) {
	t.Helper()
	values := map[string]json.RawMessage{}
	var pointers []string
	for _, c := range parts.Counters {
		if !json.Valid(c.Body) || c.Max != nil && !json.Valid(c.Max) || values[c.Pointer] != nil || !document.IsVolatile(c.Pointer+"/value") {
			t.Fatalf("counter %s: %s of %s", c.Pointer, c.Body, c.Max)
		}
		values[c.Pointer], pointers = c.Body, append(pointers, c.Pointer)
	}
	if known, err := document.Counters(parts.Body); err != nil || !slices.Equal(known, pointers) {
		t.Fatalf("the document has the counters %q instead of %q: %v", known, pointers, err)
	}
	icon := func(digest string) (string, error) {
		if parts.Icon == nil {
			return "", errors.New("there is no icon")
		}
		if want := fmt.Sprintf("%x", sha256.Sum256([]byte(parts.Icon.Text))); digest != want {
			return "", fmt.Errorf("icon %s instead of %s", digest, want)
		}
		return parts.Icon.Text, nil
	}
	whole, err := document.Join(parts.Body, values, icon)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := plain(t, whole), plain(t, raw); !reflect.DeepEqual(got, want) {
		t.Fatalf("%s came back as %s", raw, whole)
	}
	if tight := compact(parts.Body); !bytes.Equal(tight, parts.Body) {
		t.Fatalf("%s is not %s", parts.Body, tight)
	}
	again, err := document.Split(whole)
	if err != nil || !reflect.DeepEqual(again, parts) {
		t.Fatalf("taken apart again it is\n%+v, %v\ninstead of\n%+v", again, err, parts)
	}
}

// checkMembers lists the members of a document and makes it of them again.
func checkMembers(t *testing.T, body []byte) {
	t.Helper()
	members, err := document.Members(body)
	if err != nil || !slices.IsSortedFunc(members, func(a, b document.Member) int { return a.Compare(b.Key) }) {
		t.Fatalf("%s has the members %q, %v", body, members, err)
	}
	if again, err := document.FromMembers(members); err != nil || !bytes.Equal(again, body) {
		t.Fatalf("%s came back as %s, %v", body, again, err)
	}
}

// plain is the value with numbers as they are spelled.
func plain(t *testing.T, raw []byte) (value any) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(&value); err != nil {
		t.Skip(err) // encoding/json goes less deep
	}
	return value
}

// FuzzFields: of a valid object Fields reads what encoding/json does, and Value finds each
// member. Of anything else it may make what it likes, and returns.
func FuzzFields(f *testing.F) {
	for _, object := range fixtures(f) {
		f.Add(object)
	}
	for _, text := range append(odd, `{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `{"a":[}`, `{"a":"\\"`, `{"a":1 "b":2}`, `{"\u0061":1,"\\":2}`, `{"a":1}x`) {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		fields, err := document.Fields(raw)
		value := jsontext.Value(raw)
		if !value.IsValid() || value.Kind() != '{' {
			if known := map[string]bool{"{\"a\"}": true, "{\"a\":}": true, "{\"a\":1,}": true, "{,}": true}; known[string(raw)] && err == nil {
				t.Fatalf("%s has the fields %q", raw, fields)
			}
			return
		}
		want := map[string]json.RawMessage{}
		if json.Unmarshal(raw, &want) != nil {
			t.Skip() // encoding/json goes less deep
		}
		if err != nil || len(fields) != len(want) {
			t.Fatalf("%s has the fields %q: %v", raw, fields, err)
		}
		for _, m := range fields {
			if !bytes.Equal(want[m.Name], m.Value) || !bytes.Equal(document.Value(raw, m.Name), m.Value) {
				t.Errorf("%s has %q as %q instead of %s; its value is %s", raw, m.Name, m.Value, want[m.Name], document.Value(raw, m.Name))
			}
		}
	})
}

// FuzzDifference: Apply is the inverse of Difference, which is empty for a document and
// itself.
func FuzzDifference(f *testing.F) {
	objects := fixtures(f)
	for i, object := range objects {
		f.Add(object, objects[(i+1)%len(objects)])
	}
	for i, text := range odd {
		f.Add([]byte(text), []byte(odd[(i+5)%len(odd)]))
	}
	f.Add([]byte(`{"a":{"b":1},"c":1}`), []byte(`{"a":{},"d":1}`))
	f.Add([]byte(`{"a":{"b":1}}`), []byte(`{"a":[]}`))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		var all [3][]document.Member // nil: there was no document
		var bodies [3][]byte
		for i, raw := range [][]byte{first, second} {
			parts, err := document.Split(raw)
			if err != nil {
				t.Skip(err)
			}
			bodies[i+1] = parts.Body
			if all[i+1], err = document.Members(parts.Body); err != nil {
				t.Fatal(err)
			}
		}
		for i, before := range all {
			for j, after := range all {
				changed := document.Difference(before, after)
				if got, err := document.Changes(bodies[i], bodies[j]); err != nil || !same(got, changed) {
					t.Errorf("%s and %s differ in %q, and not in %q: %v", bodies[i], bodies[j], got, changed, err)
				}
				if got := document.Apply(before, changed); !same(got, after) {
					t.Errorf("%q and %q make %q instead of %q", before, changed, got, after)
				}
				if len(changed) > 0 == same(before, after) {
					t.Errorf("%q and %q differ in %q", before, after, changed)
				}
			}
		}
	})
}

func same(a, b []document.Member) bool {
	return slices.EqualFunc(a, b, func(a, b document.Member) bool { return a.Key == b.Key && bytes.Equal(a.Value, b.Value) })
}

// TestWhatIsNoCounter is part of the document: two objects that differ in it are two
// versions. What is a counter makes no version.
func TestWhatIsNoCounter(t *testing.T) {
	for object, isCounter := range map[string]bool{
		`{"value":%s,"params":{"user":{"a":{"value":1}}}}`:                             false,
		`{"params":{"user":{"a":{"max":{"value":%s}}}}}`:                               false,
		`{"cookies":[{"name":"a","current":%s}]}`:                                      false,
		`{"params":{"other":{"a":{"value":%s}}}}`:                                      false,
		`{"params":{"user":[{"value":%s}]}}`:                                           false,
		`{"params":{"user":{"a":{"value":%s,"max":1},"b/c~":{"last_batch_at":null}}}}`: true,
		`{"params":{"user":{"b/c~":{"last_batch_at":{"x":%s}}}},"status":200}`:         true,
		`{"resets_in":[%s]}`: true,
	} {
		first, err := document.Split(fmt.Appendf(nil, object, "1"))
		if err != nil {
			t.Fatal(err)
		}
		second, err := document.Split(fmt.Appendf(nil, object, `"18/07/2022 21:47:09"`))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(first.Body, second.Body) != isCounter || reflect.DeepEqual(first.Counters, second.Counters) == isCounter {
			t.Errorf("%s: counter %t, but\n%s %q\n%s %q", object, isCounter, first.Body, first.Counters, second.Body, second.Counters)
		}
	}
}
