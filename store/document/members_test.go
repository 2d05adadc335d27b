package document_test

import (
	"testing"

	"github.com/lobstrail/lobstrail/store/document"
)

// TestMembersThatMakeNoDocument are those of a store that was changed.
func TestMembersThatMakeNoDocument(t *testing.T) {
	member := func(top, sub, value string) document.Member {
		return document.Member{Key: document.Key{Top: top, Sub: sub}, Value: []byte(value)}
	}
	for name, members := range map[string][]document.Member{
		"a member twice":            {member("a", "", "1"), member("a", "", "2")},
		"an object twice":           {member("a", "", "{}"), member("a", "", "{}"), member("a", "/b", "1")},
		"a part without its object": {member("a", "/b", "1")},
		"a part of a number":        {member("a", "", "1"), member("a", "/b", "1")},
		"a part without a slash":    {member("a", "", "{}"), member("a", "b", "1")},
		"no JSON":                   {member("a", "", "{")},
		"an empty value":            {member("a", "", "")},
	} {
		if body, err := document.FromMembers(members); err == nil {
			t.Errorf("%s: %s", name, body)
		}
	}
}
