package config

import (
	"fmt"
	"maps"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lobstrail/lobstrail/report/notify"
	"github.com/lobstrail/lobstrail/store"
)

// The bounds and defaults of a sink.
const (
	sinkTimeout   = 10 * time.Second // the longest, too
	sinkPerMinute = 10
	mostPerMinute = 600
	mostSinks     = 100
)

// sinks reads [[sinks]]. A sink names only workspaces that the configuration has, or, if
// it has none, the default one.
func (d *document) sinks(top *table, workspaces map[string]Workspace) (sinks []Sink) {
	value, given := top.value("sinks")
	list, ok := value.([]any)
	if given && (!ok || len(list) == 0) {
		top.wrong("sinks", "a list of tables is expected, each under [[sinks]] in double brackets")
	}
	if len(list) > mostSinks {
		top.wrong("sinks", "there are more than %d sinks", mostSinks)
		return nil
	}
	known := slices.Sorted(maps.Keys(workspaces))
	if len(known) == 0 {
		known = []string{DefaultWorkspace}
	}
	names := map[string]bool{}
	for i, element := range list {
		path := pathOf("sinks", strconv.Itoa(i))
		values, ok := element.(map[string]any)
		if !ok {
			d.fail(d.lines[path], "sinks: a table is expected, under [[sinks]] in double brackets")
			continue
		}
		t := &table{document: d, path: path, values: values}
		sink := t.sink(known)
		if name := sink.Settings.Name; name != "" && names[name] {
			t.wrong("name", "another sink has this name; names of sinks differ")
		}
		names[sink.Settings.Name] = true
		sinks = append(sinks, sink)
	}
	return sinks
}

func (t *table) sink(workspaces []string) (s Sink) {
	name, given := t.text("name")
	if err := CheckName(name); given && err != nil {
		t.wrong("name", "%s", err)
	}
	if !t.has("name") {
		t.wrong("name", "a sink needs a name")
	}
	t.shown = "sinks." + name + "."
	s.Settings.Name = name
	kind, given := t.word("type", notify.Types)
	if !t.has("type") {
		t.wrong("type", "a sink needs a type: %s", strings.Join(notify.Types, ", "))
	}
	if !given {
		return s // its keys depend on the type
	}
	t.set("type", kind)
	s.Settings.Type = kind
	s.Workspaces = t.sinkWorkspaces(workspaces)
	if kind != notify.Ping {
		s.Conditions = t.sinkConditions()
		s.Settings.PerMinute = t.number("per_minute", sinkPerMinute, 1, mostPerMinute)
	}
	s.Settings.Timeout = t.duration("timeout", sinkTimeout, 100*time.Millisecond, sinkTimeout, "")
	t.place(&s)
	t.unknownKeys(" of a sink of the type " + kind)
	return s
}

func (t *table) sinkWorkspaces(known []string) []string {
	names, given := t.uniqueTexts("workspaces")
	for _, name := range names {
		if !slices.Contains(known, name) {
			t.wrong("workspaces", "%s", notOneOf("workspace", name, known, ""))
		}
	}
	if !given {
		t.set("workspaces", "all")
		return nil
	}
	t.set("workspaces", strings.Join(names, ", "))
	return names
}

func (t *table) sinkConditions() (conditions []store.Condition) {
	names, given := t.uniqueTexts("conditions")
	for _, name := range names {
		if !slicesContains(store.Conditions, name) {
			t.wrong("conditions", "%s", notOneOf("condition", name, words(store.Conditions), ""))
		}
		conditions = append(conditions, store.Condition(name))
	}
	if !given {
		t.set("conditions", "all")
		return nil
	}
	t.set("conditions", strings.Join(names, ", "))
	return conditions
}

// place reads the keys that say where a sink is and how it is reached.
func (t *table) place(s *Sink) {
	switch s.Settings.Type {
	case notify.Slack, notify.Ping:
		t.url(s)
	case notify.Webhook:
		t.url(s)
		s.Secret = t.reference("secret")
	case notify.Email:
		t.email(s)
	case notify.Command:
		t.command(s)
		return
	}
	s.Settings.AllowPrivate = t.truth("allow_private", false)
}

func (t *table) command(s *Sink) {
	command, given := t.texts("command")
	if !t.has("command") {
		t.wrong("command", `a command is needed, such as command = ["/usr/local/bin/page", "ops"]`)
	}
	if given {
		shown := command[0]
		if n := len(command) - 1; n > 0 { // which may hold a secret
			shown += fmt.Sprintf(" (and %d more, not shown)", n)
		}
		t.set("command", shown)
	}
	s.Settings.Command = command
}

var tlsWords = []string{"starttls", "tls", "none"}

func (t *table) email(s *Sink) {
	e := &s.Settings
	e.TLS = tlsWords[0]
	if word, given := t.word("tls", tlsWords); given {
		e.TLS = word
	}
	t.set("tls", e.TLS)
	e.Server = t.needed("server", `such as "mail.example.com:587"`)
	if host, problem := checkAddress(e.Server); e.Server != "" && (problem != "" || host == "") {
		t.wrong("server", "a host and a port are expected, such as \"mail.example.com:587\"")
	}
	if e.User, _ = t.text("user"); e.User != "" {
		t.set("user", e.User)
	}
	s.Password = t.reference("password")
	switch {
	case (e.User == "") != (s.Password == Reference{}):
		t.wrong("user", "user needs password_env or password_file, and the other way round")
	case e.User != "" && e.TLS == "none":
		t.wrong("tls", "with \"none\" the password would be sent in clear; take \"starttls\" or \"tls\"")
	}
	if e.From = t.needed("from", `such as "lobstrail@example.com"`); e.From != "" {
		t.checkMail("from", e.From)
	}
	t.recipients(s)
}

func (t *table) recipients(s *Sink) {
	to, given := t.uniqueTexts("to")
	if !t.has("to") {
		t.wrong("to", `at least one address is needed, such as to = ["ops@example.com"]`)
	}
	for _, address := range to {
		t.checkMail("to", address)
	}
	if given {
		t.set("to", strings.Join(to, ", "))
	}
	s.Settings.To = to
}

// needed is text that a sink cannot be without.
func (t *table) needed(key, example string) string {
	text, given := t.text(key)
	switch {
	case !t.has(key):
		t.wrong(key, "a value is needed, %s", example)
	case given:
		t.set(key, text)
	}
	return text
}

func (t *table) checkMail(key, address string) {
	if _, err := mail.ParseAddress(address); err != nil {
		t.wrong(key, "a mail address is expected, such as \"ops@example.com\"")
	}
}

func words[T ~string](list []T) (texts []string) {
	for _, word := range list {
		texts = append(texts, string(word))
	}
	return texts
}

func slicesContains[T ~string](list []T, word string) bool { return slices.Contains(list, T(word)) }
