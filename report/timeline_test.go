package report

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lobstrail/lobstrail/store"
)

// minute is at so many minutes after the beginning of the tests.
func minute(n int) time.Time { return at.Add(time.Duration(n) * time.Minute) }

func window(after, before int) store.Window {
	return store.Window{After: minute(after), Before: minute(before)}
}

func healthStep(from, to store.Health, w store.Window) store.StatusStep {
	return store.StatusStep{Account: "a", HealthBefore: from, HealthAfter: to, Window: w}
}

func minutes(n int) time.Duration { return time.Duration(n) * time.Minute }

type timelineCase struct {
	name string
	life Life
	want Timeline
}

// runTimelines measures the hundred minutes after the beginning of the tests.
func runTimelines(t *testing.T, tests []timelineCase) {
	t.Helper()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, NewTimeline(test.life, minute(0), minute(100))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTimeline(t *testing.T) {
	runTimelines(t, []timelineCase{
		{"nothing happened", Life{Health: store.Healthy, FirstSeen: minute(-10), LastSeen: minute(200)}, Timeline{
			Times:    []HealthTime{{store.Healthy, minutes(100), minutes(100)}},
			Segments: []Segment{{minute(0), minute(100), []store.Health{store.Healthy}}},
		}},
		{"seen for a part of the period", Life{Health: store.Healthy, FirstSeen: minute(10), LastSeen: minute(90)}, Timeline{
			Times:      []HealthTime{{store.Healthy, minutes(80), minutes(80)}},
			NotWatched: minutes(20),
			Segments: []Segment{
				{minute(0), minute(10), nil}, {minute(10), minute(90), []store.Health{store.Healthy}}, {minute(90), minute(100), nil}},
		}},
		{"expired somewhere in a window", Life{
			Steps:  []store.StatusStep{healthStep(store.Healthy, store.Expired, window(40, 60))},
			Health: store.Expired, FirstSeen: minute(-10), LastSeen: minute(100),
		}, Timeline{
			Times:     []HealthTime{{store.Expired, minutes(40), minutes(60)}, {store.Healthy, minutes(40), minutes(60)}},
			Uncertain: minutes(20),
			Segments: []Segment{
				{minute(0), minute(40), []store.Health{store.Healthy}},
				{minute(40), minute(60), []store.Health{store.Expired, store.Healthy}},
				{minute(60), minute(100), []store.Health{store.Expired}}},
		}},
		{"another status of the same health is certain", Life{
			Steps:  []store.StatusStep{healthStep(store.Failing, store.Failing, window(40, 60))},
			Health: store.Failing, FirstSeen: minute(-10), LastSeen: minute(100),
		}, Timeline{
			Times:    []HealthTime{{store.Failing, minutes(100), minutes(100)}},
			Segments: []Segment{{minute(0), minute(100), []store.Health{store.Failing}}},
		}},
	})
}

func TestTimelineOfOverlapsAndEdges(t *testing.T) {
	runTimelines(t, []timelineCase{
		{"windows that overlap by a response", Life{
			Steps: []store.StatusStep{
				healthStep(store.Healthy, store.Expired, window(20, 50)), healthStep(store.Expired, store.Healthy, window(40, 80))},
			Health: store.Healthy, FirstSeen: minute(-10), LastSeen: minute(100),
		}, Timeline{
			Times:     []HealthTime{{store.Expired, 0, minutes(60)}, {store.Healthy, minutes(40), minutes(100)}},
			Uncertain: minutes(60),
			Segments: []Segment{
				{minute(0), minute(20), []store.Health{store.Healthy}},
				{minute(20), minute(80), []store.Health{store.Expired, store.Healthy}},
				{minute(80), minute(100), []store.Health{store.Healthy}}},
		}},
		{"the first sight begins the watch, a 404 is a look", Life{
			Steps: []store.StatusStep{
				{HealthAfter: store.Healthy, Window: store.Window{Before: minute(10)}},
				healthStep(store.Healthy, store.Gone, window(30, 40))},
			Health: store.Gone, FirstSeen: minute(10), LastSeen: minute(30),
		}, Timeline{
			Times:      []HealthTime{{store.Gone, 0, minutes(10)}, {store.Healthy, minutes(20), minutes(30)}},
			Uncertain:  minutes(10),
			NotWatched: minutes(70),
			Segments: []Segment{
				{minute(0), minute(10), nil}, {minute(10), minute(30), []store.Health{store.Healthy}},
				{minute(30), minute(40), []store.Health{store.Gone, store.Healthy}}, {minute(40), minute(100), nil}},
		}},
		{"a health that turned without a step is uncertain", Life{
			Steps:  []store.StatusStep{healthStep(store.Healthy, store.Expired, window(40, 40))},
			Health: store.Locked, FirstSeen: minute(-10), LastSeen: minute(100),
		}, Timeline{
			Times:     []HealthTime{{store.Expired, 0, minutes(60)}, {store.Locked, 0, minutes(60)}, {store.Healthy, minutes(40), minutes(40)}},
			Uncertain: minutes(60),
			Segments: []Segment{
				{minute(0), minute(40), []store.Health{store.Healthy}},
				{minute(40), minute(100), []store.Health{store.Expired, store.Locked}}},
		}},
	})
}

func TestTimelineOfNoTime(t *testing.T) {
	life := Life{Health: store.Healthy, FirstSeen: minute(0), LastSeen: minute(9)}
	for _, until := range []time.Time{minute(5), minute(4)} {
		if diff := cmp.Diff(Timeline{}, NewTimeline(life, minute(5), until)); diff != "" {
			t.Error(diff)
		}
	}
}

// TestTimelineLaws plays an account whose true healths are known, looks at it
// now and then with requests that take their time, and measures.
func TestTimelineLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		life, truth := play(t, genLooks(t))
		since, until := rapid.IntRange(-20, 140).Draw(t, "since"), rapid.IntRange(-20, 140).Draw(t, "until")
		timeline := NewTimeline(life, minute(since), minute(until))
		checkTimeline(t, timeline, minute(since), minute(until))
		for _, s := range timeline.Segments {
			checkTruth(t, truth, s)
		}
	})
}

