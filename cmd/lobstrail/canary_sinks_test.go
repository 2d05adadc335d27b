package main

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
)

// The secrets of sinks that must come out nowhere.
var sinkSecrets = map[string]string{
	"SLACK_URL": "canary/T0K3N-slack", "OPS_URL": "canary/T0K3N-ops?key=canary-Qu3ry", "OPS_SECRET": "canary-HM4C+secret", "PING_URL": "canary/T0K3N-ping",
	"MAIL_PASSWORD": "canary-P4ss=word",
}

// sinkDisguises are what a leak of a secret of a sink, or of the key, would look like.
func sinkDisguises() map[string][]byte {
	found := disguises()
	for name, secret := range sinkSecrets {
		for _, part := range strings.FieldsFunc(secret, func(r rune) bool { return r == '/' || r == '?' }) {
			if part == "canary" {
				continue
			}
			found[name+" "+part] = []byte(part)
			found[name+" hex "+part] = []byte(hex.EncodeToString([]byte(part)))
			code := base64.RawStdEncoding.EncodeToString([]byte(part))
			found[name+" base64 "+part] = []byte(code[:len(code)-2])
		}
	}
	return found
}

const canaryConfig = `
[[sinks]]
name = "slack"
type = "slack"
url_env = "SLACK_URL"
[[sinks]]
name = "ops"
type = "webhook"
url_env = "OPS_URL"
secret_env = "OPS_SECRET"
[[sinks]]
name = "mail"
type = "email"
server = "127.0.0.1:1"
user = "lobstrail"
password_env = "MAIL_PASSWORD"
from = "a@example.com"
to = ["b@example.com"]
[[sinks]]
name = "pager"
type = "command"
command = ["sh", "-c", "cat > message.json; env > env.txt; tr '\\0' ' ' < /proc/$PPID/cmdline > line.txt"]
[[sinks]]
name = "heartbeat"
type = "ping"
url_env = "PING_URL"
`

// TestTheSecretsOfSinksAreNowhere has sinks that fail, and servers that repeat what they were
// asked. The secrets are in no file, in nothing that is printed, in no process list, and
// not in the environment of a command.
func TestTheSecretsOfSinksAreNowhere(t *testing.T) {
	if _, err := os.Stat("/proc/self/cmdline"); err != nil {
		t.Skip("no /proc here")
	}
	t.Parallel()
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", r.URL.String())
		http.Error(w, "Cannot "+r.Method+" "+r.URL.String()+r.Header.Get("Lobstrail-Signature"), http.StatusNotFound)
	}))
	defer echo.Close()
	world := nowWorld()
	ids := addCrowd(world, 5)
	server := serve(t, world)
	server.AddWorkspace(canary, world)
	h := newHome(t).asks(server, canary)
	for name, secret := range sinkSecrets {
		if strings.HasSuffix(name, "_URL") {
			secret = echo.URL + "/" + secret
		}
		h.vars[name] = secret
	}
	h.vars["LOBSTRAIL_CONFIG"] = writeConfig(t, canaryConfig)
	var told []outcome
	run := func(code int, args ...string) outcome {
		o := h.must(code, args...)
		told = append(told, o)
		return o
	}
	run(exitDone, "snapshot")
	happen(world, lobstrtest.Expire(ids[0]))
	if o := run(exitDone, "snapshot", "--verbose"); strings.Count(o.stderr, "answered 404 Not Found") != 3 || !strings.Contains(o.stderr, "sink mail: connection refused") {
		t.Errorf("the sinks did not fail as expected: %s", o)
	}
	run(exitFailed, "alerts", "deliver", "--json")
	for _, sink := range []string{"slack", "ops", "mail", "heartbeat"} {
		run(exitFailed, "alerts", "test", sink)
		h.vars["OPS_URL"], h.vars["SLACK_URL"], h.vars["PING_URL"] = "https://no-such-name.invalid/T0K3N-ops", "http://127.0.0.1:1/T0K3N-slack", "http://T0K3N-ping.invalid:99999/"
	}
	run(exitFailed, "alerts", "test", "heartbeat") // whose port is none
	for _, args := range [][]string{{"alerts", "--all", "--json"}, {"sql", "SELECT * FROM deliveries", "--json"}, {"config", "check"}, {"runs"}, {"verify"}} {
		told = append(told, h.run(args...))
	}
	for _, o := range told {
		searchFor(t, h.dir, o, sinkDisguises())
	}
	for file, want := range map[string]string{"message.json": `"event":"fired"`, "env.txt": "PATH=", "line.txt": "lobstrail snapshot"} {
		if raw, err := os.ReadFile(filepath.Join(h.dir, file)); err != nil || !strings.Contains(string(raw), want) {
			t.Errorf("%s: %s, %v", file, raw, err)
		}
	}
	probe := &recorder{TB: t}
	searchFor(probe, h.dir, outcome{stderr: fmt.Sprint(time.Now(), h.vars["SLACK_URL"])}, sinkDisguises())
	if probe.errors == 0 {
		t.Error("a secret that is printed is not found")
	}
}
