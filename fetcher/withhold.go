package fetcher

import (
	"cmp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// suspect is a value that stands beside a name: a secret when the account's
// cookies specification has a cookie of that name.
type suspect struct {
	name  string
	value span
}

// edit is a place of the account that is replaced before anyone sees it.
type edit struct {
	span
	by []byte // JSON
}

// hide withholds a value.
func (in *inspector) hide(at span) {
	in.edits = append(in.edits, edit{at, []byte(`"` + withheldText + `"`)})
}

// hideKey withholds the API key where it stands in a string, be it a name or a
// value; text is the decoded string.
func (in *inspector) hideKey(at span, text []byte) {
	if !in.key.in(text) {
		return
	}
	// Valid UTF-8, as the decoder saw to it, can always be quoted.
	by, _ := jsontext.AppendQuote(nil, strings.ReplaceAll(string(text), in.key.token, withheldText))
	in.edits = append(in.edits, edit{at, by})
}

// withhold answers the account without its secrets: the bytes as received when
// there are none.
func (in *inspector) withhold() (kept []byte, withheld bool, err error) {
	in.judgeSuspects()
	if len(in.edits) == 0 {
		return in.raw, false, nil
	}
	kept = in.edited()
	// Two names may have become one, or the key have arisen from its neighbours.
	if !jsontext.Value(kept).IsValid() || in.key.in(kept) {
		return nil, false, &decodeError{text: "the account holds the API key where it cannot be withheld"}
	}
	return kept, true, nil
}

func (in *inspector) judgeSuspects() {
	if len(in.suspects) == 0 || len(in.specs) == 0 {
		return
	}
	names := make(map[string]bool, len(in.specs))
	for _, name := range in.specs {
		names[name] = true
	}
	for _, suspect := range in.suspects {
		if names[suspect.name] {
			in.hide(suspect.value)
		}
	}
}

// edited applies the edits. Of edits within one another the outermost counts.
func (in *inspector) edited() []byte {
	slices.SortStableFunc(in.edits, func(a, b edit) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to), cmp.Compare(len(a.by), len(b.by)))
	})
	kept := make([]byte, 0, len(in.raw)+len(in.edits)*len(withheldText))
	end := 0
	for _, edit := range in.edits {
		if edit.from < end {
			continue
		}
		kept = append(kept, in.raw[end:edit.from]...)
		kept = append(kept, edit.by...)
		end = edit.to
	}
	return append(kept, in.raw[end:]...)
}
