package report

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// LimitSection tells how much of each limit was used.
type LimitSection struct {
	Limits []LimitJSON `json:"limits"`
}

// LimitJSON is a limit of an account and what was used of it: the answer of
// `limits`, and a row of the report.
type LimitJSON struct {
	Account  string          `json:"account"`
	Username Text            `json:"username"`
	Limit    string          `json:"limit"`     // the name under /params/user
	Value    json.RawMessage `json:"value"`     // the counter as last seen; null when not sent
	Max      json.RawMessage `json:"max"`       // null when none was sent
	Share    *float64        `json:"share"`     // value / max; null where that is no number
	ResetsAt Time            `json:"resets_at"` // null when not sent
	SeenAt   Time            `json:"seen_at"`   // when the counter was last seen to move
	Days     []DayUseJSON    `json:"days"`      // days of the period with a known use, oldest first
}

// DayUseJSON is the highest use of a limit on one day.
type DayUseJSON struct {
	Day     string          `json:"day"`     // UTC, "2006-01-02"
	Highest json.RawMessage `json:"highest"` // the counter at its highest
	Max     json.RawMessage `json:"max"`     // the limit in force then
	Share   *float64        `json:"share"`   // highest / max; null where that is no number
}

// Peak is the first day with the highest share of the limit; nil when no day has a
// share.
func (l LimitJSON) Peak() *DayUseJSON {
	var peak *DayUseJSON
	for i, day := range l.Days {
		if day.Share != nil && (peak == nil || *day.Share > *peak.Share) {
			peak = &l.Days[i]
		}
	}
	return peak
}

// NewLimits returns for each account and limit the last known counter and the
// highest counter of each UTC day of the period (until is not part of it),
// across resets, sorted by username, account and limit; never nil. A counter
// carried into a day counts for it unless it was reset by then or the account
// was no longer watched.
func NewLimits(uses []store.Use, accounts []store.AccountState, since, until time.Time) []LimitJSON {
	states := make(map[string]*store.AccountState, len(accounts))
	for i := range accounts {
		states[accounts[i].ID] = &accounts[i]
	}
	out := make([]LimitJSON, 0, len(uses)/2)
	for _, uses := range byAccount(uses, states, until) {
		state := cmp.Or(states[uses[0].Account], &store.AccountState{})
		for _, series := range bySeries(uses) {
			out = append(out, newLimit(series, state, since, until))
		}
	}
	return out
}

// byAccount parts the movements before until into those of each account, sorted by
// username and id.
func byAccount(uses []store.Use, states map[string]*store.AccountState, until time.Time) (parts [][]*store.Use) {
	all := map[string]int{}
	for i := 0; i < len(uses); {
		id := uses[i].Account
		at, known := all[id]
		if !known {
			at = len(parts)
			parts, all[id] = append(parts, nil), at
		}
		for ; i < len(uses) && uses[i].Account == id; i++ { // they stand together, as the store has them
			if uses[i].SeenAt.Before(until) {
				parts[at] = append(parts[at], &uses[i])
			}
		}
	}
	parts = slices.DeleteFunc(parts, func(uses []*store.Use) bool { return len(uses) == 0 })
	name := func(u *store.Use) string {
		if state := states[u.Account]; state != nil && state.Facts.Username != "" {
			return state.Facts.Username
		}
		return u.Username
	}
	slices.SortFunc(parts, func(a, b []*store.Use) int {
		return cmp.Or(cmp.Compare(name(a[0]), name(b[0])), cmp.Compare(a[0].Account, b[0].Account))
	})
	return parts
}

// bySeries parts the movements of an account into those of each limit, oldest
// first.
func bySeries(uses []*store.Use) (series [][]*store.Use) {
	slices.SortStableFunc(uses, func(a, b *store.Use) int {
		return cmp.Or(strings.Compare(a.Limit, b.Limit), a.SeenAt.Compare(b.SeenAt))
	})
	for from := 0; from < len(uses); {
		to := from + 1
		for to < len(uses) && uses[to].Limit == uses[from].Limit {
			to++
		}
		series = append(series, uses[from:to])
		from = to
	}
	return series
}

