package main

import (
	"encoding/json"
	"fmt"
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

	"github.com/google/go-cmp/cmp"

	"github.com/lobstrail/lobstrail/cmd/lobstrail/config"
	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/alert"
	"github.com/lobstrail/lobstrail/report/notify"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// queueMessages stores messages to sinks in a store, as an evaluation would.
func queueMessages(t *testing.T, db, workspace string, n int, sinks ...string) {
	t.Helper()
	s, _, err := sqlite.OpenWriter(t.Context(), db, sqlite.Options{Now: time.Now, Rules: report.Rules()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	run, err := s.Begin(t.Context(), workspace, store.ScopeAll)
	if err == nil {
		err = run.Finish(t.Context(), store.Outcome{State: store.Interrupted})
	}
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		body := alert.Body{Version: 1, ID: fmt.Sprintf("%s-%d", workspace, i), Workspace: workspace, Event: alert.Fired, Condition: store.RunFailed,
			Run: run.ID(), At: time.Now(), Summary: "a run failed", Items: []alert.Item{}}
		raw, err := json.Marshal(body)
		if err == nil {
			err = s.SaveMessages(t.Context(), store.Message{ID: body.ID, Workspace: workspace, Event: "fired", Condition: body.Condition, Run: body.Run,
				At: body.At, Body: raw, Sinks: sinks})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// hook is a webhook's server. It notes the ids of what it took, in their order.
type hook struct {
	*httptest.Server
	mu     sync.Mutex
	taken  []string
	status int
}

func newHook(t *testing.T) *hook {
	h := &hook{status: 200}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		h.mu.Lock()
		defer h.mu.Unlock()
		if w.WriteHeader(h.status); h.status == 200 {
			h.taken = append(h.taken, r.Header.Get("Idempotency-Key"))
		}
	}))
	t.Cleanup(h.Close)
	return h
}

const hookConfig = `
[workspaces.acme]
token_env = "K1"
[workspaces.globex]
token_env = "K2"
[[sinks]]
name = "ops"
type = "webhook"
url_env = "OPS_URL"
secret_env = "OPS_SECRET"
`

func writeConfig(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestAlertsDeliver(t *testing.T) {
	h, db := newHook(t), filepath.Join(t.TempDir(), "store.db")
	vars := map[string]string{"LOBSTRAIL_DB": db, "OPS_URL": h.URL + "/canary-token", "OPS_SECRET": "canary-secret", "LOBSTRAIL_CONFIG": writeConfig(t, hookConfig)}
	deliver := func(wantCode int, wantOut, wantErr string, args ...string) {
		t.Helper()
		code, out, stderr := inProcess(vars, append([]string{"alerts", "deliver"}, args...)...)
		if code != wantCode || !regexp.MustCompile("^"+wantOut+"$").MatchString(out) || !regexp.MustCompile("^(?s:"+wantErr+")$").MatchString(stderr) {
			t.Errorf("%v: exit %d\n%s%s", args, code, out, stderr)
		}
		if strings.Contains(out+stderr, "canary") {
			t.Errorf("a secret is shown: %s%s", out, stderr)
		}
	}
	deliver(exitNoStore, "", ".*no store\n.*\n")
	queueMessages(t, db, "acme", 2, "ops")
	queueMessages(t, db, "globex", 1, "ops", "old")
	h.status = 503
	deliver(exitFailed, "", "lobstrail: sink ops: answered 503 Service Unavailable; 2 messages wait, the next try is at 20[0-9: -]+\n\"lobstrail alerts\" shows what waits.*\n", "--workspace", "acme", "--quiet")
	h.status = 200 // the back-off does not hold for who asks
	deliver(exitDone, `\[
\{"sink":"old","delivered":0,"failed":0,"waiting":0,"dropped":1,"next_at":null,"error":null\},
\{"sink":"ops","delivered":1,"failed":0,"waiting":0,"dropped":0,"next_at":null,"error":null\}
\]
`, "", "--workspace", "globex", "--json")
	deliver(exitDone, "sink ops: 2 messages delivered\n", "")
	if got := fmt.Sprint(h.taken); got != "[globex-0 acme-0 acme-1]" {
		t.Error(got)
	}
}

func TestAlertsDeliverWithoutItsSecret(t *testing.T) {
	h, db := newHook(t), filepath.Join(t.TempDir(), "store.db")
	queueMessages(t, db, "acme", 2, "ops")
	vars := map[string]string{"LOBSTRAIL_DB": db, "OPS_SECRET": "s", "LOBSTRAIL_CONFIG": writeConfig(t, hookConfig)}
	code, out, stderr := inProcess(vars, "alerts", "deliver")
	if code != exitFailed || out != "" || !strings.Contains(stderr, "sink ops: the variable OPS_URL is not set") || !strings.Contains(stderr, "2 messages wait") {
		t.Errorf("exit %d %s%s", code, out, stderr)
	}
	vars["OPS_URL"] = h.URL
	code, out, stderr = inProcess(vars, "alerts", "deliver")
	if code != exitDone || out != "sink ops: 2 messages delivered\n" || stderr != "" {
		t.Errorf("exit %d %s%s", code, out, stderr)
	}
	if code, out, _ := inProcess(vars, "alerts", "deliver"); code != exitDone || out != "No message waits.\n" {
		t.Errorf("exit %d %s", code, out)
	}
}

// Without a configuration, nothing is dropped: it is more likely not found than empty.
func TestAlertsDeliverWithoutSinks(t *testing.T) {
	db := filepath.Join(t.TempDir(), "store.db")
	queueMessages(t, db, "acme", 1, "ops")
	code, _, stderr := inProcess(map[string]string{"LOBSTRAIL_DB": db}, "alerts", "deliver")
	if code != exitFailed || !strings.Contains(stderr, "1 message waits") || !strings.Contains(stderr, "no sink is configured") {
		t.Errorf("exit %d %s", code, stderr)
	}
}

func TestAlertsTest(t *testing.T) {
	h := newHook(t)
	vars := map[string]string{"OPS_URL": h.URL + "/canary-token", "OPS_SECRET": "canary-secret", "LOBSTRAIL_CONFIG": writeConfig(t, hookConfig)}
	for _, test := range []struct {
		status, code int
		args         string
		want         string
	}{
		{200, exitDone, "ops", "Sent a test message to the sink ops.\n"},
		{200, exitDone, "ops --quiet", ""},
		{200, exitDone, "ops --json", `"delivered": true`},
		{500, exitFailed, "ops", "lobstrail: sink ops: answered 500 Internal Server Error\ncheck the URL"},
		{500, exitFailed, "ops --json", `"error": "answered 500 Internal Server Error"`},
		{200, exitUsage, "opps", "lobstrail: there is no sink \"opps\"\nthe sinks of the configuration are: ops\n"},
		{200, exitUsage, "", "alerts test needs a SINK"},
	} {
		h.status = test.status
		code, out, stderr := inProcess(vars, append([]string{"alerts", "test"}, strings.Fields(test.args)...)...)
		if code != test.code || !strings.Contains(out+stderr, test.want) || test.want == "" && out+stderr != "" {
			t.Errorf("%s: exit %d %s%s", test.args, code, out, stderr)
		}
		if strings.Contains(out+stderr, "canary") {
			t.Errorf("a secret is shown: %s%s", out, stderr)
		}
	}
	if len(h.taken) != 3 || h.taken[0] == h.taken[1] || len(h.taken[0]) != 32 {
		t.Error(h.taken)
	}
	vars["OPS_URL"] = "canary"
	if code, _, stderr := inProcess(vars, "alerts", "test", "ops"); code != exitUsage || !strings.Contains(stderr, "the variable OPS_URL: a URL is expected") || strings.Contains(stderr, "canary") {
		t.Errorf("exit %d %s", code, stderr)
	}
	if code, _, stderr := inProcess(nil, "alerts", "test", "ops"); code != exitUsage || !strings.Contains(stderr, `there is no sink "ops": none is configured`) {
		t.Errorf("exit %d %s", code, stderr)
	}
}

// A ping follows each run: after one that was not complete, it goes to URL/fail.
func TestSnapshotPings(t *testing.T) {
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked = append(asked, r.URL.String()) }))
	defer server.Close()
	world := nowWorld()
	addCrowd(world, 3)
	api := serve(t, world)
	h := newHome(t).asks(api, lobstrtest.DefaultToken)
	h.vars["PING_URL"] = server.URL + "/uuid?rid=1"
	h.vars["LOBSTRAIL_CONFIG"] = writeConfig(t, "[[sinks]]\nname = \"heartbeat\"\ntype = \"ping\"\nurl_env = \"PING_URL\"\n")
	h.must(exitDone, "snapshot", "--quiet")
	api.Inject(lobstrtest.FaultNamed("http-401-current"), lobstrtest.When{})
	h.must(exitKey, "snapshot", "--quiet")
	if want := []string{"/uuid?rid=1", "/uuid/fail?rid=1"}; !slices.Equal(asked, want) {
		t.Errorf("%v, want %v", asked, want)
	}
}

