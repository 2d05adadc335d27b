package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// fixtureAccounts are the account objects of the vendor's documentation.
func fixtureAccounts(t testing.TB) (objects [][]byte) {
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

// FuzzSeparateRestore: restore is the inverse of separate, which takes every JSON
// object with unique names and valid UTF-8, and nothing else.
func FuzzSeparateRestore(f *testing.F) {
	for _, object := range fixtureAccounts(f) {
		f.Add(object)
	}
	for _, text := range []string{
		`{}`, ` {"a" : 1e400 , "b":-0} `, `{"icon":""}`, `{"icon":null}`, `{"icon":"x","icon":"y"}`, `{"resets_in":{"a":[]}}`,
		`{"params":{"user":{"":{"value":1,"max":2,"current":{}},"a/b~":{"timestamp":[ ]},"p":5}}}`, `{"params":null}`,
		`{"params":{"user":{"p":{"value":1,"value":1}}}}`, "{\"\xff\":1}", `{"a":"\ud800"}`, `{}{}`, `[]`, `{`, ``,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		apart, err := separate(bytes.Clone(raw))
		value := jsontext.Value(raw)
		if valid := value.IsValid() && value.Kind() == '{'; valid != (err == nil) {
			t.Fatalf("valid %t, but %v", valid, err)
		}
		if err != nil {
			return
		}
		checkApart(t, raw, apart)
	})
}

func checkApart(t *testing.T, raw []byte, apart separated) {
	t.Helper()
	values := map[string]json.RawMessage{}
	for _, u := range apart.usage {
		if !json.Valid(u.body) || u.max != nil && !json.Valid(u.max) || values[u.pointer] != nil {
			t.Fatalf("usage %s: %s of %s", u.pointer, u.body, u.max)
		}
		values[u.pointer] = u.body
	}
	icon := func(digest string) (string, error) {
		if apart.icon == nil {
			return "", errors.New("there is no icon")
		}
		if want := fmt.Sprintf("%x", sha256.Sum256([]byte(apart.icon.text))); digest != want {
			return "", fmt.Errorf("icon %s instead of %s", digest, want)
		}
		return apart.icon.text, nil
	}
	whole, err := restore(apart.body, values, icon)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := plain(t, whole), plain(t, raw); !reflect.DeepEqual(got, want) {
		t.Fatalf("%s came back as %s", raw, whole)
	}
	again, err := separate(whole)
	if err != nil || !reflect.DeepEqual(again, apart) {
		t.Fatalf("taken apart again it is\n%+v, %v\ninstead of\n%+v", again, err, apart)
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

// FuzzFind: who is named in full is found, and what is found fits.
func FuzzFind(f *testing.F) {
	f.Add("d3e97f2c:ada\nd3e9ffff:Ada Lovelace\n2372:bob", "d3e9")
	f.Add("a:\nb:\n", "")
	f.Add("ABC:x\nabd:ſ\nk:K", "s")
	f.Fuzz(func(t *testing.T, list, reference string) {
		if !utf8.ValidString(list) || !utf8.ValidString(reference) {
			t.Skip("a store has no such names")
		}
		var all []Name
		known := map[string]bool{}
		for line := range strings.SplitSeq(list, "\n") {
			id, name, _ := strings.Cut(line, ":")
			if id != "" && !known[strings.ToLower(id)] {
				known[strings.ToLower(id)] = true
				all = append(all, Name{ID: id, Name: name})
			}
		}
		for _, n := range all {
			if found, err := choose(all, n.ID, nowWays(n.ID)); err != nil || found != n {
				t.Errorf("%q finds %v, %v", n.ID, found, err)
			}
		}
		found, err := choose(all, reference, nowWays(reference))
		switch failed := err.(type) {
		case nil:
			if !fits(found, reference) {
				t.Errorf("%q found %v", reference, found)
			}
		case *AmbiguousError:
			if len(failed.Candidates) < 2 || failed.Reference != reference {
				t.Errorf("%+v", failed)
			}
			for _, n := range failed.Candidates {
				if !fits(n, reference) {
					t.Errorf("%q could be %v", reference, n)
				}
			}
		default:
			for _, n := range all {
				if n.ID == reference || n.Name == reference || strings.Contains(n.Name, reference) {
					t.Errorf("%q did not find %v", reference, n)
				}
			}
		}
	})
}

func fits(n Name, reference string) bool {
	return n.ID == reference || strings.EqualFold(n.Name, reference) || strings.HasPrefix(n.ID, strings.ToLower(reference)) ||
		strings.Contains(strings.ToLower(n.Name), strings.ToLower(reference))
}
