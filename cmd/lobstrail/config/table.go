package config

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// document is a configuration that is being read.
type document struct {
	lines    map[keyPath]int
	problems []Problem
	settings []Setting
	warnings []string
}

// table reads the keys of one table, and notes which ones exist.
type table struct {
	*document
	path   keyPath
	shown  string // how the table is called in settings: "alerts.", "sinks.ops."
	values map[string]any
	known  []string
}

// line is that of a key of the table, or of the table itself where it has no such key.
func (t *table) line(key string) int {
	if line := t.lines[t.path.below(key)]; line > 0 {
		return line
	}
	return t.lines[t.path]
}

// mostKept is after how many problems no more unknown keys are looked at.
const mostKept = 100

func (d *document) fail(line int, format string, args ...any) {
	d.problems = append(d.problems, Problem{line, fmt.Sprintf(format, args...)})
}

// wrong notes that the value of a key cannot be.
func (t *table) wrong(key, format string, args ...any) {
	t.fail(t.line(key), "%s: %s", key, fmt.Sprintf(format, args...))
}

// prefix is a key before what is wrong with it; "" for a name that somebody chose and
// that may not be what it was meant to be.
func prefix(key string) string {
	if !harmless.MatchString(key) {
		return ""
	}
	return key + ": "
}

// set notes what holds for a key. Line 0 says that it is the default.
func (t *table) set(key, value string) {
	line := 0
	if t.has(key) {
		line = t.line(key)
	}
	t.settings = append(t.settings, Setting{t.shown + key, value, line})
}

// value returns what a key is set to.
func (t *table) value(key string) (any, bool) {
	if !slices.Contains(t.known, key) {
		t.known = append(t.known, key)
	}
	value, given := t.values[key]
	return value, given
}

func (t *table) has(key string) bool {
	_, has := t.values[key]
	return has
}

// unknownKeys notes the keys that nobody has asked for.
func (t *table) unknownKeys(where string) {
	for _, key := range slices.Sorted(maps.Keys(t.values)) {
		if !slices.Contains(t.known, key) && len(t.problems) <= mostKept {
			t.fail(t.line(key), "%s", notOneOf("key", key, t.known, where))
		}
	}
}

// inOrder are the keys of the table in the order of the file.
func (t *table) inOrder() []string {
	return slices.SortedFunc(maps.Keys(t.values), func(a, b string) int {
		return cmp.Or(cmp.Compare(t.line(a), t.line(b)), strings.Compare(a, b))
	})
}

// below returns a table in the table; an empty one where it is not given.
func (t *table) below(key string) *table {
	value, given := t.value(key)
	values, ok := value.(map[string]any)
	if given && !ok {
		t.fail(t.line(key), "%sa table is expected, which begins with its name in brackets", prefix(key))
	}
	return &table{document: t.document, path: t.path.below(key), shown: t.shown + key + ".", values: values}
}

// text returns a text that is neither empty nor has control characters. Spaces around it
// are an error too: nobody sees them.
func (t *table) text(key string) (string, bool) {
	value, given := t.value(key)
	if !given {
		return "", false
	}
	text, ok := value.(string)
	if !ok {
		t.wrong(key, `a text in quotes is expected, such as %s = "..."`, key)
		return "", false
	}
	if problem := textProblem(text); problem != "" {
		t.wrong(key, "%s", problem)
		return "", false
	}
	return text, true
}

// maxText bounds every text.
const maxText = 4096

func textProblem(text string) string {
	switch {
	case strings.TrimSpace(text) == "":
		return "the value is empty; leave the key out, or give it a value"
	case len(text) > maxText:
		return fmt.Sprintf("the value is longer than %d bytes", maxText)
	case strings.TrimSpace(text) != text:
		return "the value begins or ends with a space or a line break"
	case !printable(text):
		return "the value has a line break or another control character"
	}
	return ""
}

// texts returns a list of texts that is not empty and has none twice.
func (t *table) texts(key string) (texts []string, given bool) {
	value, given := t.value(key)
	list, ok := value.([]any)
	switch {
	case !given:
		return nil, false
	case !ok:
		t.wrong(key, `a list of texts is expected, such as %s = ["...", "..."]`, key)
		return nil, false
	case len(list) == 0:
		t.wrong(key, "the list is empty; leave the key out, or name at least one")
		return nil, false
	}
	for i, element := range list {
		text, ok := element.(string)
		problem := "a text in quotes is expected"
		if ok {
			problem = textProblem(text)
		}
		if problem != "" {
			t.wrong(key, "element %d: %s", i+1, problem)
			return nil, false
		}
		texts = append(texts, text)
	}
	return texts, true
}

// uniqueTexts is texts for a list in which an element makes no sense twice.
func (t *table) uniqueTexts(key string) (texts []string, given bool) {
	texts, given = t.texts(key)
	for i, text := range texts {
		if slices.Contains(texts[:i], text) {
			t.wrong(key, "%s is in the list twice", shown(text))
		}
	}
	return texts, given
}

// word returns one of a few words.
func (t *table) word(key string, allowed []string) (string, bool) {
	word, given := t.text(key)
	if given && !slices.Contains(allowed, word) {
		t.wrong(key, "%s", notOneOf("value", word, allowed, ""))
		return "", false
	}
	return word, given
}

// truth returns a value that is true or false.
func (t *table) truth(key string, fallback bool) bool {
	truth := fallback
	if value, given := t.value(key); given {
		is, ok := value.(bool)
		if !ok {
			t.wrong(key, "true or false is expected, without quotes")
		}
		truth = is
	}
	t.set(key, strconv.FormatBool(truth))
	return truth
}

// number returns a whole number from least to most.
func (t *table) number(key string, fallback, least, most int) int {
	n := fallback
	if value, given := t.value(key); given {
		whole, ok := value.(int64)
		if !ok || whole < int64(least) || whole > int64(most) {
			t.wrong(key, "a whole number from %d to %d is expected, without quotes", least, most)
			return fallback
		}
		n = int(whole)
	}
	t.set(key, strconv.Itoa(n))
	return n
}

// share returns a part of a whole: more than 0, and at most 1.
func (t *table) share(key string, fallback float64) float64 {
	share := fallback
	if value, given := t.value(key); given {
		switch v := value.(type) {
		case float64:
			share = v
		case int64:
			share = float64(v)
		default:
			share = -1
		}
		if !(share > 0 && share <= 1) { // NaN is no share either
			t.wrong(key, "a number above 0 and up to 1 is expected, such as 0.9")
			return fallback
		}
	}
	t.set(key, strconv.FormatFloat(share, 'g', -1, 64))
	return share
}

// duration returns a span of time from least to most. What is not given has the value
// fallback, which unset describes if it is 0.
func (t *table) duration(key string, fallback, least, most time.Duration, unset string) time.Duration {
	length := fallback
	if _, given := t.value(key); given {
		text, ok := t.text(key)
		if !ok {
			return fallback
		}
		var err error
		if length, err = ParseDuration(text); err != nil {
			t.wrong(key, "%s", err)
			return fallback
		}
		if length < least || length > most {
			t.wrong(key, "from %s to %s is expected", FormatDuration(least), FormatDuration(most))
			return fallback
		}
	}
	if length == 0 && unset != "" {
		t.set(key, unset)
	} else {
		t.set(key, FormatDuration(length))
	}
	return length
}