// look is one snapshot: what the API answered, and the minutes of the request.
type look struct {
	sent, answered, received int
	health                   store.Health
}

func genLooks(t *rapid.T) []look {
	var looks []look
	now := 0
	gap := rapid.IntRange(0, 12)
	for range rapid.IntRange(1, 10).Draw(t, "looks") {
		l := look{sent: now + gap.Draw(t, "pause"), health: rapid.SampledFrom(store.Healths).Draw(t, "health")}
		l.answered = l.sent + gap.Draw(t, "takes")
		l.received = l.answered + gap.Draw(t, "travels")
		looks = append(looks, l)
		now = l.received
	}
	return looks
}

// play makes the life that a store would tell of the looks, and the truth behind
// it, minute by minute: between two answers the health changed once, any time.
func play(t *rapid.T, looks []look) (Life, []store.Health) {
	life := Life{Health: looks[0].health, FirstSeen: minute(looks[0].received)}
	truth := slices.Repeat([]store.Health{looks[0].health}, looks[0].answered)
	for i, l := range looks {
		if i > 0 {
			last := looks[i-1]
			changed := rapid.IntRange(last.answered, l.answered).Draw(t, "changed")
			truth = append(truth, slices.Repeat([]store.Health{last.health}, changed-last.answered)...)
			truth = append(truth, slices.Repeat([]store.Health{l.health}, l.answered-changed)...)
			if l.health != last.health {
				life.Steps = append(life.Steps, healthStep(last.health, l.health, window(last.sent, l.received)))
			}
		}
		life.Health, life.LastSeen = l.health, minute(l.received)
	}
	return life, truth
}

// checkTruth holds that the true health is possible wherever it is told.
func checkTruth(t *rapid.T, truth []store.Health, s Segment) {
	for i, health := range truth {
		inside := !minute(i).Before(s.From) && minute(i+1).Compare(s.To) <= 0
		if inside && len(s.Healths) > 0 && minute(i).Before(s.To) && !slices.Contains(s.Healths, health) {
			t.Fatalf("minute %d was %s, not one of %v", i, health, s.Healths)
		}
	}
}

// checkTimeline holds the laws of sums and tiles.
func checkTimeline(t *rapid.T, timeline Timeline, since, until time.Time) {
	period := max(until.Sub(since), 0)
	sum := timeline.Uncertain + timeline.NotWatched
	for _, ht := range timeline.Times {
		sum += ht.Min
		if ht.Min < 0 || ht.Max < ht.Min || ht.Max > ht.Min+timeline.Uncertain {
			t.Fatalf("%+v of uncertain %v", ht, timeline.Uncertain)
		}
	}
	if sum != period {
		t.Fatalf("sum %v of a period of %v: %+v", sum, period, timeline)
	}
	at := since
	for i, s := range timeline.Segments {
		if !s.From.Equal(at) || !s.From.Before(s.To) {
			t.Fatalf("segments do not tile: %+v", timeline.Segments)
		}
		if i > 0 && slices.Equal(s.Healths, timeline.Segments[i-1].Healths) {
			t.Fatalf("neighbours are alike: %+v", timeline.Segments)
		}
		at = s.To
	}
	if period > 0 && !at.Equal(until) {
		t.Fatalf("segments end at %v", at)
	}
}

// TestTimelineOfAnySteps holds the laws of sums on steps that no store would
// write: windows in any order, turned round, healths that do not meet.
func TestTimelineOfAnySteps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		any := rapid.IntRange(-50, 150)
		health := rapid.SampledFrom(append([]store.Health{"", "new"}, store.Healths...))
		life := Life{Health: health.Draw(t, "health"), FirstSeen: minute(any.Draw(t, "first")), LastSeen: minute(any.Draw(t, "last"))}
		for range rapid.IntRange(0, 6).Draw(t, "steps") {
			w := window(any.Draw(t, "after"), any.Draw(t, "before"))
			life.Steps = append(life.Steps, healthStep(health.Draw(t, "from"), health.Draw(t, "to"), w))
		}
		checkTimeline(t, NewTimeline(life, minute(0), minute(100)), minute(0), minute(100))
	})
}
