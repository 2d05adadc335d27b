package main

import (
	"strings"
	"testing"
)

// Names that try to be mentions and marks are shown as they are.
func TestSummaryForSlackWithHostileNames(t *testing.T) {
	l := summaryLine{title: "Accounts gone", now: "7", previous: "<1s", names: []string{
		"<!channel>", "a`b*c_d~", "two\nlines\u202e", strings.Repeat("&", 100), "", "x", "y"}}
	want := "• *Accounts gone:* 7 (before: &lt;1s): `&lt;!channel&gt;`, `aˋb*c_d~`, `two\\nlines\\u202e`, `" + strings.Repeat("&amp;", 15) + "…`, , 2 more"
	if got := l.slack(true); got != want {
		t.Errorf("\n%s\n%s", got, want)
	}
	if got := (summaryLine{title: "Went down", now: "3 times", previous: "3 times"}).slack(true); got != "• *Went down:* 3 times (as before)" {
		t.Error(got)
	}
	if got := (summaryLine{title: "Went down", now: "0 times", previous: "3 times"}).slack(false); got != "• *Went down:* 0 times" {
		t.Error(got)
	}
}