// newLimit sums up the movements of one limit, oldest first.
func newLimit(uses []*store.Use, a *store.AccountState, since, until time.Time) LimitJSON {
	last := uses[len(uses)-1]
	limit := last.Max
	if last.EditedMax != nil {
		limit = last.EditedMax
	}
	return LimitJSON{
		Account:  last.Account,
		Username: cmp.Or(Text(a.Facts.Username), Text(last.Username)),
		Limit:    last.Limit,
		Value:    last.Value,
		Max:      limit,
		Share:    share(last.Value, limit),
		ResetsAt: Time{last.ResetsAt},
		SeenAt:   Time{last.SeenAt},
		Days:     newDays(uses, a, since, until),
	}
}

// newDays finds the highest use of each day of the period.
func newDays(uses []*store.Use, a *store.AccountState, since, until time.Time) []DayUseJSON {
	var best []dayUse
	for i, u := range uses {
		value, ok := numberOf(u.Value)
		if !ok {
			continue
		}
		// What was seen lasts until it is seen to move or the watch ends.
		end := until
		if i+1 < len(uses) {
			end = uses[i+1].SeenAt
		} else if !a.SeenAt.IsZero() && a.SeenAt.Before(until) {
			end = a.SeenAt
		}
		if !u.ResetsAt.IsZero() && u.ResetsAt.After(u.SeenAt) && u.ResetsAt.Before(end) {
			end = u.ResetsAt
		}
		from := latest(u.SeenAt, since)
		for day := from; !day.After(end) && day.Before(until); day = nextDay(day) {
			if day.Equal(end) && !day.Equal(u.SeenAt) {
				break // it ended as the day began
			}
			best = keepHighest(best, dayUse{dayNumber(day), value, u})
		}
	}
	days := make([]DayUseJSON, 0, len(best))
	for _, b := range best {
		name := time.Unix(b.day*secondsOfDay, 0).UTC().Format(time.DateOnly)
		days = append(days, DayUseJSON{Day: name, Highest: b.use.Value, Max: b.use.Max, Share: share(b.use.Value, b.use.Max)})
	}
	return days
}

// dayUse is the highest use of one day so far.
type dayUse struct {
	day   int64
	value float64
	use   *store.Use
}

const secondsOfDay = 24 * 60 * 60

// dayNumber counts the UTC days since 1970.
func dayNumber(t time.Time) int64 {
	day := t.Unix() / secondsOfDay
	if t.Unix()%secondsOfDay < 0 {
		day--
	}
	return day
}

// keepHighest puts a use among the days, which are in order, unless a higher one
// of the same day is there. Uses come in order too, so its place is near the end.
func keepHighest(days []dayUse, u dayUse) []dayUse {
	at := len(days)
	for at > 0 && days[at-1].day > u.day {
		at--
	}
	switch {
	case at == 0 || days[at-1].day < u.day:
		return slices.Insert(days, at, u)
	case u.value >= days[at-1].value:
		days[at-1] = u
	}
	return days
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// nextDay is the beginning of the next UTC day.
func nextDay(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour).Add(24 * time.Hour) }

// numberOf reads a JSON number, or the text of one.
func numberOf(raw json.RawMessage) (float64, bool) {
	if number, ok := plainNumber(raw); ok {
		return number, true
	}
	n, err := parseValue(raw)
	if err != nil || n == nil || n.kind != kindNumber && n.kind != kindString {
		return 0, false
	}
	if _, ok := parseDecimal(n.text); !ok {
		return 0, false
	}
	number, err := strconv.ParseFloat(n.text, 64)
	return number, err == nil
}

// plainNumber reads a whole number as almost all counters are, many times as fast
// as any parser.
func plainNumber(raw []byte) (float64, bool) {
	if len(raw) == 0 || len(raw) > 15 || raw[0] == '0' && len(raw) > 1 {
		return 0, false
	}
	number := 0
	for _, c := range raw {
		if c < '0' || c > '9' {
			return 0, false
		}
		number = 10*number + int(c-'0')
	}
	return float64(number), true
}

// share is value / limit, in thousandths; nil where one of them is no number or
// the limit is not above zero.
func share(value, limit json.RawMessage) *float64 {
	used, ok := numberOf(value)
	of, also := numberOf(limit)
	if !ok || !also || of <= 0 {
		return nil
	}
	s := math.Round(used/of*1000) / 1000
	if math.IsInf(s, 0) || math.IsNaN(s) {
		return nil // JSON has no infinity
	}
	return &s
}
