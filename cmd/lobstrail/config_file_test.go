package main

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/lobstrail/lobstrail/cmd/lobstrail/config"
	"github.com/lobstrail/lobstrail/report/alert"
	"github.com/lobstrail/lobstrail/report/notify"
	"github.com/lobstrail/lobstrail/store"
)

var tomlBlock = regexp.MustCompile("(?s)```toml\n(.*?)```")

// TestHelpConfigExamples: each example in the help is a configuration, and the topic
// names each key that one can have.
func TestHelpConfigExamples(t *testing.T) {
	found, asked := 0, ""
	for _, topic := range topics() {
		for _, block := range tomlBlock.FindAllStringSubmatch(topic.text, -1) {
			c, err := config.Parse(topic.name, []byte(block[1]))
			if err != nil || len(c.Warnings) > 0 {
				t.Errorf("%v, %q", err, c.Warnings)
			}
			found++
			for _, s := range c.Settings {
				asked += s.Key + "\n"
			}
		}
	}
	if found < 2 {
		t.Fatalf("%d examples", found)
	}
	text, keys := findTopic("config").text, 0
	for line := range strings.Lines(asked) {
		key := line[strings.LastIndex(line, ".")+1 : len(line)-1]
		if keys++; !strings.Contains(text, "`"+key+"`") {
			t.Errorf("%s is not explained", key)
		}
	}
	if keys < 60 {
		t.Errorf("only %d keys", keys)
	}
	for _, word := range slices.Concat(notify.Types, conditionNames()) {
		if !strings.Contains(text, "`"+word+"`") {
			t.Errorf("%s is not explained", word)
		}
	}
}

func conditionNames() (names []string) {
	for _, c := range store.Conditions {
		names = append(names, string(c))
	}
	return names
}

// configApp is a command with a configuration and variables.
func configApp(t *testing.T, text []byte, vars map[string]string) *app {
	t.Helper()
	file := filepath.Join(t.TempDir(), "c.toml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	a := newApp(&environment{stderr: &stderr, getenv: func(name string) string { return vars[name] }})
	a.configFile = file
	t.Cleanup(func() {
		if stderr.Len() > 0 {
			t.Errorf("notes: %s", stderr.String())
		}
	})
	return a
}

// A file that an editor or a shell of Windows wrote has the same lines.
func TestConfigIsPlainText(t *testing.T) {
	const text = "[watch]\r\nevery = \"20m\"\r\n[watch.x]\r\n"
	wide := []byte{0xff, 0xfe}
	for _, unit := range utf16.Encode([]rune(text)) {
		wide = binary.LittleEndian.AppendUint16(wide, unit)
	}
	for name, raw := range map[string][]byte{"CRLF": []byte(text), "BOM": []byte("\ufeff" + text), "UTF-16": wide} {
		_, err := configApp(t, raw, nil).config(context.Background())
		if err == nil || exitCode(err) != exitUsage || !strings.Contains(err.Error(), `c.toml:3: unknown key "x"`) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// twoWorkspaces is a configuration with sinks that can be used and sinks that cannot.
func twoWorkspaces(t *testing.T) *app {
	return configApp(t, []byte(`[workspaces.acme]
token_env = "ACME"
every = "15m"
[workspaces.globex]
token_env = "GLOBEX"
[alerts]
remind_times = 7
[[sinks]]
name = "chat"
type = "slack"
url_env = "CHAT"
[[sinks]]
name = "ops"
type = "webhook"
url_env = "OPS"
secret_env = "SECRET"
workspaces = ["acme"]
conditions = ["stale"]
[[sinks]]
name = "beat"
type = "ping"
url_env = "NOT_SET"
[[sinks]]
name = "odd"
type = "ping"
url_env = "ODD"
`), map[string]string{"CHAT": " https://chat.example/x\n", "OPS": "https://ops.example", "SECRET": "s", "ODD": "CANARY"})
}

func TestRulesOfAWorkspace(t *testing.T) {
	a, ctx := twoWorkspaces(t), t.Context()
	rules, err := a.rulesOf(ctx, "acme")
	if err != nil || rules.Every != 15*time.Minute || rules.RemindTimes != 7 {
		t.Fatalf("%+v, %v", rules, err)
	}
	want := []alert.Subscription{{Sink: "chat"}, {Sink: "ops", Conditions: []store.Condition{store.Stale}}}
	if !slices.EqualFunc(rules.Sinks, want, func(a, b alert.Subscription) bool {
		return a.Sink == b.Sink && slices.Equal(a.Conditions, b.Conditions)
	}) {
		t.Errorf("%+v", rules.Sinks)
	}
	rules, err = a.rulesOf(ctx, "globex")
	if err != nil || rules.Every != 0 || len(rules.Sinks) != 1 {
		t.Errorf("%+v, %v", rules, err)
	}
}

func TestSinksOfAWorkspace(t *testing.T) {
	a, ctx := twoWorkspaces(t), t.Context()
	c, err := a.config(ctx)
	if err != nil {
		t.Fatal(err)
	}
	read := func(workspace string) (sinks []notify.Settings, errs map[string]error) {
		errs = map[string]error{}
		for _, sink := range sinksFor(c, workspace) {
			settings, err := a.settingsOf(ctx, c, sink)
			if err != nil {
				errs[sink.Settings.Name] = err
				continue
			}
			sinks = append(sinks, settings)
		}
		return sinks, errs
	}
	sinks, errs := read("acme")
	if len(sinks) != 2 || sinks[0].URL != "https://chat.example/x" || sinks[1].URL != "https://ops.example" || sinks[1].Secret != "s" {
		t.Errorf("%+v", sinks)
	}
	if len(errs) != 2 || errs["beat"].Error() != "sink beat: the variable NOT_SET is not set" ||
		errs["odd"].Error() != "sink odd: the variable ODD: a URL is expected that begins with https:// or http://" {
		t.Errorf("%v", errs)
	}
	if sinks, _ := read("globex"); len(sinks) != 1 {
		t.Errorf("%+v", sinks)
	}
}