func TestAlertsTestProposesTheSinks(t *testing.T) {
	vars := map[string]string{"LOBSTRAIL_CONFIG": writeConfig(t, hookConfig)}
	if _, out, _ := inProcess(vars, "__complete", "alerts", "test", ""); !strings.HasPrefix(out, "ops\n") {
		t.Error(out)
	}
}

// TestHelpSinksExamplesWork makes the sinks of the topic, and checks what it says of the
// webhook.
func TestHelpSinksExamplesWork(t *testing.T) {
	text := findTopic("sinks").text
	examples, kinds := blocks(text, "toml"), []string{}
	a := newApp(&environment{getenv: func(string) string { return "https://example.com/secret" }})
	for _, example := range examples {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "heartbeat.url"), []byte("https://example.com/x\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := config.Parse(filepath.Join(dir, "config.toml"), []byte(example))
		if err != nil {
			t.Fatal(err)
		}
		sinks, broken := a.makeSinks(t.Context(), c, c.Sinks)
		if len(sinks) != 1 || len(broken) > 0 {
			t.Errorf("%s: %v", example, broken)
		}
		kinds = append(kinds, c.Sinks[0].Settings.Type)
	}
	if diff := cmp.Diff(notify.Types, kinds); diff != "" {
		t.Error(diff)
	}
	for _, document := range blocks(text, "json") {
		decoder := json.NewDecoder(strings.NewReader(document))
		decoder.DisallowUnknownFields()
		var body alert.Body
		if err := decoder.Decode(&body); err != nil {
			t.Error(err)
		}
		again, err := json.Marshal(body)
		if compact := regexp.MustCompile(`\s*\n\s*|(": |, )`); err != nil || len(again) < len(compact.ReplaceAllString(document, ""))*9/10 {
			t.Errorf("the example lacks members: %s %v", again, err)
		}
		checkPython(t, blocks(text, "python"), again)
	}
}

// checkPython runs the example for receivers on a signed body, and on one that was changed.
func checkPython(t *testing.T, examples []string, body []byte) {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("python3 is missing, and CI is set")
		}
		t.Skip("no python3 here: nobody runs the example for receivers")
	}
	program := strings.Join(examples, "\n") + "\nimport sys\nbody = sys.stdin.buffer.read()\n" +
		"print(genuine('secret', sys.argv[1], body), genuine('secret', sys.argv[1], body + b' '), genuine('other', sys.argv[1], body))\n"
	cmd := exec.Command(python, "-c", program, notify.Sign("secret", time.Now(), body))
	cmd.Stdin = strings.NewReader(string(body))
	if out, err := cmd.CombinedOutput(); err != nil || string(out) != "True False False\n" {
		t.Errorf("%v: %s", err, out)
	}
}
