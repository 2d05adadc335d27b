package store_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/lobstrail/lobstrail/store"
)

// FuzzParseSquids: squids have ids of their own, written down they are read alike,
// and a list never becomes "no squids".
func FuzzParseSquids(f *testing.F) {
	for _, text := range []string{
		``, `null`, `[]`, `[{"name":"Leads","hash_value":"c106"}]`, `[{"id":"a"},{"hash":"b","name":null},{"id":"a","name":"x"}]`,
		`[null]`, `["a"]`, `[{}]`, `[{"hash_value":"","id":"x"}]`, `{"a":1}`, `3`, `[{"ID":"a"}]`, `[{"name":"x","id":7}]`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		squids, err := store.ParseSquids(raw)
		if err != nil {
			if len(squids) > 0 {
				t.Errorf("%v beside %v", squids, err)
			}
			return
		}
		type entry struct {
			Name string `json:"name"`
			ID   string `json:"hash_value"`
		}
		list := []entry{}
		for i, s := range squids {
			if s.ID == "" || slices.ContainsFunc(squids[:i], func(other store.Squid) bool { return other.ID == s.ID }) {
				t.Errorf("no id of its own: %v", squids)
			}
			list = append(list, entry{s.Name, s.ID})
		}
		var entries []json.RawMessage
		if json.Unmarshal(raw, &entries) == nil && len(entries) > 0 && len(squids) == 0 {
			t.Errorf("%s became no squids", raw)
		}
		written, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := store.ParseSquids(written); err != nil || !slices.Equal(again, squids) {
			t.Errorf("%s is read as %v, %v", written, again, err)
		}
	})
}
