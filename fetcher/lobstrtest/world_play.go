package lobstrtest

import (
	"container/heap"
	"time"
)

// scheduled is an event with its instant and place in the script.
type scheduled struct {
	at    time.Time
	event Event
	seq   int // -1: the end of a lock, which comes first
}

// agenda holds what is still to happen, the next at its head.
type agenda []scheduled

func (a agenda) Len() int      { return len(a) }
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a agenda) Less(i, j int) bool {
	if !a[i].at.Equal(a[j].at) {
		return a[i].at.Before(a[j].at)
	}
	return a[i].seq < a[j].seq
}

// Push is for package heap.
func (a *agenda) Push(x any) { *a = append(*a, x.(scheduled)) }

// Pop is for package heap.
func (a *agenda) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}

func (a *agenda) add(s scheduled) { heap.Push(a, s) }

func (p *play) add(h *history) {
	h.place = len(p.order)
	p.accounts[h.id] = h
	p.order = append(p.order, h)
	if len(h.versions) > 0 {
		p.reassign(h, nil, h.last().fields)
	}
	p.alive = nil
}

// playUntil brings the play up to t.
func (w *World) playUntil(t time.Time) {
	if w.stale {
		w.rewind()
	}
	for len(w.pending) > 0 && !w.pending[0].at.After(t) {
		s := heap.Pop(&w.pending).(scheduled)
		s.event.apply(moment{w, s.at})
	}
	w.frontier = later(w.frontier, t)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// rewind takes everything back to the beginning, to play it again.
func (w *World) rewind() {
	w.play = play{
		accounts: make(map[string]*history, len(w.initial)), users: map[string]map[*history]bool{},
	}
	for _, h := range w.initial {
		w.play.add(&history{id: h.id, born: true, versions: h.versions[:1:1]})
	}
	for _, s := range w.squids {
		s.names, s.runs = s.names[:1], s.runs[:1]
	}
	for _, s := range w.script {
		w.pending.add(s)
	}
}

// aliveAtTime lists the accounts that exist at t. It is worked out once for
// each time that the membership changes.
func (w *World) aliveAtTime(t time.Time) []*history {
	w.playUntil(t)
	if t.Before(w.aliveAt) {
		return w.existing(t)
	}
	if w.alive == nil {
		w.alive = w.existing(t)
	}
	return w.alive
}

func (w *World) existing(t time.Time) []*history {
	alive := make([]*history, 0, len(w.order))
	for _, h := range w.order {
		if h.exists(t) {
			alive = append(alive, h)
		}
	}
	return alive
}

// moment is an instant at which an event changes the world.
type moment struct {
	w  *World
	at time.Time
}

// edit changes an account, if it exists. The object given to change is a copy.
func (m moment) edit(account string, change func(v *version)) {
	h := m.w.accounts[account]
	if h == nil || h.last().fields == nil {
		return
	}
	next := m.current(h)
	change(&next)
	m.commit(h, next)
}

// current is a copy of the account's state with its counters brought up to now.
func (m moment) current(h *history) version {
	v := h.last()
	params := h.paramsAt(len(h.versions)-1, m.at)
	v.at, v.counted, v.fields = m.at, m.at, v.fields.clone()
	if _, ok := v.fields.get("params"); ok {
		v.fields.set("params", params)
	}
	return v
}

// commit makes next the state of the account.
func (m moment) commit(h *history, next version) {
	var before object
	if len(h.versions) > 0 {
		before = h.last().fields
	}
	if (before == nil) != (next.fields == nil) {
		m.w.alive, m.w.aliveAt = nil, m.at
	}
	h.versions = append(h.versions, next)
	m.w.reassign(h, before, next.fields)
	end, live := lockedUntil(next.fields, m.at)
	h.locked = live
	if live {
		m.w.pending.add(scheduled{at: end, event: lockPasses(h.id), seq: -1})
	}
}

// lockPasses is the end of a lock by time: the object stays as it is.
func lockPasses(account string) Event {
	return Event{name: "LockPasses", account: account, apply: func(m moment) {
		h := m.w.accounts[account]
		v := h.last()
		if end, ok := lockTime(v.fields); !h.locked || !ok || end.After(m.at) {
			return
		}
		h.locked = false
		h.versions = append(h.versions, m.current(h))
	}}
}
