package report

import (
	"testing"

	"github.com/lobstrail/lobstrail/store"
)

func TestNamesTellApart(t *testing.T) {
	types := map[string]string{"a1": "x", "a2": "y", "b1": "x", "b2": "x", "c1": "x", "c2": ""}
	names := NewNames([]store.Name{{ID: "a1", Name: "ann"}, {ID: "a2", Name: "ann"}, {ID: "b1", Name: "bob"}, {ID: "b2", Name: "bob"},
		{ID: "c1", Name: "cy"}, {ID: "c2", Name: "cy"}, {ID: "d1", Name: "dan"}, {ID: "e1", Name: ""}, {ID: "e2", Name: ""}},
		func(id string) string { return types[id] })
	for _, test := range []struct{ name, id, want string }{
		{"ann", "a1", "ann (x)"}, {"ann", "a2", "ann (y)"},
		{"bob", "b1", "bob (b1)"}, {"bob", "b2", "bob (b2)"},
		{"cy", "c1", "cy (c1)"}, {"cy", "c2", "cy (c2)"}, // one has no type
		{"dan", "d1", "dan"}, {"dan", "e1", "dan (e1)"}, // it was called so once
		{"zoe", "e1", "zoe"}, {"", "e1", ""},
	} {
		if got := names.Of(test.name, test.id); got != test.want {
			t.Errorf("%s of %s: got %q, want %q", test.name, test.id, got, test.want)
		}
	}
	if got := (Names{}).Of("ann", "a1"); got != "ann" {
		t.Errorf("without names: %q", got)
	}
}
