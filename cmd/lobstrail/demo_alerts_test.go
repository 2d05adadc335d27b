package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rivo/uniseg"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/report/alert"
	"github.com/lobstrail/lobstrail/store"
)

// inbox is a server that keeps what it is sent.
type inbox struct {
	*httptest.Server
	mu     sync.Mutex
	bodies []string
}

func newInbox(t *testing.T, status int) *inbox {
	in := &inbox{}
	in.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		in.mu.Lock()
		in.bodies = append(in.bodies, string(body))
		in.mu.Unlock()
		w.WriteHeader(status)
	}))
	t.Cleanup(in.Close)
	return in
}

// TestTheDemoListsItsAlerts: those of the story are there, at the time of the batch that
// noticed them.
func TestTheDemoListsItsAlerts(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	db := filepath.Join(h.dir, "demo.db")
	o := within(80, h.vars, "demo", "--alerts", "--db", db)
	if o.code != exitDone || !strings.Contains(o.stderr, "lobstrail alerts --db "+db) {
		t.Fatal(o)
	}
	for _, want := range []string{
		`22:00 fired: X account trendwatch_eu expired between 20:00 and 22:00`,
		`10:00 recovered: X account trendwatch_eu works again`,
		`06:00 reminder: Still: X account kofi_reads_news expired`,
		`18:00 fired: LinkedIn account marco.rinaldi was deleted between`,
		`22:00 fired: Facebook account Nina Petrova expired between 20:00 and 22:00`,
		`16 messages in two weeks, by the default rules. Times are UTC.`,
	} {
		if text := strings.Join(strings.Fields(plain(o.stdout)), " "); !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, o.stdout)
		}
	}
	for line := range strings.Lines(plain(o.stdout)) {
		if width := uniseg.StringWidth(strings.TrimSpace(line)); width > 80 {
			t.Errorf("a line of %d: %q", width, line)
		}
	}
	if open := within(0, h.vars, "alerts", "--db", db); !strings.Contains(open.stdout, "Nina Petrova") || strings.Contains(open.stdout, "trendwatch_eu") {
		t.Errorf("the alerts that the demo leaves: %s", open)
	}
}

func TestTheDemoGivesProgramsItsMessages(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	o := within(0, h.vars, "demo", "--alerts", "--json", "--quiet")
	var sent []alert.Body
	if err := json.Unmarshal([]byte(o.stdout), &sent); err != nil || o.code != exitDone || o.stderr != "" || len(sent) != 16 {
		t.Fatalf("%d messages, %v: %s", len(sent), err, o)
	}
	last := sent[len(sent)-1]
	if last.Condition != store.AccountExpired || last.Event != alert.Fired || last.Items[0].Username != "Nina Petrova" || last.Items[0].Fix == "" {
		t.Errorf("%+v", last)
	}
	if gone := slices.IndexFunc(sent, func(b alert.Body) bool { return b.Condition == store.AccountExpired }); sent[gone].Items[0].Squids[0].NextLaunchAt == nil {
		t.Errorf("no next launch: %+v", sent[gone])
	}
}

