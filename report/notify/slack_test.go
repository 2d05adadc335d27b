package notify

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf16"

	"pgregory.net/rapid"

	"github.com/lobstrail/lobstrail/report/alert"
)

// slackPayload is what a server for incoming webhooks gets.
func slackPayload(t *testing.T, body alert.Body) []byte {
	t.Helper()
	var raw []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ = io.ReadAll(r.Body)
		fmt.Fprint(w, "ok")
	}))
	defer server.Close()
	sink, err := New(Settings{Name: "chat", Type: Slack, URL: server.URL + "/services/T0/B0/" + urlToken})
	if err == nil {
		err = sink.Send(t.Context(), body)
	}
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// slackTextObject is the text of a block, with its kind.
type slackTextObject struct{ Type, Text string }

// checkSlack checks a payload against what Slack publishes of blocks, and that nothing in
// it is a mention, a link, or a character that is not seen.
func checkSlack(raw []byte) error {
	var message struct {
		Text   string
		Blocks []struct {
			Type     string
			Text     *slackTextObject
			Elements []slackTextObject
		}
	}
	if err := json.Unmarshal(raw, &message); err != nil {
		return err
	}
	if n := len(message.Blocks); n < 1 || n > 50 {
		return fmt.Errorf("%d blocks", n)
	}
	texts := []slackTextObject{{"notification", message.Text}}
	if len(message.Text) == 0 || len(utf16.Encode([]rune(message.Text))) > 4000 {
		return fmt.Errorf("a text of %d bytes", len(message.Text))
	}
	for i, block := range message.Blocks {
		limit, elements := 3000, block.Elements
		switch block.Type {
		case "header":
			if limit = 150; block.Text == nil || block.Text.Type != "plain_text" {
				return fmt.Errorf("block %d: a header is plain_text", i)
			}
			elements = []slackTextObject{*block.Text}
		case "section":
			if block.Text == nil {
				return fmt.Errorf("block %d: a section needs a text", i)
			}
			elements = []slackTextObject{*block.Text}
		case "context":
			if len(elements) < 1 || len(elements) > 10 {
				return fmt.Errorf("block %d: %d elements", i, len(elements))
			}
		default:
			return fmt.Errorf("block %d: type %q", i, block.Type)
		}
		for _, text := range elements {
			if n := len(utf16.Encode([]rune(text.Text))); n < 1 || n > limit || text.Type != "plain_text" && text.Type != "mrkdwn" {
				return fmt.Errorf("block %d: a %s of %d characters", i, text.Type, n)
			}
		}
		texts = append(texts, elements...)
	}
	for _, text := range texts {
		if err := checkSlackText(text); err != nil {
			return fmt.Errorf("%q: %w", text.Text, err)
		}
	}
	return nil
}

var (
	slackEntity = regexp.MustCompile(`&(amp|lt|gt);`)
	slackSpan   = regexp.MustCompile("`[^`\n]+`")
	slackStrong = regexp.MustCompile(`\*[^*\n]+\*`)
)

func checkSlackText(text slackTextObject) error {
	if strings.ContainsAny(slackEntity.ReplaceAllString(text.Text, ""), "&<>") {
		return fmt.Errorf("a character is not escaped")
	}
	for _, r := range text.Text {
		if r != '\n' && r != '\u200c' && r != '\u200d' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028') {
			return fmt.Errorf("character %U", r)
		}
	}
	if text.Type == "mrkdwn" && strings.Contains(text.Text, "`") {
		rest := slackStrong.ReplaceAllString(slackSpan.ReplaceAllString(text.Text, ""), "")
		if strings.ContainsAny(rest, "`*_~") { // what is neither a code span nor bold
			return fmt.Errorf("marks outside of spans: %q", rest)
		}
	}
	return nil
}

func TestSlackMessage(t *testing.T) {
	body := expiredBody()
	body.PlatformEvent = true
	raw := slackPayload(t, body)
	if err := checkSlack(raw); err != nil {
		t.Error(err)
	}
	var message slackMessage
	if err := json.Unmarshal(raw, &message); err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, block := range message.Blocks {
		if block.Text != nil {
			fmt.Fprintf(&got, "%s: %s\n", block.Type, block.Text.Text)
		}
		for _, element := range block.Elements {
			fmt.Fprintf(&got, "%s: %s\n", block.Type, element.Text)
		}
	}
	want := strings.ReplaceAll(`header: 🔴 2 LinkedIn accounts expired between 08:00 and 08:15; 3 of 45 down
context: workspace acme · run 42 · 2026-11-27 08:15 UTC · 3 of 45 accounts down
section: *Platform event.* Many accounts of one type changed at once: the platform is the likely cause, not each account.
section: 'trendwatch_eu' 'linkedin-sync'  *healthy → expired* 'cookies_expired'
2026-11-27 08:00 … 08:15
• squid 'X Mentions': no healthy account left, next launch 2026-11-27 09:00
Fix: 'lobstr accounts sync linkedin-sync --account d3e97f2cd33658f301bdbe807402ab30 --cookies-file cookies.json'
section: 'sales.lead' 'linkedin-sync'  *healthy → expired* 'cookies_expired'
2026-11-27 08:00 … 08:15
• squid 'Leads FR': 1 healthy account left, next launch 2026-11-27 09:00
Fix: 'lobstr accounts sync linkedin-sync --account a0b97f2cd33658f301bdbe807402ab31 --cookies-file cookies.json'
`, "'", "`")
	if got.String() != want || message.Text != "🔴 "+body.Summary {
		t.Errorf("%s\n%s", message.Text, got.String())
	}
}

