package page

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"golang.org/x/net/html"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
)

// hostileInput is a small history in which every text is the same.
func hostileInput(text string) report.Input {
	id := strings.Repeat("a", 32)
	squid := store.Squid{ID: text + "q", Name: text}
	w := store.Window{After: begin.Add(time.Hour), Before: begin.Add(2 * time.Hour)}
	account := store.AccountState{ID: id, FirstSeen: begin, SeenAt: begin.Add(20 * time.Hour), HealthSince: w, Facts: store.Facts{
		Username: text, Type: text, Status: text, Info: text, Health: store.Expired, Squids: []store.Squid{squid},
	}}
	document, _ := json.Marshal(map[string]any{ // strings always marshal
		"baseurl": "https://" + text, "cookies": []any{map[string]any{"name": text}},
	})
	value, _ := json.Marshal(text)
	change := func(kind store.Kind, path string) store.AccountChange {
		return store.AccountChange{Account: id, Username: text, Window: w, Change: store.Change{
			Kind: kind, Path: path, Old: value, New: value, HealthBefore: store.Health(text), HealthAfter: store.Health(text),
		}}
	}
	return report.Input{
		Workspace: text, Since: begin, Until: begin.AddDate(0, 0, 1), Accounts: []store.AccountState{account},
		Steps:       []store.StatusStep{{Account: id, HealthBefore: store.Healthy, HealthAfter: store.Expired, Window: w}},
		Assignments: []store.Assignment{{Squid: squid.ID, SquidName: text, Account: id, Username: text, From: w, To: &w}},
		Uses: []store.Use{{Account: id, Username: text, Limit: text, Value: value, Max: json.RawMessage("5"), SeenAt: begin},
			{Account: id, Username: text, Limit: text + "2", Value: json.RawMessage("4"), Max: json.RawMessage("5"), SeenAt: begin}},
		Changes: []store.AccountChange{
			change(store.FieldChanged, "/"+text), change(store.LimitChanged, "/params/user/"+text+"/max"), change(store.SchemaChanged, "/"+text),
			change(store.SquidRenamed, "/squids/"+text), change(store.Appeared, ""), change(store.WentGone, ""), change(store.Kind(text), text),
		},
		Runs: []store.Run{{ID: 1, State: store.RunState("failed"), Started: begin, Warnings: []string{text}, Failed: 1,
			Failures: []store.Failure{{Account: text, Kind: store.FailureKind(text), Message: text}}}},
		Platforms: []store.Platform{{Type: text, Document: document, Icon: text}},
	}
}

// The markup that a page is made of.
var (
	ourElements = strings.Fields(`html head body meta title style script a svg defs pattern path g line rect circle text use header
		p bdi h1 h2 h3 h4 span ul li b nav main section div dl dt dd code details summary table caption thead tbody tfoot tr th td
		small time img form label input select option output br footer`)
	ourAttributes = strings.Fields(`lang charset http-equiv content name class href id aria-hidden focusable width height
		patternunits patterntransform d x y x1 x2 y1 y2 cx cy role tabindex aria-label aria-labelledby datetime src alt scope colspan
		viewbox preserveaspectratio hidden type autocomplete value open title`)
	ourLink  = regexp.MustCompile(`^#[a-z0-9]+$`)
	ourImage = regexp.MustCompile(`^data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/]+=*$`)
)

// foreignMarkup says what of a page is not ours: markup, and characters that act
// without being seen; "" for nothing.
func foreignMarkup(page []byte) string {
	scripts := 0
	tokens := html.NewTokenizer(bytes.NewReader(page))
	for tokens.Next() != html.ErrorToken {
		token := tokens.Token()
		if i := strings.IndexFunc(token.Data, acts); i >= 0 {
			return fmt.Sprintf("a character in %q", token.Data)
		}
		switch token.Type {
		case html.CommentToken:
			return "a comment: " + token.Data
		case html.StartTagToken, html.SelfClosingTagToken:
			if !slices.Contains(ourElements, token.Data) || slices.ContainsFunc(token.Attr, notOurs) {
				return "the element " + token.String()
			}
		}
		if token.Type == html.StartTagToken && token.Data == "script" {
			scripts++
		}
	}
	if err := tokens.Err(); !errors.Is(err, io.EOF) {
		return err.Error()
	}
	if scripts != 1 || !bytes.Contains(page, []byte("<script>"+scriptText+"</script>")) {
		return "a script"
	}
	return ""
}

func acts(r rune) bool {
	switch {
	case r == '\n', r == 0x200c, r == 0x200d, unicode.Is(unicode.Prepended_Concatenation_Mark, r):
		return false
	}
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
}

func notOurs(a html.Attribute) bool {
	return !slices.Contains(ourAttributes, a.Key) || a.Key == "href" && !ourLink.MatchString(a.Val) ||
		a.Key == "src" && !ourImage.MatchString(a.Val)
}

func checkMarkup(t *testing.T, page []byte) {
	t.Helper()
	if fault := foreignMarkup(page); fault != "" {
		t.Fatal(fault)
	}
}

// FuzzText: no text becomes markup, script or style, wherever it stands.
func FuzzText(f *testing.F) {
	for _, name := range hardNames {
		f.Add(name)
	}
	f.Add("x onload=alert(1)")
	f.Add("#\" style=\"x")
	f.Add("data:image/svg+xml,<svg onload=alert(1)>")
	f.Fuzz(func(t *testing.T, text string) {
		p := picture(hostileInput(text))
		var page, svg bytes.Buffer
		if err := WriteHTML(&page, p); err != nil {
			t.Fatal(err)
		}
		checkMarkup(t, page.Bytes())
		if err := WriteSVG(&svg, p); err != nil {
			t.Fatal(err)
		}
		checkSVG(t, svg.Bytes())
	})
}

// checkSVG: it is XML, of our elements only.
func checkSVG(t *testing.T, svg []byte) {
	t.Helper()
	decoder := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%v in %s", err, svg)
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if !slices.Contains(ourElements, start.Name.Local) || start.Name.Local == "script" {
			t.Fatalf("an element %s", start.Name.Local)
		}
		for _, a := range start.Attr {
			if key := strings.ToLower(a.Name.Local); key != "xmlns" && !slices.Contains(ourAttributes, key) || key == "href" {
				t.Fatalf("an attribute %s", a.Name.Local)
			}
		}
	}
}

// TestPagesOfHardNames holds the same for whole histories.
func TestPagesOfHardNames(t *testing.T) {
	checkMarkup(t, write(t, 60, 14, hardNames))
}

// TestTheCheckSeesMarkup: each of these is found.
func TestTheCheckSeesMarkup(t *testing.T) {
	page := string(write(t, 1, 7, nil))
	for _, markup := range []string{
		"<iframe>", "<b onclick=x>", "<a href=http://x>", "<img src=http://x>", "<script>1</script>", "<!-- x -->", "a\u202eb", "<b style=x>",
	} {
		if foreignMarkup([]byte(strings.Replace(page, "<main", markup+"<main", 1))) == "" {
			t.Errorf("%q is not seen", markup)
		}
	}
}
