package store_test

import (
	"testing"

	"github.com/lobstrail/lobstrail/store"
)

// TestShapeOf: what the API answered has the shape of its endpoint, and what was
// imported that of its fields.
func TestShapeOf(t *testing.T) {
	for _, test := range []struct {
		source store.Source
		body   string
		want   store.Source
	}{
		{store.List, `{"id":"x"}`, store.List},
		{store.Detail, `{"id":"x","primary_color":"#fff","resets_in":null}`, store.Detail},
		{store.Import, `{"id":"x","username":"ada"}`, store.Import},
		{store.Import, `{"id":"x","primary_color":"#fff"}`, store.Import},
		{store.Import, `{"id":"x","status":null}`, store.Detail},
		{store.Import, `{"id":"x","status":"200","params":{"resets_in":1}}`, store.Detail},
		{store.Import, `{"id":"x","status":"200","primary_color":null}`, store.List},
		{store.Import, `{"id":"x","status":"200","lock_time":null}`, store.List},
		{store.Import, `{"id":"x","status":"200","resets_in":null}`, store.List},
	} {
		if got := store.ShapeOf(test.source, []byte(test.body)); got != test.want {
			t.Errorf("%v %s has the shape %v instead of %v", test.source, test.body, got, test.want)
		}
	}
}
