package localtime

import (
	"fmt"
	"time"
)

// furthest is how far from UTC a local time can be: 24:59:59 in a POSIX TZ, and
// an hour of summer time. Only a zone file that somebody made up goes beyond it;
// [time.Date] decides there.
const furthest = 26 * time.Hour

// UnclearError says that a local time came twice or not at all.
type UnclearError struct {
	Wall    time.Time      // the local time, as if it were UTC
	Zone    *time.Location // where
	Missing bool           // it does not exist; else it came twice
	// Instants are the readings, the earlier one first: with the offset before
	// the clocks changed and with the one after it. Each has its offset as its zone.
	Instants [2]time.Time
}

func (e *UnclearError) Error() string {
	wall := e.Wall.Format("2006-01-02 15:04:05")
	readings := e.Instants[0].Format(time.RFC3339) + " or " + e.Instants[1].Format(time.RFC3339)
	if e.Missing {
		return fmt.Sprintf("the local time %s does not exist, because the clocks were set forward: it could mean %s", wall, readings)
	}
	return fmt.Sprintf("the local time %s is ambiguous, because the clocks were set back: it could mean %s", wall, readings)
}

// Resolve returns the instant at which clocks in the zone showed the wall time.
// Only the date and the time of day of wall count, not its own zone. The error is
// an [*UnclearError] if there is no such instant or more than one.
func Resolve(wall time.Time, zone *time.Location) (time.Time, error) {
	wall = in(wall, time.UTC)
	var found, gap []time.Time
	all := around(wall, zone)
	for i, p := range all {
		t := wall.Add(-p.offset)
		if p.has(t) {
			found = append(found, p.at(t))
		}
		if i+1 < len(all) && !t.Before(p.end) && wall.Add(-all[i+1].offset).Before(p.end) {
			gap = []time.Time{all[i+1].at(wall.Add(-all[i+1].offset)), p.at(t)}
		}
	}
	switch {
	case len(found) == 1:
		return found[0].In(zone), nil
	case len(found) > 1:
		return time.Time{}, &UnclearError{Wall: wall, Zone: zone, Instants: [2]time.Time(found[:2])}
	}
	if gap == nil {
		return in(wall, zone), nil
	}
	return time.Time{}, &UnclearError{Wall: wall, Zone: zone, Missing: true, Instants: [2]time.Time(gap)}
}

// StartOfDay returns the first instant in the zone at which the date of day, or a
// later one, began. It is not midnight where the clocks skip midnight, and it is
// the start of the next day where the zone skipped the whole day. Only the date of
// day counts, not its zone.
func StartOfDay(day time.Time, zone *time.Location) time.Time {
	y, m, d := day.Date()
	midnight := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	for i, p := range around(midnight, zone) {
		first := midnight.Add(-p.offset)
		if i > 0 && first.Before(p.start) {
			first = p.start // the clocks skipped midnight
		}
		if p.has(first) {
			return first.In(zone)
		}
	}
	return in(midnight, zone)
}

// in keeps the date and the time of day of wall, and replaces its zone.
func in(wall time.Time, zone *time.Location) time.Time {
	y, m, d := wall.Date()
	return time.Date(y, m, d, wall.Hour(), wall.Minute(), wall.Second(), wall.Nanosecond(), zone)
}

// period is a stretch of time with one offset: start is part of it, end is not.
type period struct {
	start, end time.Time
	offset     time.Duration
}

func (p period) has(t time.Time) bool { return !t.Before(p.start) && t.Before(p.end) }

func (p period) at(t time.Time) time.Time {
	return t.In(time.FixedZone("", int(p.offset/time.Second)))
}

// around returns the periods of a zone that can show the wall time, in their
// order, without a hole between them.
func around(wall time.Time, zone *time.Location) (all []period) {
	last := wall.Add(furthest)
	for start := wall.Add(-furthest); start.Before(last); {
		here := start.In(zone)
		_, seconds := here.Zone()
		_, end := here.ZoneBounds()
		if end.IsZero() || end.After(last) {
			end = last
		}
		all = append(all, period{start, end, time.Duration(seconds) * time.Second})
		start = end
	}
	return all
}
