package lobstrtest

import (
	"strconv"
	"strings"
	"time"
)

// An account that works by itself moves its counters in steps of this length.
const workStep = 10 * time.Minute

var forever = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// paramsAt is the value of params in version i at t: daily counters start again
// at their timestamp, and grow while a usable account works by itself.
func (h *history) paramsAt(i int, t time.Time) string {
	c := &h.params
	if c.version == i+1 && !t.Before(c.from) && t.Before(c.until) {
		return c.raw
	}
	v := h.versions[i]
	raw, _ := v.fields.get("params")
	if !strings.Contains(raw, `"timestamp"`) {
		return raw
	}
	c.version, c.from = i+1, t
	if reset := firstReset(raw); t.Before(reset) && v.rate(v.at) == 0 {
		c.raw, c.until = raw, reset
		return raw
	}
	c.raw, c.until = roll(raw, v.counted, t, v.rate(v.at))
	return c.raw
}

// firstReset finds the earliest timestamp in params without reading all of it:
// most accounts of a page have nothing to move.
func firstReset(params string) time.Time {
	first := forever
	for rest, found := params, true; found; {
		_, rest, found = strings.Cut(rest, `"timestamp":`)
		digits, _, _ := strings.Cut(rest, ",")
		if stamp, err := strconv.ParseInt(strings.TrimSuffix(digits, "}"), 10, 64); found && err == nil {
			first = earlier(first, time.Unix(stamp, 0).UTC())
		}
	}
	return first
}

// rate is the load of an account that is usable, else 0.
func (v version) rate(t time.Time) float64 {
	if v.load == 0 || health(v.fields, t) != "healthy" {
		return 0
	}
	return v.load
}

// roll moves the counters in params from one instant to a later one, and says
// until when they then stay as they are.
func roll(params string, from, to time.Time, load float64) (raw string, until time.Time) {
	whole, ok := parseObject(params)
	if !ok {
		return params, forever
	}
	userRaw, _ := whole.get("user")
	user, ok := parseObject(userRaw)
	if !ok {
		return params, forever
	}
	until = forever
	for i := range user {
		limit, ok := parseObject(user[i].raw)
		if !ok {
			continue
		}
		if end, daily := rollLimit(&limit, from, to, load); daily {
			user[i].raw = limit.String()
			until = earlier(until, end)
		}
	}
	whole.set("user", user.String())
	return whole.String(), until
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// rollLimit does the work of roll for one limit; daily is false when it has no
// daily counter.
func rollLimit(limit *object, from, to time.Time, load float64) (until time.Time, daily bool) {
	stamp, ok := integer(*limit, "timestamp")
	if !ok {
		return forever, false
	}
	value, _ := integer(*limit, "value")
	reset := time.Unix(int64(stamp), 0).UTC()
	if !to.Before(reset) {
		days := to.Sub(reset) / (24 * time.Hour)
		from = reset.Add(days * 24 * time.Hour)
		value, reset = 0, from.Add(24*time.Hour)
		limit.set("timestamp", number(reset.Unix()))
	}
	until = reset
	if most, _ := integer(*limit, "max"); load > 0 && value < most {
		steps := max(0, to.Sub(from)) / workStep
		value = min(most, value+int(float64(most)*load*(steps*workStep).Hours()/24))
		until = earlier(until, from.Add((steps+1)*workStep))
	}
	limit.set("value", number(value))
	return until, true
}

func integer(o object, name string) (int, bool) {
	raw, _ := o.get(name)
	n, err := strconv.Atoi(raw)
	return n, err == nil
}
