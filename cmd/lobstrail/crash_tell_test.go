package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/report/alert"
	"github.com/lobstrail/lobstrail/report/notify"
)

// listener is the server of a webhook. It accepts messages, unless it is set to misbehave.
type listener struct {
	t      *testing.T
	mu     sync.Mutex
	rng    *rand.Rand
	moody  bool
	order  []string                // ids, as they arrived first
	bodies map[string][]alert.Body // each time that one arrived, taken or not
	taken  map[string]bool         // those that were answered with 200
	digest map[string][32]byte
	double int
}

func newListener(t *testing.T, seed uint64, moody bool) (*listener, string) {
	l := &listener{t: t, rng: rand.New(rand.NewPCG(seed, 1)), moody: moody, bodies: map[string][]alert.Body{}, taken: map[string]bool{}, digest: map[string][32]byte{}}
	server := httptest.NewServer(http.HandlerFunc(l.serve))
	t.Cleanup(server.Close)
	return l, server.URL + "/canary-url-token"
}

func (l *listener) serve(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return // killed in the midst of it
	}
	mood := 0
	l.mu.Lock()
	if l.moody {
		mood = l.rng.IntN(9)
	}
	l.mu.Unlock()
	switch mood {
	case 1:
		w.WriteHeader(http.StatusInternalServerError)
		return
	case 2:
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
		return
	case 3:
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
		return
	case 4:
		<-r.Context().Done() // hangs
		return
	case 5:
		l.note(r, raw, false)
		panic(http.ErrAbortHandler) // takes it, and drops the connection
	}
	l.note(r, raw, true)
	time.Sleep(5 * time.Millisecond) // kills that fall here make it arrive twice
}

// note checks a message that arrived, and keeps it.
func (l *listener) note(r *http.Request, raw []byte, taken bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var body alert.Body
	var at int64
	id, signature := r.Header.Get("Idempotency-Key"), r.Header.Get(notify.SignatureHeader)
	if err := json.Unmarshal(raw, &body); err != nil || body.ID != id || id == "" {
		l.t.Errorf("message %q: %s, %v", id, raw, err)
	}
	if _, err := fmt.Sscanf(signature, "t=%d,", &at); err != nil || notify.Sign("canary-hmac-secret", time.Unix(at, 0), raw) != signature {
		l.t.Errorf("message %q has the signature %q", id, signature)
	}
	digest := sha256.Sum256(raw)
	if before, again := l.digest[id]; again {
		if l.double++; before != digest {
			l.t.Errorf("message %s is another one the second time: %s", id, raw)
		}
	} else {
		l.order = append(l.order, id)
	}
	l.digest[id] = digest
	l.bodies[id] = append(l.bodies[id], body)
	l.taken[id] = l.taken[id] || taken
}

func (l *listener) behave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.moody = false
}

// told counts how often each account was told to have expired and recovered: once for each
// message, however often that arrived.
func (l *listener) told() map[string]int {
	counts := map[string]int{}
	for _, bodies := range l.bodies {
		for _, item := range bodies[0].Items {
			counts[string(bodies[0].Event)+" "+item.Username]++
		}
	}
	return counts
}

const tellConfig = `
[[sinks]]
name = "good"
type = "webhook"
url_env = "GOOD_URL"
secret_env = "SECRET"
conditions = ["account_expired"]
per_minute = 600
[[sinks]]
name = "moody"
type = "webhook"
url_env = "MOODY_URL"
secret_env = "SECRET"
conditions = ["account_expired"]
per_minute = 600
timeout = "200ms"
[[sinks]]
name = "file"
type = "command"
command = ["tee", "-a", "told.ndjson"]
conditions = ["account_expired"]
per_minute = 600
`

