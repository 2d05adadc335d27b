package config

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/report/alert"
	"github.com/lobstrail/lobstrail/report/notify"
	"github.com/lobstrail/lobstrail/store"
)

// whole has every table and every type of sink.
const whole = `[workspaces.acme]
token_file = "/run/secrets/acme"
every = "15m"
[workspaces."Globex EU"]
token_env = "GLOBEX_KEY"

[alerts]
zone = "Europe/Paris"
digest = "08:30"
remind_every = "1d12h"
remind_times = 5
conditions.account_locked = { longer_than = "2d", for = 2 }
[alerts.conditions.account_expired]
enabled = false
[alerts.conditions.limit_nearly_used]
share = 0.5

[[sinks]]
name = "ops"
type = "webhook"
url_env = "OPS_URL"
secret_file = "ops.secret"
conditions = ["account_expired", "stale"]
workspaces = ["acme"]
timeout = "5s"
per_minute = 3
allow_private = true
[[sinks]]
name = "mail"
type = "email"
server = "mail.example.com:587"
user = "u"
password_env = "MAIL_PASSWORD"
from = "Ops <ops@example.com>"
to = ["a@example.com", "b@example.com"]
[[sinks]]
name = "page"
type = "command"
command = ["/bin/page", "--key", "x"]
[[sinks]]
name = "beat"
type = "ping"
url_file = "~/beat"
[[sinks]]
name = "chat"
type = "slack"
url_env = "CHAT"

[watch]
every = "30m"
jitter = "1m"
listen = "127.0.0.1:9477"
`

