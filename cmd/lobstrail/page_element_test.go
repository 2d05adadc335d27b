package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/lobstrail/lobstrail/report"
)

// element is a part of a page, read back.
type element struct{ *html.Node }

// readBack makes the page and the JSON of one report.
func readBack(t *testing.T, db string, vars map[string]string) (element, report.Report) {
	t.Helper()
	now := time.Now()
	file := filepath.Join(t.TempDir(), "report.html")
	args := []string{"report", "--db", db, "--since", now.AddDate(0, 0, -21).Format(time.RFC3339), "--until", now.Format(time.RFC3339Nano)}
	if o := within(80, vars, append(args, "--format", "html", "-o", file)...); o.code != exitDone || o.stdout != "" {
		t.Fatal(o)
	}
	var r report.Report
	o := within(0, vars, append(args, "--json")...)
	if err := json.Unmarshal([]byte(o.stdout), &r); err != nil {
		t.Fatal(err, o)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	page, err := html.Parse(strings.NewReader(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	return element{page}, r
}

// find lists the parts below that fit a selector: a tag, a .class or an #id.
func (e element) find(selector string) (found []element) {
	for n := range e.Descendants() {
		if n.Type == html.ElementNode && fits(n, selector) {
			found = append(found, element{n})
		}
	}
	return found
}

func fits(n *html.Node, selector string) bool {
	switch {
	case selector[0] == '#':
		return attribute(n, "id") == selector[1:]
	case selector[0] == '.':
		return slices.Contains(strings.Fields(attribute(n, "class")), selector[1:])
	}
	return n.Data == selector
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// text is what a reader sees, blanks put together. Titles of pictures are told too.
func (e element) text() string {
	var b strings.Builder
	for n := range e.Descendants() {
		if n.Type == html.TextNode {
			b.WriteString(n.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func texts(elements []element) (all []string) {
	for _, e := range elements {
		all = append(all, e.text())
	}
	return all
}

// instants are the exact times in a part.
func (e element) instants() (all []string) {
	for _, t := range e.find("time") {
		all = append(all, attribute(t.Node, "datetime"))
	}
	return all
}
