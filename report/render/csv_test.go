package render

import (
	"encoding/csv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestFieldsAreWrittenAsEncodingCSVWritesThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		field := Clean(rapid.OneOf(rapid.String(), rapid.StringMatching(`[ ",.\\a]{0,8}`), rapid.Custom(drawText)).Draw(t, "field"))
		var want strings.Builder
		w := csv.NewWriter(&want)
		if err := w.Write([]string{field, "next"}); err != nil {
			t.Fatal(err)
		}
		w.Flush()
		if got := string(appendField(nil, field)) + ",next\n"; got != want.String() {
			t.Fatalf("%q instead of %q", got, want.String())
		}
	})
}