// TestTheDemoSendsOneMessageOfEachKind to the sinks that want it, and to no ping.
func TestTheDemoSendsOneMessageOfEachKind(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	all, some, ping := newInbox(t, 200), newInbox(t, 200), newInbox(t, 200)
	config := "[[sinks]]\nname = 'all'\ntype = 'webhook'\nurl = '" + all.URL + "'\n" +
		"[[sinks]]\nname = 'some'\ntype = 'webhook'\nurl = '" + some.URL + "'\nconditions = ['account_gone']\n" +
		"[[sinks]]\nname = 'alive'\ntype = 'ping'\nurl = '" + ping.URL + "'\n"
	file := filepath.Join(h.dir, "config.toml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	o := within(0, h.vars, "demo", "--alerts", "--send", "--config", file)
	if o.code != exitDone || !strings.Contains(o.stderr, "Sent 5 messages to the sink all.\nSent 1 message to the sink some.\n") {
		t.Fatal(o)
	}
	if strings.Contains(o.stderr, "alive") {
		t.Errorf("a ping was told of alerts: %s", o)
	}
	kinds, last := map[store.Condition]string{}, time.Time{}
	for _, raw := range all.bodies {
		var body alert.Body
		if err := json.Unmarshal([]byte(raw), &body); err != nil || body.Event != alert.Fired || kinds[body.Condition] != "" || !strings.HasPrefix(body.Summary, "Demo: ") || body.At.Before(last) {
			t.Errorf("%v: %s", err, raw)
		}
		last = body.At
		kinds[body.Condition] = body.Items[0].Username
	}
	if len(kinds) != 5 || kinds[store.AccountExpired] != "Nina Petrova" || len(some.bodies) != 1 || len(ping.bodies) != 0 {
		t.Errorf("%v, %d, %d", kinds, len(some.bodies), len(ping.bodies))
	}
}

func TestTheDemoSaysWhatItCannotSend(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	broken := newInbox(t, 500)
	file := filepath.Join(h.dir, "config.toml")
	for name, test := range map[string]struct {
		config string
		args   []string
		code   int
		want   string
	}{
		"without --alerts": {"", []string{"demo", "--send"}, exitUsage, "--send belongs to --alerts"},
		"no sink":          {"", []string{"demo", "--alerts", "--send"}, exitUsage, "none is configured"},
		"a missing secret": {"[[sinks]]\nname = 'ops'\ntype = 'slack'\nurl_env = 'NOT_SET'\n", []string{"demo", "--alerts", "--send"},
			exitUsage, "sink ops: the variable NOT_SET is not set"},
		"a sink that fails": {"[[sinks]]\nname = 'ops'\ntype = 'webhook'\nurl = '" + broken.URL + "'\n", []string{"demo", "--alerts", "--send"},
			exitFailed, "sink ops: "},
	} {
		if err := os.WriteFile(file, []byte(test.config), 0o600); err != nil {
			t.Fatal(err)
		}
		o := within(0, h.vars, append(test.args, "--config", file)...)
		if o.code != test.code || !strings.Contains(o.stderr, test.want) {
			t.Errorf("%s: %s", name, o)
		}
	}
	if len(broken.bodies) != 1 {
		t.Errorf("%d messages to a sink that fails", len(broken.bodies))
	}
}

// TestReadmeLeadsToASlackMessage does what the README says, with nothing but what it says,
// up to the message that an account of the demo expired.
func TestReadmeLeadsToASlackMessage(t *testing.T) {
	t.Parallel()
	_, text, found := strings.Cut(readme(t), "\n## Install\n")
	text, _, _ = strings.Cut(text, "\n## Every day\n")
	config := blocks(text, "toml")
	if !found || len(config) != 1 || !strings.Contains(config[0], "~/.config/lobstrail/config.toml") {
		t.Fatalf("the section does not have what it needs:\n%s", text)
	}
	world := lobstrtest.NewWorld(lobstrtest.NewClock(time.Now().UTC()))
	world.Add(lobstrtest.Account{Username: "ada", Type: lobstrtest.LinkedIn})
	h, slack, server := newHome(t), newInbox(t, 200), lobstrtest.New(t, world)
	delete(h.vars, "XDG_CONFIG_HOME") // a new user has none, and no key elsewhere
	delete(h.vars, "LOBSTR_TOKEN")
	h.vars["LOBSTR_API_BASE"] = server.URL
	followSetUp(t, h.vars["HOME"], text, map[string]string{"key": lobstrtest.DefaultToken, "slack": slack.URL + "/services/T0/B0/x"})
	if err := os.WriteFile(filepath.Join(h.vars["HOME"], ".config", "lobstrail", "config.toml"), []byte(config[0]), 0o600); err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, m := range regexp.MustCompile(`(?m)^    lobstrail (.*)$`).FindAllStringSubmatch(text, -1) {
		ran++
		h.must(exitDone, shellWords(m[1])...)
	}
	expired := func(body string) bool {
		return strings.Contains(body, "Nina Petrova") && strings.Contains(body, "expired")
	}
	if ran != 3 || len(slack.bodies) != 6 || !slices.ContainsFunc(slack.bodies, expired) {
		t.Errorf("%d commands, %d messages: %s", ran, len(slack.bodies), slack.bodies)
	}
}

// followSetUp runs the lines of the text that make folders and files in a home that has
// none, and types what each file is to have.
func followSetUp(t *testing.T, home, text string, typed map[string]string) {
	t.Helper()
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("no shell here: ", err)
	}
	for _, m := range regexp.MustCompile(`(?m)^    (mkdir .*|\(umask .*/([a-z]+)\))$`).FindAllStringSubmatch(text, -1) {
		cmd := exec.Command("sh", "-c", m[1])
		cmd.Env, cmd.Stdin = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH")}, strings.NewReader(typed[m[2]]+"\n")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", m[1], err, out)
		}
	}
}
