package notify

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/lobstrail/lobstrail/report/alert"
)

// The limits of Slack that messages keep
// (https://docs.slack.dev/reference/block-kit/blocks, and chat.postMessage for the text).
// Characters are counted as UTF-16 units, and after escaping, which is the strictest
// reading.
const (
	slackHeaderLimit  = 150
	slackSectionLimit = 3000
	slackTextLimit    = 4000 // Slack cuts at 40,000, and advises 4,000
	slackItems        = 20   // with the other blocks well below 50
)

type slackSink struct {
	limits
	*poster
	zone *time.Location
}

func newSlack(l limits, s Settings) (Sink, error) {
	p, err := newPoster(s)
	if err != nil {
		return nil, err
	}
	return &slackSink{l, p, s.Zone}, nil
}

// Send posts the message to an incoming webhook.
func (s *slackSink) Send(ctx context.Context, body alert.Body) error {
	payload, err := json.Marshal(newSlackMessage(newView(body, s.zone, slackItems)))
	if err != nil {
		return err
	}
	return s.post(ctx, payload, http.Header{}, s.keyword)
}

// slackKeyword is how Slack says what is wrong: "no_service", "invalid_blocks".
var slackKeyword = regexp.MustCompile(`^[a-z]+(_[a-z]+)+$`)

// keyword returns the answer if it is one of Slack's keywords, and no part of the URL.
func (s *slackSink) keyword(answer string) string {
	answer = strings.TrimSpace(answer)
	if len(answer) > 40 || !slackKeyword.MatchString(answer) || strings.Contains(s.url.String(), answer) {
		return ""
	}
	return answer
}

type slackMessage struct {
	Text        string       `json:"text"` // of the notification
	Blocks      []slackBlock `json:"blocks"`
	UnfurlLinks bool         `json:"unfurl_links"`
	UnfurlMedia bool         `json:"unfurl_media"`
}

type slackBlock struct {
	Type     string      `json:"type"`
	Text     *slackText  `json:"text,omitempty"`
	Elements []slackText `json:"elements,omitempty"`
}

type slackText struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

func slackHeader(text string) slackBlock {
	return slackBlock{Type: "header", Text: &slackText{"plain_text", text}}
}

func slackSection(kind, text string) slackBlock {
	return slackBlock{Type: "section", Text: &slackText{kind, text}}
}

func slackContext(text string) slackBlock {
	return slackBlock{Type: "context", Elements: []slackText{{"plain_text", text}}}
}

// newSlackMessage lays a message out. Text that comes from elsewhere is either plain_text,
// in which Slack interprets nothing, or a code span.
func newSlackMessage(v view) slackMessage {
	title := v.Mark + " " + v.Summary
	m := slackMessage{
		Text:   slackEscape(title, slackTextLimit),
		Blocks: []slackBlock{slackHeader(slackEscape(title, slackHeaderLimit))},
	}
	if slackLength(title, slackEscaped) > slackHeaderLimit {
		m.Blocks = append(m.Blocks, slackSection("plain_text", slackEscape(v.Summary, slackSectionLimit)))
	}
	m.Blocks = append(m.Blocks, slackContext(slackEscape(strings.Join(v.Facts, " · "), slackSectionLimit)))
	if v.PlatformEvent != "" {
		m.Blocks = append(m.Blocks, slackSection("mrkdwn", "*Platform event.* "+v.PlatformEvent))
	}
	for _, item := range v.Items {
		m.Blocks = append(m.Blocks, slackSection("mrkdwn", slackItem(item)))
	}
	if v.More != "" {
		m.Blocks = append(m.Blocks, slackContext("… "+v.More+"; “lobstrail alerts” lists all"))
	}
	return m
}

// slackItem writes an item. Its parts are bounded so that all of them together stay below
// slackSectionLimit.
func slackItem(v itemView) string {
	line := slackCode(v.Name, 120)
	if v.Type != "" {
		line += " " + slackCode(v.Type, 80)
	}
	if v.Change != "" {
		line += "  *" + slackEscape(slackBold.Replace(v.Change), 80) + "*"
	}
	if v.Info != "" {
		line += " " + slackCode(v.Info, 120)
	}
	lines := []string{line}
	if v.When != "" {
		lines = append(lines, v.When)
	}
	for _, squid := range v.Squids {
		lines = append(lines, "• squid "+slackCode(squid.Name, 120)+": "+slackEscape(squid.State, 120))
	}
	if v.MoreSquids != "" {
		lines = append(lines, "• "+v.MoreSquids)
	}
	if v.Fix != "" {
		lines = append(lines, "Fix: "+slackCode(v.Fix, 400))
	}
	return strings.Join(lines, "\n")
}

// SlackText escapes a text for Slack, cut to so many characters. Slack still reads marks in
// it, such as *.
func SlackText(text string, most int) string { return slackEscape(shown(text, most), most) }

// SlackCode is a code span for Slack, in which nothing is read as a mark; "" for no text.
func SlackCode(text string, most int) string { return slackCode(shown(text, most), most) }

// slackBold keeps bold text from ending early.
var slackBold = strings.NewReplacer("*", "∗", "_", "＿", "~", "∼", "`", "ˋ")

// slackCode writes a code span, in which Slack interprets nothing; "" for no text. There
// is no escape for its end mark, so that another character stands for it.
func slackCode(text string, most int) string {
	if text = strings.TrimSpace(strings.ReplaceAll(text, "`", "ˋ")); text == "" {
		return ""
	}
	return "`" + slackEscape(text, most-2) + "`"
}

// slackEscaped writes a character as Slack wants it
// (https://docs.slack.dev/messaging/formatting-message-text, Escaping text).
func slackEscaped(r rune) string {
	switch r {
	case '&':
		return "&amp;"
	case '<':
		return "&lt;"
	case '>':
		return "&gt;"
	}
	return string(r)
}

// slackLength counts the UTF-16 units of a text whose characters are written so.
func slackLength(text string, written func(rune) string) (n int) {
	for _, r := range text {
		for _, w := range written(r) {
			n += utf16.RuneLen(w)
		}
	}
	return n
}

// slackEscape escapes a text. If it is longer than most then, it is cut, and ends with an
// ellipsis.
func slackEscape(text string, most int) string {
	whole := slackLength(text, slackEscaped) <= most
	var b strings.Builder
	n := 0
	for _, r := range text {
		piece := slackEscaped(r)
		if n += slackLength(piece, func(r rune) string { return string(r) }); !whole && n > most-1 {
			return strings.TrimSpace(b.String()) + "…"
		}
		b.WriteString(piece)
	}
	return b.String()
}
