package report

import (
	"encoding/json"
	"testing"

	"github.com/lobstrail/lobstrail/store"
)

func TestApply(t *testing.T) {
	raw := func(s string) json.RawMessage { return json.RawMessage(s) }
	changes := []store.Change{
		{Kind: store.SquidAssigned, Path: "/squids/b", New: raw(`"B"`)},
		{Kind: store.SquidUnassigned, Path: "/squids/a", Old: raw(`"A"`)},
		{Kind: store.SquidRenamed, Path: "/squids/c~1", New: raw(`"C2"`)},
		{Kind: store.LimitChanged, Path: "/params/user/p/max", New: raw(`5`)},
		{Kind: store.LimitChanged, Path: "/params/old/max", Old: raw(`5`)},
		{Kind: store.FieldChanged, Path: "/x/1", New: raw(`9`)},
		{Kind: store.SchemaChanged, Path: "/y", Old: raw(`1`)},
	}
	doc := raw(`{"squids":[{"id":"a"},{"hash":"c/","name":"C"}],"x":[1,2],"y":1,"z":1.0}`)
	got, err := Apply(doc, changes)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"params":{"user":{"p":{"max":5}}},"squids":[{"hash":"c/","name":"C2"},{"hash_value":"b","name":"B"}],"x":[1,9],"z":1.0}`
	if string(got) != want {
		t.Errorf("%s", got)
	}
}

func TestApplyRefuses(t *testing.T) {
	good := store.Change{Kind: store.FieldChanged, Path: "/x", New: json.RawMessage("1")}
	for name, test := range map[string]struct {
		doc    string
		change store.Change
	}{
		"a list":          {`[]`, good},
		"broken JSON":     {`{`, good},
		"a broken value":  {`{}`, store.Change{Kind: store.FieldChanged, Path: "/x", New: json.RawMessage("{")}},
		"no path":         {`{}`, store.Change{Kind: store.Appeared}},
		"a broken path":   {`{}`, store.Change{Kind: store.FieldChanged, Path: "x"}},
		"unknown squids":  {`{"squids":[1]}`, store.Change{Kind: store.SquidUnassigned, Path: "/squids/a"}},
		"unnamed kind, /": {`{}`, store.Change{Path: "~2"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := Apply(json.RawMessage(test.doc), []store.Change{test.change}); err == nil {
				t.Errorf("no error, but %s", got)
			}
		})
	}
}

func TestMerge(t *testing.T) {
	got, err := Merge(both(`{"b":1,"o":{"x":1,"y":{"z":1}}}`, `{"a":2,"b":3,"o":{"x":2,"y":null,"w":1.0}}`, store.Detail))
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"a":2,"b":3,"o":{"w":1.0,"x":2,"y":null}}`; string(got) != want {
		t.Errorf("%s", got)
	}
	if got, err := Merge(store.State{Gone: true}); got != nil || err != nil {
		t.Errorf("%s, %v", got, err)
	}
}

func TestEqual(t *testing.T) {
	a, b := json.RawMessage(fields(`"x":1,"lock_time":`+past)), json.RawMessage(fields(`"x":1.0,"lock_time":null`))
	if !Equal(a, b, at) {
		t.Error("other spellings")
	}
	if Equal(a, json.RawMessage(fields(`"x":2`)), at) || Equal(a, json.RawMessage(`[]`), at) {
		t.Error("equal to something else")
	}
}
