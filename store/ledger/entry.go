package ledger

import (
	"fmt"
	"strconv"
	"strings"
)

// header begins the text of every entry; its number follows.
const header = "lobstrail/1 entry "

// MaxEntries is the highest number of an entry that is believed. A log of one entry
// a millisecond reaches it after 34 years. Package tlog needs a limit: it does not
// return for a tree of more than 1<<62 entries.
const MaxEntries = 1 << 40

// FormatEntry is the text of the entry of that number, the first is 1: a header and
// the lines, each with its line feed.
func FormatEntry(number int64, lines []string) string {
	return header + strconv.FormatInt(number, 10) + "\n" + strings.Join(lines, "\n") + "\n"
}

// ParseEntry is the inverse of FormatEntry.
func ParseEntry(text string) (number int64, lines []string, err error) {
	first, rest, _ := strings.Cut(text, "\n")
	digits, ok := strings.CutPrefix(first, header)
	if number, err = strconv.ParseInt(digits, 10, 64); !ok || err != nil || number < 1 {
		return 0, nil, fmt.Errorf("not an entry: it begins with %.40q", first)
	}
	body, ended := strings.CutSuffix(rest, "\n")
	if lines = strings.Split(body, "\n"); !ended || FormatEntry(number, lines) != text {
		return 0, nil, fmt.Errorf("entry %d is not spelled as entries are", number)
	}
	return number, lines, nil
}

// Subject is what a line is about, by its first two words: "run" 7. A line of
// another kind is about nothing ("", 0).
func Subject(line string) (what string, number int64) {
	what, rest, _ := strings.Cut(line, " ")
	digits, _, _ := strings.Cut(rest, " ")
	number, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return "", 0
	}
	return what, number
}