// hostile are texts that an account, a squid or the API may have.
var hostile = []string{
	"<!channel>", "<!here|all>", "<@U012AB3CD>", "<https://evil.example|click>", "&lt;!channel&gt;", "*bold* _it_ ~no~ `code` ```block```", "`", "````",
	"a\nb\r\n• fake line", "\x00\x1b[31m", "\u202egnp.exe", "שלום עולם", "مرحبا", "🎉🇫🇷👨‍👩‍👧‍👦", ":skull: :smile:", "\u2066x\u2069", "\ufeff", " ", "",
	strings.Repeat("<", 10_000), strings.Repeat("🎉", 10_000), strings.Repeat("&", 149), strings.Repeat("x", 200_000), "\xff\xfe",
}

func TestSlackKeepsItsLimitsWithHostileTexts(t *testing.T) {
	for _, text := range hostile {
		if err := checkSlack(slackPayload(t, hostileBody(func() string { return text }, 70, 9))); err != nil {
			t.Errorf("%.50q: %v", text, err)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.OneOf(rapid.SampledFrom(hostile), rapid.String(), rapid.StringOf(rapid.SampledFrom([]rune("&<>`*_~\n 🎉\u202e"))))
		body := hostileBody(func() string { return text.Draw(rt, "text") }, rapid.IntRange(0, 25).Draw(rt, "items"), rapid.IntRange(0, 7).Draw(rt, "squids"))
		raw, err := json.Marshal(newSlackMessage(newView(body, nil, slackItems)))
		if err == nil {
			err = checkSlack(raw)
		}
		if err != nil {
			rt.Error(err)
		}
	})
}

// hostileBody has every text of a message from text.
func hostileBody(text func() string, items, squids int) alert.Body {
	body := expiredBody()
	item := body.Items[0]
	body.Workspace, body.Summary, body.PlatformEvent, body.Items = text(), text(), true, nil
	for range items {
		item.Account, item.Username, item.Type, item.Info, item.Fix = text(), text(), text(), text(), text()
		item.Squids = nil
		for range squids {
			item.Squids = append(item.Squids, alert.SquidItem{ID: text(), Name: text()})
		}
		body.Items = append(body.Items, item)
	}
	return body
}

func TestSlackEscapesAndCuts(t *testing.T) {
	for _, test := range []struct {
		text string
		most int
		want string
	}{
		{"a < b & c > d", 100, "a &lt; b &amp; c &gt; d"},
		{"abcdef", 6, "abcdef"},
		{"abcdefg", 6, "abcde…"},
		{"ab<cd", 6, "ab…"}, // not in the midst of an entity
		{"ab<", 6, "ab&lt;"},
		{"🎉🎉🎉", 6, "🎉🎉🎉"},
		{"🎉🎉🎉🎉", 6, "🎉🎉…"},
	} {
		if got := slackEscape(test.text, test.most); got != test.want {
			t.Errorf("%q within %d: %q, want %q", test.text, test.most, got, test.want)
		}
	}
}

// Slack says in a word what is wrong; other answers, which may repeat the URL, are left out.
func TestSlackTellsTheKeywordOfItsAnswer(t *testing.T) {
	for answer, want := range map[string]string{
		"no_service\n": "answered 404 Not Found: no_service", "invalid_blocks": "answered 404 Not Found: invalid_blocks",
		"Cannot POST /canary": "answered 404 Not Found", urlToken: "answered 404 Not Found", "canary_url": "answered 404 Not Found",
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(404)
			fmt.Fprint(w, answer)
		}))
		sink, err := New(Settings{Name: "chat", Type: Slack, URL: server.URL + "/canary_url_token/" + urlToken})
		if err != nil {
			t.Fatal(err)
		}
		if err := send(t, sink); err == nil || err.Error() != want {
			t.Errorf("%v, want %q", err, want)
		}
		server.Close()
	}
}
