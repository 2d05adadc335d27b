package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// Life is what a [Timeline] is made of: one account's history of health.
type Life struct {
	// Steps are the status steps of the account, oldest first: all of them, or
	// at least all whose window ends after the period began. The first may be
	// the first sight (HealthBefore empty).
	Steps []store.StatusStep
	// Health is what the last snapshot said.
	Health store.Health
	// FirstSeen and LastSeen are when the first and the last snapshot were
	// received. Between them the account was watched.
	FirstSeen, LastSeen time.Time
}

// Segment is a stretch of a [Timeline] in which the account may have had the
// same healths.
type Segment struct {
	From, To time.Time // To is not part of it
	// Healths are the healths the account may have had, worst first: one is
	// certain, several are the window of a change, none is not watched.
	Healths []store.Health
}

// HealthTime is how long an account was in a health.
type HealthTime struct {
	Health store.Health
	Min    time.Duration // certain
	Max    time.Duration // certain or possible
}

// Timeline is the time an account spent in each health within a period. It
// knows only what windows tell: the sum of all Min, Uncertain and NotWatched is
// exactly the length of the period.
type Timeline struct {
	Times      []HealthTime // worst first; healths that were impossible are left out
	Uncertain  time.Duration
	NotWatched time.Duration
	Segments   []Segment // they tile the period, oldest first; neighbours differ
}

// NewTimeline measures the period from since to until (which is not part of
// it), of at most 290 years. A period that is empty or turned round has an empty
// timeline.
//
// Steps happen in their order, each somewhere in its window, and windows may
// overlap: the window of a step begins when a request was sent, the one before
// ends when the answer to the same request was received.
func NewTimeline(life Life, since, until time.Time) Timeline {
	t := Timeline{}
	cuts := life.cuts(since, until)
	due := life.due()
	least, most := 0, 0
	for i := 1; i < len(cuts); i++ {
		from, to := cuts[i-1], cuts[i]
		for least < len(due) && !due[least].After(from) {
			least++
		}
		for most < len(due) && life.Steps[most].Window.After.Before(to) {
			most++
		}
		most = max(least, most)
		t.append(Segment{From: from, To: to, Healths: life.healths(from, to, least, most)})
	}
	t.measure()
	return t
}

// due is when each step must have been taken: at the end of its window, or of
// that of a later step where a clock was set back between the two.
func (l Life) due() []time.Time {
	due := make([]time.Time, len(l.Steps))
	for i := len(due) - 1; i >= 0; i-- {
		due[i] = l.Steps[i].Window.Before
		if i+1 < len(due) && due[i+1].Before(due[i]) {
			due[i] = due[i+1]
		}
	}
	return due
}

// watched is the time between the first and the last sight.
func (l Life) watched() (from, to time.Time) {
	from, to = l.FirstSeen, l.LastSeen
	if len(l.Steps) == 0 {
		return from, to
	}
	if first := l.Steps[0]; first.HealthBefore == "" && first.Window.Before.After(from) {
		from = first.Window.Before
	}
	// A 404 is no snapshot, but it was a look.
	if last := l.Steps[len(l.Steps)-1].Window.Before; last.After(to) {
		to = last
	}
	return from, to
}

// cuts are the instants of the period at which what is possible may change,
// with both its ends; nil when the period is empty.
func (l Life) cuts(since, until time.Time) []time.Time {
	if !since.Before(until) {
		return nil
	}
	from, to := l.watched()
	cuts := []time.Time{since, until}
	add := func(t time.Time) {
		if t.After(since) && t.Before(until) {
			cuts = append(cuts, t)
		}
	}
	add(from)
	add(to)
	for _, step := range l.Steps {
		add(step.Window.After)
		add(step.Window.Before)
	}
	slices.SortFunc(cuts, time.Time.Compare)
	return slices.CompactFunc(cuts, time.Time.Equal)
}

// healths are the healths that are possible between two neighbouring cuts where
// at least and at most so many steps have been taken, worst first; nil when
// nobody watched.
func (l Life) healths(from, to time.Time, least, most int) []store.Health {
	begin, end := l.watched()
	if from.Before(begin) || to.After(end) {
		return nil
	}
	var set []store.Health
	for k := least; k <= most; k++ {
		set = append(set, l.after(k)...)
	}
	slices.SortFunc(set, compareHealth)
	return slices.Compact(set)
}

// after is the health after the first k steps. There are two where one step
// does not begin with the health that the last ended with: a volatile value
// such as resets_in turned it, which makes no step.
func (l Life) after(k int) []store.Health {
	var set []store.Health
	if k > 0 {
		set = append(set, l.Steps[k-1].HealthAfter)
	}
	if k < len(l.Steps) {
		set = append(set, l.Steps[k].HealthBefore)
	} else {
		set = append(set, l.Health)
	}
	return slices.DeleteFunc(set, func(h store.Health) bool { return h == "" })
}

// compareHealth orders healths worst first; unknown words come last.
func compareHealth(a, b store.Health) int {
	return cmp.Or(cmp.Compare(badness(a), badness(b)), cmp.Compare(a, b))
}

func badness(h store.Health) int {
	if i := slices.Index(store.Healths, h); i >= 0 {
		return i
	}
	return len(store.Healths)
}

// append adds a segment, or makes the last one longer.
func (t *Timeline) append(s Segment) {
	if n := len(t.Segments); n > 0 && slices.Equal(t.Segments[n-1].Healths, s.Healths) {
		t.Segments[n-1].To = s.To
		return
	}
	t.Segments = append(t.Segments, s)
}

// measure sums up the segments.
func (t *Timeline) measure() {
	times := map[store.Health]*HealthTime{}
	for _, s := range t.Segments {
		length := s.To.Sub(s.From)
		switch len(s.Healths) {
		case 0:
			t.NotWatched += length
		case 1:
		default:
			t.Uncertain += length
		}
		for _, h := range s.Healths {
			if times[h] == nil {
				times[h] = &HealthTime{Health: h}
			}
			times[h].Max += length
			if len(s.Healths) == 1 {
				times[h].Min += length
			}
		}
	}
	for _, ht := range times {
		t.Times = append(t.Times, *ht)
	}
	slices.SortFunc(t.Times, func(a, b HealthTime) int { return compareHealth(a.Health, b.Health) })
}
