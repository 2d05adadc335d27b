package notify

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestNewChecksTheSettings has settings that cannot work. No error repeats what may be a
// secret.
func TestNewChecksTheSettings(t *testing.T) {
	mail := Settings{Type: Email, Server: "smtp.example.com", From: "a@example.com", To: []string{"b@example.com"}}
	with := func(s Settings, change func(*Settings)) Settings {
		change(&s)
		return s
	}
	for want, s := range map[string]Settings{
		`type: "pigeon" is none of`:     {Type: "pigeon"},
		"a URL is needed":               {Type: Slack},
		"the URL is not valid":          {Type: Webhook, URL: "https://canary%zz/\x7f"},
		"the URL is not valid: https":   {Type: Webhook, URL: "canary-token"},
		"the URL begins with neither":   {Type: Ping, URL: "ftp://canary.example.com/canary"},
		"command: a program is needed":  {Type: Command},
		"command: an argument has":      {Type: Command, Command: []string{"x", "canary\x00"}},
		"timeout: from 1ns to 10s":      {Type: Slack, URL: "https://example.com", Timeout: time.Hour},
		"per_minute: from 1 to 600":     {Type: Slack, URL: "https://example.com", PerMinute: -1},
		"tls: starttls, tls or none":    with(mail, func(s *Settings) { s.TLS = "canary" }),
		"tls: none would send":          with(mail, func(s *Settings) { s.TLS, s.User, s.Password = "none", "u", "canary" }),
		"user and password":             with(mail, func(s *Settings) { s.Password = "canary" }),
		"to: at least one":              with(mail, func(s *Settings) { s.To = nil }),
		"to: element 2":                 with(mail, func(s *Settings) { s.To = []string{"b@example.com", "c@example.com\r\nBcc: canary@example.com"} }),
		"from: no e-mail address":       with(mail, func(s *Settings) { s.From = "a@example.com\nX: canary" }),
		"server: HOST:PORT is expected": with(mail, func(s *Settings) { s.Server = "https://canary.example.com" }),
		"server: HOST:PORT is":          with(mail, func(s *Settings) { s.Server = "smtp.example.com:canary" }),
	} {
		s.Name = "ops"
		if _, err := New(s); err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if _, err := New(Settings{Type: Slack, URL: "https://example.com"}); err == nil {
		t.Error("a sink without a name")
	}
}

func TestSettingsAreNeverPrinted(t *testing.T) {
	s := Settings{Name: "ops", Type: Webhook, URL: "https://canary", Secret: "canary", Password: "canary"}
	for _, text := range []string{fmt.Sprintf("%v %+v %#v %s %q", s, s, s, s, s), fmt.Sprintf("%+v %#v", &s, struct{ S Settings }{s})} {
		if strings.Contains(text, "canary") || !strings.Contains(text, "ops") {
			t.Error(text)
		}
	}
}