func TestParseReadsEveryKey(t *testing.T) {
	got, err := Parse("f.toml", []byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	rules := alert.DefaultRules()
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	rules.Zone, rules.Digest, rules.RemindEvery, rules.RemindTimes = paris, 8*time.Hour+30*time.Minute, 36*time.Hour, 5
	rules.Conditions[store.AccountLocked] = alert.Rule{Enabled: true, For: 2, LongerThan: 48 * time.Hour}
	rules.Conditions[store.AccountExpired] = alert.Rule{For: 1}
	rules.Conditions[store.LimitNearlyUsed] = alert.Rule{Enabled: true, For: 1, Share: 0.5}
	usual := 10 * time.Second
	want := Config{
		Path: "f.toml",
		Workspaces: map[string]Workspace{
			"acme": {Reference{File: "/run/secrets/acme"}, 15 * time.Minute}, "Globex EU": {Reference{Env: "GLOBEX_KEY"}, 0},
		},
		Rules: rules,
		Sinks: []Sink{
			{Workspaces: []string{"acme"}, Conditions: []store.Condition{store.AccountExpired, store.Stale},
				Settings: notify.Settings{Name: "ops", Type: notify.Webhook, Timeout: 5 * time.Second, PerMinute: 3, AllowPrivate: true},
				URL:      Reference{Env: "OPS_URL"}, Secret: Reference{File: "ops.secret"}},
			{Settings: notify.Settings{Name: "mail", Type: notify.Email, Timeout: usual, PerMinute: 10, Server: "mail.example.com:587",
				TLS: "starttls", User: "u", From: "Ops <ops@example.com>", To: []string{"a@example.com", "b@example.com"}},
				Password: Reference{Env: "MAIL_PASSWORD"}},
			{Settings: notify.Settings{Name: "page", Type: notify.Command, Timeout: usual, PerMinute: 10, Command: []string{"/bin/page", "--key", "x"}}},
			{Settings: notify.Settings{Name: "beat", Type: notify.Ping, Timeout: usual}, URL: Reference{File: "~/beat"}},
			{Settings: notify.Settings{Name: "chat", Type: notify.Slack, Timeout: usual, PerMinute: 10}, URL: Reference{Env: "CHAT"}},
		},
		Watch: Watch{30 * time.Minute, time.Minute, "127.0.0.1:9477"},
	}
	settings := got.Settings
	got.Settings = nil
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	for _, s := range []Setting{
		{"workspaces.acme.every", "15m", 3}, {"workspaces.Globex EU.token_env", "GLOBEX_KEY", 5}, {"workspaces.Globex EU.every", "not given", 0},
		{"alerts.remind_every", "36h", 10}, {"alerts.conditions.account_locked.for", "2", 12}, {"alerts.conditions.account_locked.enabled", "true", 0},
		{"alerts.conditions.account_expired.enabled", "false", 14}, {"sinks.ops.secret_file", "ops.secret", 22},
		{"sinks.page.command", "/bin/page (and 2 more, not shown)", 39}, {"sinks.chat.conditions", "all", 0}, {"watch.listen", "127.0.0.1:9477", 52},
	} {
		if !slices.Contains(settings, s) {
			t.Errorf("no %+v", s)
		}
	}
}

func TestJitterIsShortWhereTheIntervalIs(t *testing.T) {
	c, err := Parse("c.toml", []byte("[watch]\nevery = \"20s\"\n"))
	if err != nil || c.Watch.Jitter != 2*time.Second {
		t.Errorf("%+v, %v", c.Watch, err)
	}
}

func TestDefaultIsWhatNobodySaid(t *testing.T) {
	c := Default()
	if c.Path != "" || len(c.Workspaces) != 0 || c.Sinks != nil || c.Warnings != nil || !reflect.DeepEqual(c.Rules, alert.DefaultRules()) ||
		c.Watch != (Watch{Every: 15 * time.Minute, Jitter: 30 * time.Second}) {
		t.Errorf("%+v", c)
	}
	for _, s := range c.Settings {
		if s.Line != 0 || s.Value == "" {
			t.Errorf("%+v", s)
		}
	}
	if len(c.Settings) < 30 {
		t.Errorf("only %d settings", len(c.Settings))
	}
}

// sinkOf is a sink of a type with more keys.
func sinkOf(kind, more string) string {
	return "[[sinks]]\nname = \"s\"\ntype = \"" + kind + "\"\n" + more
}

// TestParseNamesWhatIsWrong: each wrong file has just one problem, on its line, and
// the message helps.
func TestParseNamesWhatIsWrong(t *testing.T) {
	const hook = "url_env = \"U\"\n"
	tests := map[string]struct {
		text string
		line int
		want []string
	}{
		"a top key":                {"\n[alert]\n", 2, []string{`unknown key "alert"`, `did you mean "alerts"?`}},
		"a key far from any":       {"colour = 1\n", 1, []string{`unknown key "colour"`, "allowed: workspaces, alerts, sinks, watch"}},
		"a key that is odd":        {"\"CANARY 1\" = 1\n", 1, []string{"unknown key (allowed"}},
		"a key of a workspace":     {"[workspaces.default]\ntoken = \"CANARY\"", 2, []string{`"token"`, `did you mean "token_env"?`, "of a workspace"}},
		"a key in capitals":        {"[watch]\nEvery = \"15m\"", 2, []string{`"every"`}},
		"a condition":              {"[alerts.conditions.acount_expired]\nfor = 2", 1, []string{`"account_expired"`}},
		"a key of a condition":     {"[alerts.conditions.stale]\nshare = 0.5", 2, []string{`unknown key "share"`, "allowed: enabled, for, longer_than"}},
		"longer_than elsewhere":    {"[alerts.conditions.account_gone]\nlonger_than = \"1h\"", 2, []string{"allowed: enabled, for)"}},
		"a key of another type":    {sinkOf("slack", hook+"secret_env = \"S\"\n"), 5, []string{"of the type slack", "url_env"}},
		"conditions of a ping":     {sinkOf("ping", hook+"conditions = [\"stale\"]\n"), 5, []string{`"conditions"`, "of the type ping"}},
		"no TOML":                  {"[watch]\nevery = 15 m\n", 2, []string{"not TOML"}},
		"a key twice":              {"[watch]\nevery = \"1m\"\nevery = \"2m\"\n", 3, []string{"given twice"}},
		"a table twice":            {"[watch]\n[watch]\n", 2, []string{"given twice"}},
		"a table that is a value":  {"watch = 3", 1, []string{"watch: a table is expected"}},
		"a workspace, no table":    {"[workspaces]\nacme = \"CANARY\"", 2, []string{"a table is expected"}},
		"sinks as a table":         {"[sinks.ops]\ntype = \"slack\"", 1, []string{"[[sinks]]"}},
		"sinks of texts":           {"sinks = [\"ops\"]", 1, []string{"[[sinks]]"}},
		"no sinks":                 {"sinks = []", 1, []string{"[[sinks]]"}},
		"a number for a duration":  {"[watch]\nevery = 15", 2, []string{"a text in quotes is expected"}},
		"a duration without unit":  {"[watch]\nevery = \"15\"", 2, []string{`"15m"`}},
		"a negative duration":      {"[watch]\nevery = \"-15m\"", 2, []string{`"15m"`}},
		"a huge duration":          {"[watch]\nevery = \"400d\"", 2, []string{"from 1s to 366d"}},
		"an overflowing duration":  {"[watch]\nevery = \"9999w9999999999999h\"", 2, []string{"duration"}},
		"a duration of nothing":    {"[watch]\nevery = \"0s\"", 2, []string{"from 1s"}},
		"more jitter than every":   {"[watch]\nevery = \"1m\"\njitter = \"2m\"", 3, []string{"longer than watch.every"}},
		"an address without port":  {"[watch]\nlisten = \"127.0.0.1\"", 2, []string{`"127.0.0.1:9477"`, "no port"}},
		"port 0":                   {"[watch]\nlisten = \"127.0.0.1:0\"", 2, []string{"1 to 65535"}},
		"port 70000":               {"[watch]\nlisten = \":70000\"", 2, []string{"1 to 65535"}},
		"digest 25:00":             {"[alerts]\ndigest = \"25:00\"", 2, []string{`"23:59"`, `"off"`}},
		"digest without quotes":    {"[alerts]\ndigest = 08:00:00", 2, []string{"in quotes"}},
		"digest empty":             {"[alerts]\ndigest = \"\"", 2, []string{"empty"}},
		"zone unknown":             {"[alerts]\nzone = \"Europe/Pariss\"", 2, []string{`"Europe/Pariss"`, `"Europe/Paris"`}},
		"zone Local":               {"[alerts]\nzone = \"Local\"", 2, []string{"zone: this is no time zone;"}},
		"zone outside":             {"[alerts]\nzone = \"../../etc/passwd\"", 2, []string{"no time zone"}},
		"reminders":                {"[alerts]\nremind_times = -1", 2, []string{"from 0 to 1000"}},
		"reminders as text":        {"[alerts]\nremind_times = \"3\"", 2, []string{"without quotes"}},
		"for 0":                    {"[alerts.conditions.stale]\nfor = 0", 2, []string{"from 1 to 1000"}},
		"enabled as text":          {"[alerts.conditions.stale]\nenabled = \"yes\"", 2, []string{"true or false"}},
		"share above 1":            {"[alerts.conditions.limit_nearly_used]\nshare = 90", 2, []string{"0.9"}},
		"share is no number":       {"[alerts.conditions.limit_nearly_used]\nshare = nan", 2, []string{"0.9"}},
		"both tokens":              {"[workspaces.a]\ntoken_env = \"A\"\ntoken_file = \"a\"", 3, []string{"token_env is given too"}},
		"no token":                 {"[workspaces.a]\nevery = \"15m\"", 1, []string{"token_file or token_env"}},
		"one key of two":           {"[workspaces.a]\ntoken_env = \"A\"\n[workspaces.b]\ntoken_env = \"A\"", 3, []string{"belongs to one workspace"}},
		"all as a name":            {"[workspaces.\"*\"]\ntoken_env = \"A\"", 1, []string{"asterisk"}},
		"a name of nothing":        {"[workspaces.\"\"]\ntoken_env = \"A\"", 1, []string{"empty"}},
		"a name with a line":       {"[workspaces.\"a\\nb\"]\ntoken_env = \"A\"", 1, []string{"control character"}},
		"a name that turns":        {"[workspaces.\"a\\u202eb\"]\ntoken_env = \"A\"", 1, []string{"control character"}},
		"a name with a space":      {"[workspaces.\" a\"]\ntoken_env = \"A\"", 1, []string{"space"}},
		"a long name":              {"[workspaces." + strings.Repeat("a", 65) + "]\ntoken_env = \"A\"", 1, []string{"64"}},
		"an empty token":           {"[workspaces.a]\ntoken_env = \" \"", 2, []string{"empty"}},
		"a key for a variable":     {"[workspaces.a]\ntoken_env = \"CANARY-0123\"", 2, []string{"never the secret itself"}},
		"a hex key for a variable": {"[workspaces.a]\ntoken_env = \"c0ffee0123456789c0ffee0123456789c0ffee01\"", 2, []string{"never the secret itself"}},
		"a hex key for a file":     {"[workspaces.a]\ntoken_file = \"c0ffee0123456789c0ffee0123456789c0ffee01\"", 2, []string{"never the secret itself"}},
		"a URL for a file":         {sinkOf("slack", "url_file = \"https://hooks.slack.com/CANARY\""), 4, []string{"never the secret itself"}},
		"no name":                  {"[[sinks]]\ntype = \"slack\"\n" + hook, 1, []string{"needs a name"}},
		"no type":                  {"[[sinks]]\nname = \"s\"\n" + hook, 1, []string{"slack, webhook, email, command, ping"}},
		"another type":             {sinkOf("slakc", hook), 3, []string{`"slakc"`, `"slack"`}},
		"a name twice":             {sinkOf("slack", hook) + sinkOf("ping", hook), 6, []string{"another sink has this name"}},
		"no URL":                   {sinkOf("slack", ""), 1, []string{"url_env or url_file is needed"}},
		"two URLs":                 {sinkOf("ping", hook+"url = \"https://CANARY.example\"\n"), 5, []string{"give one of them"}},
		"a URL of a file":          {sinkOf("ping", "url = \"file:///CANARY\"\n"), 4, []string{"https://"}},
		"a URL of no host":         {sinkOf("ping", "url = \"https:///CANARY\"\n"), 4, []string{"no host"}},
		"a URL that is none":       {sinkOf("ping", "url = \"https://CANARY:%zz\"\n"), 4, []string{"https://"}},
		"an unknown workspace":     {sinkOf("ping", hook+"workspaces = [\"acme\"]\n"), 5, []string{`unknown workspace "acme"`, "default"}},
		"workspaces empty":         {sinkOf("ping", hook+"workspaces = []\n"), 5, []string{"empty"}},
		"an unknown condition":     {sinkOf("slack", hook+"conditions = [\"stale\", \"expired\"]\n"), 5, []string{`unknown condition "expired"`, "account_expired"}},
		"a condition twice":        {sinkOf("slack", hook+"conditions = [\"stale\", \"stale\"]\n"), 5, []string{"twice"}},
		"conditions as text":       {sinkOf("slack", hook+"conditions = \"stale\"\n"), 5, []string{"list of texts"}},
		"conditions of numbers":    {sinkOf("slack", hook+"conditions = [1]\n"), 5, []string{"element 1"}},
		"a long timeout":           {sinkOf("slack", hook+"timeout = \"1m\"\n"), 5, []string{"from 100ms to 10s"}},
		"none a minute":            {sinkOf("slack", hook+"per_minute = 0\n"), 5, []string{"from 1 to 600"}},
		"no command":               {sinkOf("command", ""), 1, []string{"a command is needed"}},
		"a command as text":        {sinkOf("command", "command = \"page CANARY\"\n"), 4, []string{"list of texts"}},
		"a command of nothing":     {sinkOf("command", "command = [\"\"]\n"), 4, []string{"empty"}},
		"mail without a port":      {sinkOf("email", "server = \"mail\"\nfrom = \"a@b.c\"\nto = [\"a@b.c\"]\n"), 4, []string{"587"}},
		"mail to nobody":           {sinkOf("email", "server = \"m:25\"\nfrom = \"a@b.c\"\n"), 1, []string{"at least one address"}},
		"mail to no address":       {sinkOf("email", "server = \"m:25\"\nfrom = \"a@b.c\"\nto = [\"a@b.c\", \"CANARY\"]\n"), 6, []string{"a mail address"}},
		"a header in an address":   {sinkOf("email", "server = \"m:25\"\nfrom = \"a@b.c\\r\\nBcc: x@y.z\"\nto = [\"a@b.c\"]\n"), 5, []string{"control character"}},
		"a user, no password":      {sinkOf("email", "server = \"m:25\"\nuser = \"u\"\nfrom = \"a@b.c\"\nto = [\"a@b.c\"]\n"), 5, []string{"password_env"}},
		"a password in clear":      {sinkOf("email", "server = \"m:25\"\nuser = \"u\"\npassword_env = \"P\"\ntls = \"none\"\nfrom = \"a@b.c\"\nto = [\"a@b.c\"]\n"), 7, []string{"in clear"}},
		"another tls":              {sinkOf("email", "server = \"m:25\"\ntls = \"ssl\"\nfrom = \"a@b.c\"\nto = [\"a@b.c\"]\n"), 5, []string{"starttls, tls, none"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("f.toml", []byte(test.text))
			wrong, ok := errors.AsType[*Error](err)
			if !ok || len(wrong.Problems) != 1 || wrong.Problems[0].Line != test.line {
				t.Fatalf("want one problem in line %d, got %v", test.line, err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("no %q in %q", want, err)
				}
			}
			if strings.Contains(err.Error(), "CANARY") || strings.Contains(err.Error(), "c0ffee") {
				t.Errorf("the error contains a secret: %v", err)
			}
		})
	}
}

func TestParseTellsAllProblemsByLine(t *testing.T) {
	_, err := Parse("f", []byte("[watch]\nevery = 1\nevry = 2\n[alerts]\nzone = \"x\"\ndigest = \"x\"\n"))
	var lines []string
	for line := range strings.Lines(err.Error()) {
		lines = append(lines, line[:4])
	}
	if got := strings.Join(lines, " "); got != "f:2: f:3: f:5: f:6:" {
		t.Errorf("%q: %v", got, err)
	}
	_, err = Parse("f", []byte(strings.Repeat("[[sinks]]\n", 30)))
	if n := strings.Count(err.Error(), "\n"); n != mostProblems || !strings.HasSuffix(err.Error(), "f: and more") {
		t.Errorf("%d lines: %v", n+1, err)
	}
}

// Line numbers count the lines of the file, whatever its line endings, and whatever
// stands in texts and comments.
func TestParseCountsLines(t *testing.T) {
	for text, want := range map[string]string{
		"# a\r\n\r\n[watch]\r\nevery = 1\r\n":                                                  "f:4: every",
		"[alerts]\nzone = '''\nUTC'''\nevery = 1\n":                                            `f:4: unknown key "every"`,
		"sinks = [\n # x\n { nme = \"b\", name = \"b\", type = \"ping\", url_env = \"U\" }]\n": `f:3: unknown key "nme"`,
		"[watch] # [x]\n\n\"every\" = 1\n":                                                     "f:3: every",
		"alerts.conditions.stale.share = 1":                                                    `f:1: unknown key "share"`,
		"[[sinks]]\n[[sinks]]\nname = 3\n[watch]\nevery = 1":                                   "f:1: name: a sink needs a name\nf:1: type: a sink needs a type: slack, webhook, email, command, ping\nf:2: type",
	} {
		if _, err := Parse("f", []byte(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestParseWarns(t *testing.T) {
	for text, want := range map[string]string{
		sinkOf("slack", "url = \"https://hooks.slack.com/services/CANARY\"\n"):        "line 4: url: the URL is a secret",
		sinkOf("ping", "url = \"https://hc.example/0f9d7a2c-6d0a-4c1d-CANARY\"\n"):    "line 4: url: the URL is a secret",
		sinkOf("webhook", "url = \"http://hooks.example.com/in\"\n"):                  "line 4: url: http is not encrypted",
		"[watch]\nlisten = \"0.0.0.0:9477\"\n":                                        "line 2: listen: other machines",
		"[watch]\nlisten = \":9477\"\n":                                               "line 2: listen: other machines",
		"[watch]\nlisten = \"[::1]:9477\"\n":                                          "",
		"[watch]\nlisten = \"localhost:9477\"\n":                                      "",
		sinkOf("webhook", "url = \"http://127.0.0.1:8080/in\"\n"):                     "",
		sinkOf("webhook", "url = \"https://hooks.example.com/in\"\n"):                 "",
		sinkOf("webhook", "url = \"http://10.0.0.7/in\"\nsecret_env = \"S\"\n"):       "",
		sinkOf("webhook", "url_env = \"U\"\nsecret_env = \"S\"\nper_minute = 600\n"):  "",
		"[workspaces.default]\nevery = \"15m\"\n":                                     "",
		"[alerts]\nzone = \"UTC\"\ndigest = \"off\"\nremind_times = 0\nconditions={}": "",
	} {
		c, err := Parse("f", []byte(text))
		if err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if got := strings.Join(c.Warnings, "\n"); want == "" && got != "" || !strings.HasPrefix(got, want) || strings.Contains(got, "CANARY") {
			t.Errorf("%q: %q", text, got)
		}
		for _, s := range c.Settings {
			if strings.Contains(s.Value, "CANARY") {
				t.Errorf("%+v", s)
			}
		}
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90s": 90 * time.Second, "15m": 15 * time.Minute, "1h30m": 90 * time.Minute, "7d": 7 * day, "2w": 14 * day, "1w2d3h": 9*day + 3*time.Hour, "1.5h": 90 * time.Minute, "0s": 0,
	} {
		got, err := ParseDuration(text)
		if err != nil || got != want {
			t.Errorf("%s is %v, %v", text, got, err)
		}
		if again, err := ParseDuration(FormatDuration(got)); err != nil || again != got {
			t.Errorf("%s is %s, which is %v, %v", text, FormatDuration(got), again, err)
		}
	}
	for _, text := range []string{"", "15", "m", "-1h", "1d-1h", "1 d", "d", "1y", "+1h", "9999999h9999999999h", "1d1d", "99999999d", "9999w99999d", "36500d2500000h"} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}

// FuzzConfig: no bytes make it panic; no error, setting or warning repeats the key; an
// error names a line that is there; what is understood keeps its promises.
func FuzzConfig(f *testing.F) {
	const secret = "s3cr3tK3yCanary"
	f.Add(whole)
	for _, text := range []string{
		"", "[workspaces.KEY]\ntoken_env = \"KEY\"", "KEY = 1", "[workspaces]\nKEY = \"KEY\"", "[workspaces.\"a-KEY\"]\nx.KEY = {KEY = [\"KEY\"]}",
		"[alerts.conditions.KEY]\nfor = \"KEY\"", "[alerts]\nzone = \"KEY\"\ndigest = \"KEY\"", "[alerts]\nzone = KEY", "[[sinks.KEY]]\n[sinks]", "[[sinks]]\nname = \"KEY",
		sinkOf("slack", "url = \"https://a.b/KEY\""), sinkOf("KEY", "KEY = 1"), sinkOf("command", "command = [\"a\", \"KEY\"]"), sinkOf("slack", "workspaces = [\"KEY\"]\nconditions = [\"KEY\"]\nurl_env=\"U\""),
		"sinks = [[[[{KEY=1}]]]]", "sinks = [1, {a.b.c = 1}, # x\n]", "[[a.b]]\n[a.b.c]\n[[a.b]]", "[watch]\nlisten = \"KEY\"\nevery = 1979-05-27", "\xff\xfeK", "[watch]\r\nevery\r\n", "[a]\n[a.b]\n[a]",
		"x = \"\"\"\nKEY\n\"\"\"\n[watch]\nevery = 0x1", "[alerts.conditions.limit_nearly_used]\nshare = inf",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ReplaceAll(text, "KEY", secret)
		c, err := Parse("f.toml", []byte(text))
		if err != nil {
			wrong, ok := errors.AsType[*Error](err)
			if !ok || len(wrong.Problems) == 0 || strings.Contains(err.Error(), secret) {
				t.Fatalf("%v", err)
			}
			for _, p := range wrong.Problems {
				if p.Line < 1 && len(wrong.Problems) > 1 || p.Line > 1+strings.Count(text, "\n") || !printable(p.Message) {
					t.Fatalf("line %d: %q", p.Line, p.Message)
				}
			}
			return
		}
		names := map[string]bool{}
		for _, s := range c.Sinks {
			if CheckName(s.Settings.Name) != nil || names[s.Settings.Name] || s.Settings.Type == "" {
				t.Fatalf("%+v", s)
			}
			names[s.Settings.Name] = true
		}
		for name, w := range c.Workspaces {
			if CheckName(name) != nil || w.Every < 0 || w.Token == (Reference{}) && name != DefaultWorkspace {
				t.Fatalf("%q: %+v", name, w)
			}
		}
		for _, s := range c.Settings {
			if !printable(s.Key+s.Value) || s.Line < 0 || s.Line > 1+strings.Count(text, "\n") {
				t.Fatalf("%+v", s)
			}
		}
	})
}
