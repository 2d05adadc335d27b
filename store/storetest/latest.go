package storetest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// said is what an endpoint says of the one account of a history.
type said struct {
	source  store.Source
	members string
}

// LatestWord is the law that each response says what holds from then on for every field it
// has, also when its bytes equal an earlier response of the same endpoint and another
// endpoint spoke in between.
func LatestWord(t *testing.T, open Opener) {
	counter := func(value string) string {
		return `"status":"200","params":{"user":{"p":{"max":9,"value":` + value + `}}}`
	}
	for name, test := range map[string]struct {
		looks  []said
		health []store.Health // after each look
		values []string       // of limit_usage, in the order of time
	}{
		"counters": {
			[]said{{store.List, counter("1")}, {store.Detail, counter("2")}, {store.List, counter("1")}, {store.List, counter("1")}, {store.Detail, counter("2")}},
			nil, []string{"1", "2", "1", "2"},
		},
		"a lock that a detail told of": {
			[]said{{store.List, `"status":"200","resets_in":null`}, {store.Detail, `"status":"200","resets_in":90000`}, {store.List, `"status":"200","resets_in":null`}},
			[]store.Health{store.Healthy, store.Locked, store.Healthy}, nil,
		},
		"a lock that a list told of": {
			[]said{{store.Detail, `"status":"200","resets_in":0`}, {store.List, `"status":"200","resets_in":90000`}, {store.Detail, `"status":"200","resets_in":0`}},
			[]store.Health{store.Healthy, store.Locked, store.Healthy}, nil,
		},
		"a lock that comes again": {
			[]said{{store.List, `"status":"200","resets_in":90000`}, {store.Detail, `"status":"200","resets_in":null`}, {store.List, `"status":"200","resets_in":90000`}},
			[]store.Health{store.Locked, store.Healthy, store.Locked}, nil,
		},
		"a lock_time": {
			[]said{{store.List, `"status":"200","lock_time":null`}, {store.Detail, `"status":"200","lock_time":4102444800`}, {store.List, `"status":"200","lock_time":null`}},
			[]store.Health{store.Healthy, store.Locked, store.Healthy}, nil,
		},
		"a lock of which nothing more is said": {
			[]said{{store.List, `"status":"200","resets_in":90000`}, {store.List, `"status":"200"`}, {store.Detail, `"status":"200"`}, {store.List, `"status":"200"`}},
			[]store.Health{store.Locked, store.Locked, store.Locked, store.Locked}, nil,
		},
		"a status": {
			[]said{{store.List, `"status":"200"`}, {store.Detail, `"status":"401"`}, {store.List, `"status":"200"`}, {store.Import, `"status":"200"`}, {store.Detail, `"status":"401"`}},
			[]store.Health{store.Healthy, store.Expired, store.Healthy, store.Healthy, store.Expired}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) { latestWord(newDesk(t, open), test.looks, test.health, test.values) })
	}
}

// latestWord makes the looks, and compares what the readers answer after each, and then
// as of each moment.
func latestWord(d *desk, looks []said, health []store.Health, values []string) {
	d.t.Helper()
	var moments []time.Time
	check := func(i int, at time.Time) {
		d.t.Helper()
		a := d.accounts(at)[0]
		if health != nil && a.Facts.Health != health[i] {
			d.t.Errorf("look %d, as of %s: %s, want %s", i, at, a.Facts.Health, health[i])
		}
		if got, want := d.document(id(0), at, true), object(0, looks[i].members); !sameJSON(got, want) {
			d.t.Errorf("look %d, as of %s: the document is\n%s\nwant\n%s", i, at, got, want)
		}
	}
	for i, look := range looks {
		d.look(look.source, object(0, look.members))
		moments = append(moments, *d.now)
		check(i, time.Time{})
	}
	again := func() {
		for i, at := range moments {
			check(i, at)
		}
		got := strings.Fields(d.rows(`SELECT value FROM limit_usage ORDER BY seen_at`))
		if !slices.Equal(got, values) {
			d.t.Errorf("the counter moved to %s, want %s", got, values)
		}
	}
	again()
	before := d.whole()
	d.must(d.store.Rederive(d.ctx, nil))
	if after := d.whole(); after != before {
		d.t.Errorf("derived again it says\n%s\ninstead of\n%s", after, before)
	}
	again()
	d.verifies()
}

// verifies fails the law when the store does not verify.
func (d *desk) verifies() {
	d.t.Helper()
	_, err := d.store.Verify(d.ctx, store.VerifyOptions{}, func(f store.Finding) { d.t.Errorf("the store does not verify: %v", f) })
	d.must(err)
}

// Reduced is the law that the reduced accounts that the vendor's CLI prints, without a status,
// may alternate with full ones, whatever source these come from: what a document lacks
// concludes nothing.
func Reduced(t *testing.T, open Opener) {
	const info = `"status_code_info":"synchronized"`
	full := `"status":"200",` + info + `,"status_code_description":"Success!","last_synchronization_time":"2026-01-01T00:00:00Z",` +
		`"squids":[{"id":"s","name":"S"}],"params":{"user":{"p":{"max":9,"value":1}}}`
	listed := full + `,"lock_time":null,"primary_color":"#fff"`
	d := newDesk(t, open)
	for i, look := range []said{
		{store.Import, info}, {store.Import, full}, {store.Import, info}, {store.Import, listed}, {store.Import, info},
		{store.Import, full}, {store.List, listed}, {store.Detail, full}, {store.Import, info}, {store.List, listed}, {store.Detail, full},
	} {
		d.look(look.source, object(0, look.members))
		if a := d.account(id(0)); a.Facts.Health != store.Healthy {
			t.Errorf("look %d: %s", i, a.Facts.Health)
		}
	}
	if a := d.account(id(0)); a.Facts.Status != "200" || a.Facts.LastSync == "" || len(a.Facts.Squids) != 1 {
		t.Errorf("what only full accounts have is not known: %+v", a.Facts)
	}
	if got, want := d.kinds(), []string{"appeared"}; !slices.Equal(got, want) {
		t.Errorf("%v instead of %v", got, want)
	}
	if n := d.count(`SELECT count(*) FROM status_changes`); n != 0 {
		t.Errorf("%d status changes", n)
	}
	d.look(store.Import, object(0, info+`,"new":1`))
	d.look(store.List, object(0, listed+`,"new":1`))
	d.look(store.Import, object(0, info+`,"new":1`))
	d.look(store.Detail, object(0, full+`,"new":1`))
	d.look(store.Import, object(0, `"status_code_info":"account_blocked","new":1`))
	want := []string{"appeared", "schema/new", "schema/new", "schema/new", "status/status_code_info"}
	if got := d.kinds(); !slices.Equal(got, want) {
		t.Errorf("%v instead of %v", got, want)
	}
	if a := d.account(id(0)); a.Facts.Health != store.Unknown {
		t.Errorf("blocked: %s", a.Facts.Health)
	}
	before := d.whole()
	d.must(d.store.Rederive(d.ctx, nil))
	if after := d.whole(); after != before {
		t.Errorf("derived again it says\n%s\ninstead of\n%s", after, before)
	}
	d.verifies()
}
