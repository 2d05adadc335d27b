package ledger

import (
	"fmt"
	"strconv"
	"strings"
)

// header begins the text of every entry; the workspace and the number follow.
const header = "lobstrail/1 "

// MaxEntries is the highest number of an entry that is believed. A log of one entry
// a millisecond reaches it after 34 years. Package tlog needs a limit: it does not
// return for a tree of more than 1<<62 entries.
const MaxEntries = 1 << 40

// FormatEntry returns the text of the entry of that number (the first is 1) in the
// log of the workspace: a header and the lines, each with its line feed.
func FormatEntry(workspace string, number int64, lines []string) string {
	return EntryHeader(workspace, number) + "\n" + strings.Join(lines, "\n") + "\n"
}

// EntryHeader returns the header of an entry, without its line feed. A store keeps only
// what follows it in the text of the entry: the header follows from where the entry is.
func EntryHeader(workspace string, number int64) string {
	return header + strconv.Quote(workspace) + " " + strconv.FormatInt(number, 10)
}

// EntryLines returns the lines of an entry, given its text without the header. It returns
// an error if the text is not made of lines.
func EntryLines(body string) ([]string, error) {
	lines := strings.Split(body, "\n")
	if last := len(lines) - 1; last < 2 || lines[0] != "" || lines[last] != "" {
		return nil, fmt.Errorf("not the lines of an entry: %.40q", body)
	}
	return lines[1 : len(lines)-1], nil
}

// ParseEntry is the inverse of FormatEntry.
func ParseEntry(text string) (workspace string, number int64, lines []string, err error) {
	first, rest, _ := strings.Cut(text, "\n")
	wrong := func() (string, int64, []string, error) {
		return "", 0, nil, fmt.Errorf("not an entry: it begins with %.40q", first)
	}
	named, ok := strings.CutPrefix(first, header)
	if !ok {
		return wrong()
	}
	quoted, err := strconv.QuotedPrefix(named)
	if err != nil {
		return wrong()
	}
	if workspace, err = strconv.Unquote(quoted); err != nil {
		return wrong()
	}
	digits, ok := strings.CutPrefix(named[len(quoted):], " ")
	if number, err = strconv.ParseInt(digits, 10, 64); !ok || err != nil || number < 1 {
		return wrong()
	}
	body, ended := strings.CutSuffix(rest, "\n")
	if lines = strings.Split(body, "\n"); !ended || FormatEntry(workspace, number, lines) != text {
		return "", 0, nil, fmt.Errorf("entry %d is not in the canonical form", number)
	}
	return workspace, number, lines, nil
}

// Subject returns what a line is about, its first two words: "run" 7. A line of
// another form is about nothing ("", 0).
func Subject(line string) (what string, number int64) {
	what, rest, _ := strings.Cut(line, " ")
	digits, _, _ := strings.Cut(rest, " ")
	number, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return "", 0
	}
	return what, number
}
