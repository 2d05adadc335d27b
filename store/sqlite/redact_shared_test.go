package sqlite_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// TestAnErasedIconIsKeptAgain when another account shows it.
func TestAnErasedIconIsKeptAgain(t *testing.T) {
	path := memoryPath(t)
	s := redactLab(t, path)
	redactAll(t, s, "default", person)
	take(t, s, start.Add(24*time.Hour), accountObject(`,"icon":"SUNOTE-ICON-0"`))
	if got := fmt.Sprint(rowsOf(t, path, `SELECT body FROM icon ORDER BY body`)); got != "[SHARED SUNOTE-ICON-0]" {
		t.Error(got)
	}
	healthy(t, path)
}

// TestNamesThatOnlyTheRedactedToldOf: a squid was renamed, which only the person's
// account showed, and another one still shows the old name.
func TestNamesThatOnlyTheRedactedToldOf(t *testing.T) {
	path := memoryPath(t)
	s := openStore(t, path, at(start))
	const other = `,"squids":[{"id":"s1","name":"One"}]`
	take(t, s, start, accountObject(other))
	take(t, s, start.Add(time.Hour), store.Observed{ID: person, Raw: fmt.Appendf(nil,
		`{"id":%q,"username":"zoe","squids":[{"id":"s0","name":"Own"},{"id":"s1","name":"Two"}]}`, person)})
	take(t, s, start.Add(2*time.Hour), accountObject(other+`,"note":1`))
	take(t, s, start.Add(3*time.Hour), accountObject(`,"squids":[{"id":"s1","name":"One"},{"id":"s2","name":"New"}]`))
	redactAll(t, s, "default", person)
	healthy(t, path)
	before := dump(t, path, everything())
	if err := s.Rederive(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if after := dump(t, path, everything()); after != before {
		t.Error(difference(before, after))
	}
	if got := fmt.Sprint(rowsOf(t, path, `SELECT name FROM squid_name ORDER BY at, name`)); got != "[One Own Two New]" {
		t.Error(got)
	}
}
