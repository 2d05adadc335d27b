package lobstrtest

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// run is a run of a squid that has ended or paused.
type run struct {
	squid  *squid
	number int
	ended  time.Time
	reason string // as in done_reason
}

// Run lets a run of the squid end, or pause, for a reason as in done_reason. With
// "tasks_done" it is done. With "no_account_available", "too_many_requests" or
// "limit_exceeded" it pauses for an hour. All others ("no_accounts",
// "cookies_expired", "otp_needed", ...) are errors. Each squid begins with one run
// that was done the day before.
func Run(squid, reason string) Event {
	return Event{name: "Run", detail: " " + squid + " " + reason, apply: func(m moment) {
		s := m.w.squid(squid)
		s.runs = append(s.runs, run{squid: s, number: len(s.runs), ended: m.at, reason: reason})
	}}
}

// runsAt are the runs up to t, the last one first.
func (s *squid) runsAt(t time.Time) []run {
	all := slices.DeleteFunc(slices.Clone(s.runs), func(r run) bool { return r.number > 0 && r.ended.After(t) })
	slices.Reverse(all)
	return all
}

// runsOf are the runs of a squid up to t; ok is false if there is no such squid.
func (w *World) runsOf(t time.Time, id string) (runs []run, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.serve(t)
	w.playUntil(t)
	s := w.bySquid[id]
	if s == nil || s.id != id {
		return nil, false
	}
	return s.runsAt(t), true
}

// runDetail renders one run; ok is false if none of that id has ended by t.
func (w *World) runDetail(t time.Time, id string) (document []byte, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.serve(t)
	w.playUntil(t)
	for _, s := range w.squids {
		for _, r := range s.runsAt(t) {
			if r.id() == id {
				return r.document(), true
			}
		}
	}
	return nil, false
}

func (r run) id() string { return ID("run/" + r.squid.id + "/" + number(r.number)) }

// status is the run's status: "done", "paused" or "error".
func (r run) status() string {
	switch r.reason {
	case "tasks_done":
		return "done"
	case "no_account_available", "too_many_requests", "limit_exceeded":
		return "paused"
	}
	return "error"
}

func (r run) isDone() bool { return r.status() != "paused" }

func (r run) resumed() time.Time { return r.ended.Add(time.Hour) }

// resumes is next_launch_at of the run.
func (r run) resumes() string {
	if r.isDone() {
		return "null"
	}
	return instant(r.resumed())
}

// document is the run as the list and GET /runs/{hash} show it.
func (r run) document() []byte {
	started, ended := instant(r.ended.Add(-10*time.Minute)), instant(r.ended)
	if !r.isDone() {
		ended = "null"
	}
	return object{{"id", quote(r.id())}, {"object", `"run"`}, {"squid", quote(r.squid.id)},
		{"is_done", strconv.FormatBool(r.isDone())}, {"created_at", started}, {"started_at", started}, {"ended_at", ended},
		{"next_launch_at", r.resumes()}, {"duration", "600.0"}, {"credit_used", "20.5"}, {"origin", `"schedule"`},
		{"force_launch", "false"}, {"status", quote(r.status())}, {"export_done", strconv.FormatBool(r.status() == "done")},
		{"total_results", "40"}, {"total_unique_results", "40"}, {"done_reason", quote(r.reason)},
		{"done_reason_desc", quote("The run ended: " + strings.ReplaceAll(r.reason, "_", " ") + ".")}}.append(nil)
}
