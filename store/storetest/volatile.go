package storetest

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lobstrail/lobstrail/store"
)

// volatileValues are what volatile pointers are set to; "" leaves one out.
var volatileValues = []string{"", `null`, `0`, `7`, `-3.5`, `1e400`, `"18/07/2022 21:47:09"`, `""`, `true`, `{}`,
	`{"a":[1]}`, `[]`, `[1,2]`, `"é\u0000"`}

// Volatile is the law that whatever becomes of the values that volatile pointers name, be it
// another type, null or absence, makes no version and no change; and none is lost.
func Volatile(t *testing.T, open Opener) {
	base, checks := newDesk(t, open), 0
	rapid.Check(t, func(t *rapid.T) {
		checks++
		d := base.in(t, fmt.Sprint("volatile ", checks))
		g := jsonGen{t}
		source := rapid.SampledFrom([]store.Source{store.List, store.Detail}).Draw(t, "source")
		d.look(source, counting(g))
		for range rapid.IntRange(1, 5).Draw(t, "looks") {
			object := counting(g)
			if done := d.look(source, object); done.Unchanged != 1 {
				t.Fatalf("%+v of %s", done, object)
			}
			if got := d.document(id(0), time.Time{}, true); !sameJSON(got, object) {
				t.Fatalf("%s came back as %s", object, got)
			}
		}
		if kinds := d.kinds(); len(kinds) != 1 {
			t.Fatalf("volatile values made changes: %v", kinds)
		}
		if n := d.account(id(0)).Versions; n != 1 {
			t.Fatalf("volatile values made %d versions", n)
		}
	})
}

// counting is an account of which nothing but the volatile values is drawn.
func counting(g jsonGen) string {
	user := map[string]string{}
	for _, limit := range []string{"profiles", "a/b~", "", "value"} {
		fields := map[string]string{"max": "100", "start_time": "null"}
		for _, name := range []string{"value", "current", "timestamp", "last_batch_at"} {
			fields[name] = g.pick(limit+" "+name, volatileValues)
		}
		user[limit] = g.join(fields)
	}
	return g.join(map[string]string{
		"id": quote(id(0)), "status": `"200"`,
		"resets_in": g.pick("resets_in", volatileValues),
		"params":    g.join(map[string]string{"user": g.join(user), "default": `{"profiles":{"value":1,"max":2}}`}),
	})
}

// VolatileShapes is the law that where volatile values stood and something else stands now, the
// old ones do not come back.
func VolatileShapes(t *testing.T, open Opener) {
	d := newDesk(t, open)
	for _, limit := range []string{`{"value":1,"max":2}`, `5`, `null`, `"x"`, `[]`, `{}`, `{"value":1,"max":2}`, `{"max":2}`} {
		want := object(0, `"params":{"user":{"p":`+limit+`}}`)
		d.look(store.List, want)
		if got := d.document(id(0), time.Time{}, false); !sameJSON(got, want) {
			t.Errorf("%s came back as %s", want, got)
		}
	}
	for _, user := range []string{`null`, `5`, `[{"value":1}]`} {
		want := object(0, `"params":{"user":`+user+`}`)
		d.look(store.Detail, want)
		if got := d.document(id(0), time.Time{}, false); !sameJSON(got, want) {
			t.Errorf("%s came back as %s", want, got)
		}
	}
}

// ResetsIn is the law that a lock that only resets_in tells of, which only lists show, is not
// over because a detail call was made, but when a list says so.
func ResetsIn(t *testing.T, open Opener) {
	d := newDesk(t, open)
	looks := []struct {
		source  store.Source
		members string
		want    store.Health
	}{
		{store.List, `"status":"200","resets_in":90000`, store.Locked},
		{store.Detail, `"status":"200"`, store.Locked},
		{store.List, `"status":"200","resets_in":null`, store.Healthy},
		{store.List, `"status":"200","resets_in":"5"`, store.Locked},
		{store.List, `"status":"200"`, store.Healthy},
		{store.Detail, `"status":"200"`, store.Healthy},
	}
	for i, l := range looks {
		d.look(l.source, object(0, l.members))
		if got := d.account(id(0)).Facts.Health; got != l.want {
			t.Errorf("look %d: the account is %s instead of %s", i, got, l.want)
		}
	}
}
