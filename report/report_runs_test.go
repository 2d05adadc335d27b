package report

import (
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

func TestReportOfRuns(t *testing.T) {
	day := time.Date(2026, 11, 1, 22, 0, 0, 0, time.UTC)
	hours := func(n int) time.Time { return day.Add(time.Duration(n) * time.Hour) }
	run := func(id int64, at int, state store.RunState) store.Run {
		r := store.Run{ID: id, State: state, Started: hours(at), Requested: 10, Unchanged: 8, Changed: 1, Failed: 1, Requests: 2}
		if state != store.Running {
			r.Finished = hours(at).Add(time.Hour)
		}
		return r
	}
	in := Input{Since: hours(0), Until: hours(10), Sections: Sections{Runs: true}, Runs: []store.Run{
		run(5, 12, store.Failed), run(4, 9, store.Running), run(3, 3, store.Incomplete), run(2, 1, store.Complete), run(1, -1, store.Failed),
	}}
	r := Build(in)
	if r.Status != nil || r.Changes != nil || len(r.Runs.Runs) != 3 {
		t.Errorf("%+v", r)
	}
	wantJSON(t, r.Runs.Summary, `{"runs":3,"complete":1,"incomplete":1,"interrupted":0,"failed":0,"running":1,"requested":30,"captured":27,`+
		`"failures":3,"requests":6}`)
	wantJSON(t, r.Runs.LongestGap, `{"from":"2026-11-02T02:00:00.000Z","to":"2026-11-02T07:00:00.000Z","seconds":18000}`)
	if len(r.Runs.Days) != 2 || r.Runs.Days[0].Runs != 1 || r.Runs.Days[1].Day != "2026-11-02" || r.Runs.Days[1].Runs != 2 {
		t.Errorf("days: %+v", r.Runs.Days)
	}
	if len(r.Runs.Incomplete) != 1 || r.Runs.Incomplete[0].Run != 3 {
		t.Errorf("incomplete: %+v", r.Runs.Incomplete)
	}
}
