package alert

import (
	"fmt"
	"slices"
	"time"

	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

// DigestDue reports whether the digest is due at a moment. Of several that were missed
// there is one. Where none was made yet, the first one is that of the next time of the
// day that passes.
func (r Rules) DigestDue(last, at time.Time) bool {
	return r.Digest >= 0 && !last.IsZero() && r.digestTime(at).After(last)
}

// digestTime is the newest time of a digest that is not after a moment.
func (r Rules) digestTime(at time.Time) time.Time {
	zone := r.zone()
	y, m, d := at.In(zone).Date()
	due := time.Date(y, m, d, 0, int(r.Digest/time.Minute), 0, 0, zone)
	if due.After(at) {
		due = time.Date(y, m, d-1, 0, int(r.Digest/time.Minute), 0, 0, zone)
	}
	return due
}

// digest makes the daily summary if it is due, one for each set of conditions that sinks
// want, and says when the last one was made.
func (e *evaluation) digest() (all []store.Message, last time.Time) {
	last = e.Place.Digest
	switch {
	case e.Rules.Digest < 0:
		return nil, time.Time{}
	case last.IsZero(), last.After(e.at.Add(24 * time.Hour)): // the first evaluation, or the clock was wrong
		return nil, e.at
	case !e.Rules.DigestDue(last, e.at):
		return nil, last
	}
	var groups []*digestGroup
	for _, sink := range e.Rules.Sinks {
		if sink.Conditions != nil && len(sink.Conditions) == 0 {
			continue
		}
		at := slices.IndexFunc(groups, func(g *digestGroup) bool {
			return (g.wants.Conditions == nil) == (sink.Conditions == nil) && slices.Equal(g.wants.Conditions, sink.Conditions)
		})
		if at < 0 {
			at = len(groups)
			groups = append(groups, &digestGroup{wants: sink})
		}
		groups[at].sinks = append(groups[at].sinks, sink.Sink)
	}
	for i, g := range groups {
		all = append(all, e.digestBody(g, i).message(g.sinks))
	}
	return all, e.at
}

// digestGroup are sinks that get the same digest.
type digestGroup struct {
	wants Subscription
	sinks []string
}

func (e *evaluation) digestBody(g *digestGroup, n int) Body {
	day := e.Rules.digestTime(e.at).Format(time.DateOnly)
	body := Body{
		Version: BodyVersion, ID: makeID(e.Workspace, string(Digest), day, fmt.Sprint(n)), Workspace: e.Workspace, Event: Digest,
		At: wholeMillis(e.at), Fleet: e.fleet(), Items: []Item{},
	}
	fired, ended, open, pending := 0, 0, 0, 0
	for _, t := range e.alerts {
		if !g.wants.wants(t.Condition) || t.pending() {
			continue
		}
		if t.FiredAt.After(e.Place.Digest) {
			fired++
		}
		switch {
		case !t.holds():
			ended++
		case t.Silenced:
			open, pending = open+1, pending+1
		default:
			open++
		}
		if t.holds() && !aboutWorkspace(t.Condition) {
			body.Items = append(body.Items, e.item(Digest, t))
		}
	}
	for _, a := range e.Ended {
		if g.wants.wants(a.Condition) && !a.FiredAt.IsZero() {
			ended++
			if a.FiredAt.After(e.Place.Digest) {
				fired++
			}
		}
	}
	body.Summary = fmt.Sprintf("Since %s: %s fired, %d ended, %d open", e.clockText(e.Place.Digest, e.at), render.Count(fired, "alert"), ended, open)
	if pending > 0 {
		body.Summary += fmt.Sprintf(" (%d silenced)", pending)
	}
	body.Summary += fmt.Sprintf("; %d of %d accounts down", body.Fleet.Down, body.Fleet.Accounts)
	return body
}
