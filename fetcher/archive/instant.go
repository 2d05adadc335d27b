package archive

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// inName finds an instant in the name of a file: a date, mostly with an hour, a
// time of day, or a zone too, in the usual spellings of names.
var inName = regexp.MustCompile(`(?:^|\D)((?:19|20)\d\d)[-_.]?(0[1-9]|1[0-2])[-_.]?([0-2]\d|3[01])` +
	`(?:[Tt _-]?([01]\d|2[0-3])(?:h|[-:_.h]?([0-5]\d)(?:[-:_.m]?([0-5]\d)(?:[.,](\d{1,9}))?)?)?\s?(Z|z|UTC|[+-]\d\d:?\d\d)?)?(?:\D|$)`)

// epochInName finds Unix seconds or milliseconds.
var epochInName = regexp.MustCompile(`(?:^|\D)(1\d{9})(\d{3})?(?:\D|$)`)

// idInName finds ids and digests, whose digits tell nothing.
var idInName = regexp.MustCompile(`(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32,}`)

// InstantInName looks for an instant in the name of a file. One without a zone is
// of the given one; a date alone is its beginning.
func InstantInName(name string, zone *time.Location) (at time.Time, found bool) {
	name = idInName.ReplaceAllString(name, "#")
	if m := inName.FindStringSubmatch(name); m != nil {
		return dateInName(m, zone)
	}
	m := epochInName.FindStringSubmatch(name)
	if m == nil {
		return time.Time{}, false
	}
	ms, err := strconv.ParseInt(m[1]+(m[2] + "000")[:3], 10, 64)
	return time.UnixMilli(ms).UTC(), err == nil
}

// dateInName reads what inName found.
func dateInName(m []string, zone *time.Location) (time.Time, bool) {
	or := func(digits string) string { return (digits + "00")[:2] }
	text := fmt.Sprintf("%s-%s-%sT%s:%s:%s", m[1], m[2], m[3], or(m[4]), or(m[5]), or(m[6]))
	if m[7] != "" {
		text += "." + m[7]
	}
	layout := "2006-01-02T15:04:05"
	switch offset := strings.ToUpper(strings.ReplaceAll(m[8], ":", "")); offset {
	case "":
	case "Z", "UTC":
		zone = time.UTC
	default:
		layout, text = layout+"-0700", text+offset
	}
	at, err := time.ParseInLocation(layout, text, zone)
	return at.UTC(), err == nil
}
