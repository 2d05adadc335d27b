package render

import (
	"bytes"
	"encoding/json"
	"testing"
)

// TestGrouped: each row says which group it is of, in every format; JSON that says so
// itself is left as it is.
func TestGrouped(t *testing.T) {
	type plain struct {
		N int `json:"n"`
	}
	type own struct {
		N    int    `json:"n"`
		Team string `json:"team"`
	}
	for name, test := range map[string]struct {
		format Format
		rows   []any
		want   string
	}{
		"table":           {Table, []any{nil, nil}, "TEAM  N\na=b   1\nc     2\n"},
		"csv":             {CSV, []any{nil, nil}, "team,n\na=b,1\nc,2\n"},
		"markdown":        {Markdown, []any{nil, nil}, "| Team | N |\n| --- | --- |\n| a=b | 1 |\n| c | 2 |\n"},
		"json":            {NDJSON, []any{plain{1}, plain{2}}, "{\"team\":\"a=b\",\"n\":1}\n{\"team\":\"c\",\"n\":2}\n"},
		"json of its own": {NDJSON, []any{own{1, "x"}, own{2, "y"}}, "{\"n\":1,\"team\":\"x\"}\n{\"n\":2,\"team\":\"y\"}\n"},
		"nothing in it":   {NDJSON, []any{struct{}{}, struct{}{}}, "{\"team\":\"a=b\"}\n{\"team\":\"c\"}\n"},
		"raw": {NDJSON, []any{json.RawMessage(`{"n":1}`), json.RawMessage(`{"n":2,"x":{"team":3}}`)},
			"{\"team\":\"a=b\",\"n\":1}\n{\"team\":\"c\",\"n\":2,\"x\":{\"team\":3}}\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			w := NewGrouped(&out, Options{Format: test.format}, Column{Title: "Team", Key: "team"}, Column{Title: "N", Key: "n"})
			for i, group := range []string{"a=b", "c"} {
				w.Group(group)
				if err := w.Row(test.rows[i], IntCell(i+1)); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(""); err != nil || out.String() != test.want {
				t.Errorf("%v\n%s\nwant\n%s", err, out.String(), test.want)
			}
		})
	}
	w := NewGrouped(&bytes.Buffer{}, Options{Format: JSON}, Column{Key: "team"}, Column{Key: "n"})
	if err := w.Row(3, IntCell(3)); err == nil {
		t.Error("a number has no members")
	}
	New(&bytes.Buffer{}, Options{}).Group("x") // has none
}
