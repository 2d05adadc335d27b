package alert

import (
	"fmt"

	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

// runs evaluates how the run itself ended. One that was interrupted concludes nothing
// unless it got something: then the key and the API work.
func (e *evaluation) runs() {
	r := e.Run
	refused := keyRefused(r.Run)
	failed := r.State == store.Failed && !refused
	incomplete := r.State == store.Incomplete && !refused
	got := r.State == store.Complete || r.State == store.Incomplete || r.Captured()+r.Gone > 0
	e.hold(store.KeyRefused, refused, got && !refused, true)
	e.hold(store.RunFailed, failed, !failed && (got || refused), !refused)
	incompleteEnds := failed || refused || r.State == store.Complete && e.isAsWide(store.RunIncomplete)
	e.hold(store.RunIncomplete, incomplete, incompleteEnds, r.State == store.Complete)
}

// isAsWide reports whether the run is about as many accounts as the one of the alert.
func (e *evaluation) isAsWide(c store.Condition) bool {
	t := e.byKey[key{condition: c}]
	return t == nil || t.Named || e.Run.Scope == store.ScopeAll
}

// hold begins, counts or ends an alert about runs.
func (e *evaluation) hold(c store.Condition, holds, over, tells bool) {
	t := e.byKey[key{condition: c}]
	switch {
	case holds && t == nil:
		e.begin(store.Alert{Condition: c, Window: e.Run.window(), Run: e.Run.ID}, detail{
			Reason: reason(e.Run.Run), Named: e.Run.Scope == store.ScopeNamed,
		})
	case holds && t.pending():
		t.Polls = min(t.Polls+1, e.Rules.rule(c).For)
	case over:
		e.end(t, e.Run.window(), tells)
	}
}

// longestReason bounds the reason of a run, in bytes.
const longestReason = 300

// reason says why a run is not complete. What was said about a single account is left
// out: a message is kept longer than an account that is redacted.
func reason(r store.Run) string {
	text := ""
	for _, f := range r.Failures {
		if f.Account == "" {
			text = f.Message
			break
		}
	}
	if text == "" && len(r.Failures) > 0 {
		text = fmt.Sprintf("%d could not be fetched (%s)", r.Failed, r.Failures[0].Kind)
	}
	if text == "" && len(r.Warnings) > 0 {
		text = r.Warnings[0]
	}
	text = render.Clean(text)
	if len(text) > longestReason {
		text = text[:longestReason] + "..."
		text = render.Clean(text) // a character may have been cut
	}
	return text
}

// stale evaluates how old the newest complete run is.
func (e *evaluation) stale() {
	limit := e.Rules.StaleAfter(e.Complete)
	if limit == 0 || len(e.Complete) == 0 {
		return // there is no complete run, or too few to tell
	}
	newest, t := e.Complete[0], e.byKey[key{condition: store.Stale}]
	switch {
	case e.Now.Sub(newest.Finished) <= limit: // by the clock that the run was measured with, also where it went back
		e.end(t, store.Window{After: newest.Started, Before: newest.Finished}, true)
	case t != nil && t.pending():
		t.Polls = min(t.Polls+1, e.Rules.rule(store.Stale).For)
	case t == nil:
		window := store.Window{After: newest.Finished, Before: newest.Finished.Add(limit)}
		e.begin(store.Alert{Condition: store.Stale, Window: window}, detail{
			Reason: fmt.Sprintf("The newest complete run, %d, ended %s", newest.ID, render.Time(newest.Finished, e.Rules.Zone)),
		})
	}
}

// parentHolds reports whether a cause is known that explains whatever is wrong.
func (e *evaluation) parentHolds() bool {
	return e.byKey[key{condition: store.KeyRefused}] != nil || e.byKey[key{condition: store.RunFailed}] != nil
}

// isChild reports whether a parent silences the condition.
func isChild(c store.Condition) bool { return c == store.Stale || !aboutWorkspace(c) }
