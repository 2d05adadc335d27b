package store

import (
	"encoding/json"
	"testing"
)

// FuzzMembersOfUsage: the fast way of reading a counter answers what a parser does,
// or leaves it to the parser.
func FuzzMembersOfUsage(f *testing.F) {
	for _, body := range []string{
		`{"value":7,"timestamp":1734652799}`, `{"value":null,"current":5}`, `{}`, `null`, `{"value":-3.5}`, `{"value":01}`,
		`{"value":"18/07/2022 21:47:09"}`, `{"value":7,}`, `{"value":7}}`, `{"va\u006cue":7}`, `{"value":7,"value":8}`,
		`{"value":12345678901234567890}`, `{"value": 7}`, `{"value":{"value":7}}`, `{"a\":7,"value":8}`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		got, plain := plainMembers(body)
		if !plain {
			return
		}
		var want map[string]json.RawMessage
		if err := json.Unmarshal([]byte(body), &want); err != nil {
			t.Fatalf("%q is read as %s but %v", body, got, err)
		}
		for name, value := range map[string]json.RawMessage{"value": got.value, "current": got.current, "timestamp": got.timestamp} {
			if string(value) != string(want[name]) {
				t.Errorf("%s of %q is %s instead of %s", name, body, value, want[name])
			}
		}
	})
}
