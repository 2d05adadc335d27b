package storetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lobstrail/lobstrail/store"
)

// maker draws a history and tells the store and the model of it.
type maker struct {
	*rapid.T
	desk  *desk
	model *model
	names map[string]string // of the squids, as of now
}

// history draws one of up to a dozen runs, some of whose responses fall into the
// same millisecond.
func history(t *rapid.T, base *desk, workspace string) (*desk, *model) {
	d := base.in(t, workspace)
	m := &maker{T: t, desk: d, model: newModel(), names: map[string]string{"s0": "Leads", "s1": "Pages", "s2": ""}}
	for range rapid.IntRange(1, 12).Draw(t, "runs") {
		m.run()
	}
	return d, m.model
}

func (m *maker) run() {
	m.pause()
	m.desk.begin()
	defer m.desk.finish()
	if rapid.Bool().Draw(m.T, "all") {
		m.list()
		return
	}
	for n := range accountCount {
		switch rapid.IntRange(0, 3).Draw(m.T, "detail") {
		case 0:
			m.pause()
			m.tell(store.Detail, nil, []int{n})
		case 1, 2:
			m.pause()
			m.tell(store.Detail, []int{n}, nil)
		}
	}
}

// list shows some accounts, and may conclude that it was complete.
func (m *maker) list() {
	shown := map[int]bool{}
	for range rapid.IntRange(1, 2).Draw(m.T, "pages") {
		var page []int
		for n := range accountCount {
			if !shown[n] && rapid.Bool().Draw(m.T, "shown") {
				page, shown[n] = append(page, n), true
			}
		}
		m.tell(store.List, page, nil)
	}
	if rapid.Bool().Draw(m.T, "complete") {
		m.desk.unlist()
		m.model.unlist(shown)
	}
}

// pause lets no time pass at all, or some.
func (m *maker) pause() {
	m.desk.advance(rapid.SampledFrom([]time.Duration{0, 0, time.Millisecond, time.Hour}).Draw(m.T, "pause"))
	if rapid.IntRange(0, 5).Draw(m.T, "rename") == 0 {
		m.names[rapid.SampledFrom([]string{"s0", "s1", "s2"}).Draw(m.T, "squid")] =
			rapid.SampledFrom([]string{"Leads", "Pages", "Ärger", ""}).Draw(m.T, "name")
	}
}

// tell gives the same response to the store and to the model.
func (m *maker) tell(source store.Source, shown, absent []int) {
	sent := *m.desk.now
	m.desk.advance(rapid.SampledFrom([]time.Duration{0, time.Millisecond, time.Second}).Draw(m.T, "took"))
	r := store.Response{Source: source, Sent: sent, Received: *m.desk.now}
	objects := map[int]string{}
	for _, n := range shown {
		objects[n] = m.object(n, source)
		r.Accounts = append(r.Accounts, store.Observed{ID: id(n), Raw: []byte(objects[n])})
	}
	for _, n := range absent {
		r.Absent = append(r.Absent, id(n))
	}
	done, err := m.desk.run.Append(m.desk.ctx, r)
	m.desk.must(err)
	if n := len(m.model.times); n > 0 && !r.Received.After(m.model.times[n-1]) { // no two responses have one instant
		r.Received = m.model.times[n-1].Add(time.Millisecond)
	}
	if want := m.model.respond(r, objects, absent); done != want {
		m.Fatalf("appended %+v instead of %+v", done, want)
	}
}

// object draws what the endpoint says of an account.
func (m *maker) object(n int, source store.Source) string {
	draw := func(label string, from ...string) string { return rapid.SampledFrom(from).Draw(m.T, label) }
	fields := []string{
		`"id":` + quote(id(n)),
		`"type":"x-sync"`,
		`"username":` + draw("username", `"ada"`, `"Bob"`, `"chloé"`),
		`"status":` + draw("status", `"200"`, `"200"`, `"401"`, `"500"`),
		`"status_code_info":` + draw("info", `"synchronized"`, `null`),
		// Always an object: another JSON type than the endpoint sent last would be a
		// change of schema, also where the other endpoint sent the same.
		`"f":` + draw("f", `{"a":1}`, `{"a":2}`, `{"a":3}`),
		`"squids":` + m.squids(),
		`"icon":` + draw("icon", `"aWNvbg=="`, `"b3RoZXI="`),
		`"params":{"user":{"p":{"max":` + draw("max", "10", "20") + `,"value":` + draw("value", "1", "2", "null") + `}}}`,
	}
	if source != store.Detail {
		fields = append(fields, `"primary_color":`+draw("color", `"#000"`, `"#fff"`))
	}
	return "{" + strings.Join(fields, ",") + "}"
}

func (m *maker) squids() string {
	var entries []string
	for _, squid := range sorted(m.names) {
		if rapid.Bool().Draw(m.T, squid) {
			entries = append(entries, fmt.Sprintf(`{"hash_value":%q,"name":%s}`, squid, quote(m.names[squid])))
		}
	}
	return "[" + strings.Join(entries, ",") + "]"
}

// Derived is the law that deriving everything again from the evidence gives what was there.
func Derived(t *testing.T, open Opener) {
	base := newDesk(t, open)
	var desks []*desk
	rapid.Check(t, func(rt *rapid.T) {
		d, _ := history(rt, base, fmt.Sprint("derived ", len(desks)))
		desks = append(desks, d.in(t, d.workspace))
	})
	var before []string
	for _, d := range desks {
		before = append(before, d.whole())
	}
	base.must(base.store.Rederive(base.ctx, nil))
	base.verifies()
	for i, d := range desks {
		if after := d.whole(); after != before[i] {
			t.Fatalf("derived again it says\n%s\ninstead of\n%s", after, before[i])
		}
	}
}
