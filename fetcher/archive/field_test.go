package archive_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lobstrail/lobstrail/fetcher/archive"
)

// byField reads the instants from member t, in seconds after the start.
var byField = archive.Options{Now: clock, Field: "t", ParseTime: func(text string) (time.Time, error) {
	after, err := time.ParseDuration(text + "s")
	return start.Add(after), err
}}

// fieldCases are texts with what an import keeps of them, and the failures it tells.
func fieldCases() map[string]textCase {
	a2, noTime := object(0, "2"), "f: an answer without member \"t\", which tells the instant, was left out"
	return map[string]textCase{
		"before the data":     {body: `{"t":5,"data":[` + a + `,` + b + `]}`, kept: "a000 5 1\na001 5 2\n"},
		"behind the data":     {body: `{"data":[` + a + `,` + b + `],"t":"5"}`, kept: "a000 5 1\na001 5 2\n"},
		"of data that is one": {body: `{"data":` + a + `,"t":5}`, kept: "a000 5 1\n"},
		"in each account":     {body: withT(a, 5) + withT(b, 6), kept: "a000 5 1\na001 6 2\n"},
		"first in an account": {body: `{"t":5,"id":"` + idOf(0) + `","x":1}`, kept: "a000 5 1\n"},
		"alone with the id":   {body: "{ \"id\":\"" + idOf(0) + "\" ,\n \"t\" : 5 }", kept: "a000 5 <nil>\n"},
		"a line each": {body: `{"t":5,"data":[` + a + `]}` + "\n" + `{"data":[` + a2 + `,` + b + `],"t":6}` + "\n",
			kept: "a000 5 1\na000 6 2\na001 6 2\n"},
		"in a list of answers": {body: `[{"t":5,"data":[` + a + `]},{"data":[` + a2 + `],"t":6},` + withT(b, 7) + `]`,
			kept: "a000 5 1\na000 6 2\na001 7 2\n"},
		"several of one instant": {body: withT(a, 5) + withT(b, 5), kept: "a000 5 1\na001 5 2\n"},
		"the same again":         {body: withT(a, 5) + withT(a, 6), kept: "a000 5 1\na000 6 1\n"},
		"deeper, which is not it": {body: `{"t":5,"data":[{"id":"` + idOf(0) + `","x":1,"y":{"t":9}}]}`,
			kept: "a000 5 1\n"},

		"missing from one": {body: withT(a, 5) + a2 + withT(b, 6), kept: "a000 5 1\na001 6 2\n",
			failures: []string{noTime + " (at byte 100)"}},
		"missing from an envelope": {body: `{"data":[` + a + `,` + b + `]}`, failures: []string{noTime + " (at byte 106)"}},
		"missing where nobody is":  {body: `{"data":[]}`},
		"no time in one": {body: `{"t":"` + `soon","data":[` + a2 + `]}` + withT(b, 6), kept: "a001 6 2\n",
			failures: []string{"f: an answer whose member \"t\" is no time was left out (at byte 11)"}},
		"null": {body: `{"data":[` + a + `],"t":null}` + withT(b, 6), kept: "a001 6 2\n",
			failures: []string{"f: an answer whose member \"t\" is no time was left out (at byte 66)"}},
		"twice": {body: withT(b, 5) + `{"t":6,"t":7,"data":[` + a + `]}`, kept: "a001 5 2\n",
			failures: []string{`f: member "t" stands twice in one answer`}},
		"twice, around the data": {body: `{"t":6,"data":[` + a + `],"t":7}`, kept: "a000 6 1\n",
			failures: []string{`f: member "t" stands twice in one answer`}},
		"an answer that breaks off before its time": {body: withT(b, 5) + `{"data":[` + a + `],"t":`, kept: "a001 5 2\n",
			failures: []string{"f: it breaks off (at byte 115)"}},
		"out of order": {body: withT(a, 5) + withT(b, 4) + withT(a2, 6), kept: "a000 5 1\na000 6 2\n", failures: []string{
			"1 refused, older than the newest snapshot (the first: f of 2026-01-05T06:00:04Z): history is only ever added at its " +
				"end; give the past a workspace or a store of its own",
		}},
	}
}

// TestFieldsTellInstants: each answer tells its own.
func TestFieldsTellInstants(t *testing.T) {
	for name, test := range fieldCases() {
		t.Run(name, func(t *testing.T) {
			s := openStore(t)
			done := importInto(t, s, sequence(text("f", today.AddDate(9, 0, 0), test.body)), byField)
			if diff := cmp.Diff(test.failures, done.messages); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.kept, stored(t, s)); diff != "" {
				t.Error(diff)
			}
			if bodies := dump(t, s, "SELECT document FROM account_versions"); strings.Contains(bodies, `"t":5`) || strings.Contains(bodies, `"t" :`) {
				t.Errorf("the member is not the API's: %s", bodies)
			}
			again := importInto(t, s, sequence(text("f", start, test.body)), byField)
			if diff := cmp.Diff(test.kept, stored(t, s)); diff != "" || again.run.Captured() != 0 {
				t.Errorf("again: %s", diff)
			}
		})
	}
}

// withT is an account object with a member t.
func withT(account string, seconds int) string {
	return fmt.Sprintf(`%s,"t":%d}`, strings.TrimSuffix(account, "}"), seconds)
}

// TestALongLogThatTellsItsInstantsLate: only a single answer is bound by the size
// of a batch, not all of them.
func TestALongLogThatTellsItsInstantsLate(t *testing.T) {
	var log strings.Builder
	for i := range 130 {
		fmt.Fprintf(&log, `{"data":%s,"t":%d}`+"\n", crowd(0, 70, fmt.Sprint(i/50)), i)
	}
	rec := &counting{}
	items := sequence(text("log", start, log.String()))
	_, result, err := archive.Import(t.Context(), rec, items, byField, nil)
	if err != nil || rec.accounts != 9100 || rec.failures != 0 || result.Origins[archive.Field] != 130 {
		t.Errorf("%d accounts, %d failures, %+v, %v", rec.accounts, rec.failures, result, err)
	}
	if rec.batches < 2 {
		t.Error("one batch took it all")
	}
	rec = &counting{}
	items = sequence(text("one", start, `{"data":`+crowd(0, 8100, "1")+`,"t":1}`), text("two", start, withT(a, 2)))
	if _, _, err = archive.Import(t.Context(), rec, items, byField, nil); err != nil || rec.accounts != 1 || rec.failures != 1 {
		t.Errorf("%d accounts, %d failures, %v", rec.accounts, rec.failures, err)
	}
	rec = &counting{}
	items = sequence(text("one", start, `{"t":1,"data":`+crowd(0, 8100, "1")+`}`))
	if _, _, err = archive.Import(t.Context(), rec, items, byField, nil); err != nil || rec.accounts != 8100 || rec.failures != 0 {
		t.Errorf("%d accounts, %d failures, %v", rec.accounts, rec.failures, err)
	}
}