// TestKilledBetweenEvaluationAndDelivery kills snapshots and deliveries at random instants
// from the answer of the API on, while accounts expire and recover. In the end each has
// been told to each sink, and what arrived twice has the same id and the same body.
func TestKilledBetweenEvaluationAndDelivery(t *testing.T) {
	t.Parallel()
	kills := fewer(20, 5)
	if *long {
		kills = 300
	}
	seed := uint64(os.Getpid())
	rng := rand.New(rand.NewPCG(seed, 3))
	world := nowWorld()
	ids := addCrowd(world, 12)
	server := serve(t, world)
	good, goodURL := newListener(t, seed, false)
	moody, moodyURL := newListener(t, seed+1, true)
	h := newHome(t).asks(server, lobstrtest.DefaultToken)
	h.vars["GOOD_URL"], h.vars["MOODY_URL"], h.vars["SECRET"] = goodURL, moodyURL, "canary-hmac-secret"
	h.vars["LOBSTRAIL_CONFIG"] = writeConfig(t, tellConfig)
	h.must(exitDone, "snapshot")
	expired, cut, undelivered := map[string]bool{}, 0, 0
	var outputs []outcome
	for kill := range kills {
		flip := ids[rng.IntN(len(ids))]
		if expired[flip] = !expired[flip]; expired[flip] {
			happen(world, lobstrtest.Expire(flip))
		} else {
			happen(world, lobstrtest.Resync(flip))
		}
		o := h.killedSoon(t, server, rng, kill%4 == 3)
		outputs = append(outputs, o)
		if o.code == -1 {
			cut++
		}
		if h.waiting(t) > 0 {
			undelivered++
		}
	}
	moody.behave()
	h.must(exitDone, "snapshot")
	h.waiting(t)
	began := time.Now()
	h.must(exitDone, "alerts", "deliver")
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("the delivery took %v", took)
	}
	h.must(exitDone, "verify")
	checkTold(t, h, good, moody)
	for _, o := range outputs {
		searchFor(t, filepath.Dir(h.db), o, map[string][]byte{"a URL token": []byte("canary-url"), "the HMAC secret": []byte("canary-hmac")})
	}
	t.Logf("%d kills, %d of them before the end, %d with messages that waited; %d messages; twice: %d at the sink that works, %d at the one that does not",
		kills, cut, undelivered, len(good.order), good.double, moody.double)
}

// killedSoon kills a snapshot at a random instant after it has asked the API, or a delivery at
// a random instant. It may have ended by itself before.
func (h *home) killedSoon(t *testing.T, server *lobstrtest.Server, rng *rand.Rand, delivery bool) outcome {
	t.Helper()
	args := []string{"snapshot"}
	if delivery {
		args = []string{"alerts", "deliver"}
	}
	server.ResetRequests()
	cmd := h.command(args...)
	end := begin(t, cmd)
	for began := time.Now(); !delivery && server.Count(lobstrtest.List) == 0 && time.Since(began) < patience; {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(time.Duration(rng.IntN(150_000)) * time.Microsecond)
	cmd.Process.Kill()
	return end()
}

// waiting returns how many deliveries wait, and lets the time pass after which they are
// tried again.
func (h *home) waiting(t *testing.T) (n int) {
	t.Helper()
	db := openRaw(t, h.db)
	defer db.Close()
	err := db.QueryRow(`SELECT count(*) FROM delivery WHERE state = 'waiting'`).Scan(&n)
	if err == nil {
		_, err = db.Exec(`UPDATE delivery SET next_at = 1 WHERE next_at IS NOT NULL`)
	}
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// queued lists the ids of all messages, the oldest first.
func (h *home) queued(t *testing.T) (ids []string) {
	t.Helper()
	db := openRaw(t, h.db)
	defer db.Close()
	var list string
	if err := db.QueryRow(`SELECT json_group_array(id) FROM (SELECT id FROM message ORDER BY n)`).Scan(&list); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(list), &ids); err != nil || len(ids) == 0 {
		t.Fatal(list, err)
	}
	return ids
}

// checkTold compares what arrived with what the store has on record.
func checkTold(t *testing.T, h *home, listeners ...*listener) {
	t.Helper()
	var changes []struct{ Username, Became, Was string }
	h.read(&changes, "sql", "SELECT username, became, health_before AS was FROM status_changes WHERE became IS NOT NULL AND run > 1 ORDER BY before")
	want := map[string]int{}
	for _, c := range changes {
		switch {
		case c.Became == "expired":
			want["fired "+c.Username]++
		case c.Was == "expired":
			want["recovered "+c.Username]++
		}
	}
	queued := h.queued(t)
	for i, l := range listeners {
		if told := l.told(); fmt.Sprint(told) != fmt.Sprint(want) {
			t.Errorf("sink %d was told\n%v, want\n%v", i, told, want)
		}
		for _, id := range queued {
			if !l.taken[id] {
				t.Errorf("message %s is lost", id)
			}
		}
		if i == 0 && !slices.Equal(l.order, queued) {
			t.Errorf("arrived in the order\n%v, want\n%v", l.order, queued)
		}
	}
	raw, err := os.ReadFile(filepath.Join(h.dir, "told.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range queued {
		if !strings.Contains(string(raw), id) {
			t.Errorf("the command was not told of %s", id)
		}
	}
}
