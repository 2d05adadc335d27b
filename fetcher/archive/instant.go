package archive

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/lobstrail/lobstrail/store/localtime"
)

// inName finds an instant in the name of a file: a date, mostly with an hour, a
// time of day, or a zone too, in the usual spellings of names. Folders may take the
// place of separators.
var inName = regexp.MustCompile(`(?:^|\D)((?:19|20)\d\d)[-_./]?(0[1-9]|1[0-2])[-_./]?([0-2]\d|3[01])` +
	`(?:/?[Tt _-]?([01]\d|2[0-3])(?:h|[-:_.h/]?([0-5]\d)(?:[-:_.m]?([0-5]\d)(?:[.,](\d{1,9}))?)?)?\s?(Z|z|UTC|[+-]\d\d:?\d\d)?)?(?:\D|$)`)

// epochInName finds Unix seconds or milliseconds.
var epochInName = regexp.MustCompile(`(?:^|\D)(1\d{9})(\d{3})?(?:\D|$)`)

// idInName finds ids and digests, whose digits tell nothing.
var idInName = regexp.MustCompile(`(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32,}`)

// InstantInName looks for an instant in the path of a file, whose folders are
// separated by slashes: in the name of the file, else from the innermost folder on
// that tells a date (2026-11-01/accounts.json, 2026/11/01/0600.json). One without a
// zone is of the given one; a date alone is its beginning.
//
// The error is of a local time that does not exist or came twice, because the
// clocks were changed.
func InstantInName(path string, zone *time.Location) (at time.Time, found bool, err error) {
	path = idInName.ReplaceAllString(path, "#")
	from := strings.LastIndexByte(path, '/')
	name := path[from+1:]
	if m := inName.FindStringSubmatch(name); m != nil {
		if at, found, err = dateInName(m, zone); found || err != nil {
			return at, found, err
		}
	}
	if m := epochInName.FindStringSubmatch(name); m != nil {
		ms, err := strconv.ParseInt(m[1]+(m[2] + "000")[:3], 10, 64)
		return time.UnixMilli(ms).UTC(), err == nil, nil
	}
	for from > 0 {
		to := from
		from = strings.LastIndexByte(path[:to], '/')
		if at, found, err = dateInFolder(path[from+1:], to-from-1, zone); found || err != nil {
			return at, found, err
		}
	}
	return time.Time{}, false, nil
}

// dateInFolder looks for a date that begins in the first folder of a path, whose
// name has so many bytes. Digits behind letters are rather a number.
func dateInFolder(path string, length int, zone *time.Location) (at time.Time, found bool, err error) {
	m := inName.FindStringSubmatchIndex(path)
	if m == nil || m[2] > length || m[2] > 0 && !strings.ContainsRune("-_. ", rune(path[m[2]-1])) {
		return time.Time{}, false, nil
	}
	return dateInName(inName.FindStringSubmatch(path), zone)
}

// dateInName reads what inName found.
func dateInName(m []string, zone *time.Location) (at time.Time, found bool, err error) {
	or := func(digits string) string { return (digits + "00")[:2] }
	text := fmt.Sprintf("%s-%s-%sT%s:%s:%s", m[1], m[2], m[3], or(m[4]), or(m[5]), or(m[6]))
	if m[7] != "" {
		text += "." + m[7]
	}
	layout, local := "2006-01-02T15:04:05", false
	switch offset := strings.ToUpper(strings.ReplaceAll(m[8], ":", "")); offset {
	case "":
		local = true
	case "Z", "UTC":
	default:
		layout, text = layout+"-0700", text+offset
	}
	at, parsed := time.Parse(layout, text)
	switch {
	case parsed != nil:
		return time.Time{}, false, nil
	case local && m[4] == "":
		at = localtime.StartOfDay(at, zone)
	case local:
		at, err = localtime.Resolve(at, zone)
	}
	return at.UTC(), err == nil, err
}
