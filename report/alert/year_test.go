package alert_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/fetcher"
	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/alert"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// TestSimulatedYear watches 300 accounts of the fake service every 15 minutes, over HTTP
// and in a real store, through expiries, locks, deletions, outages, rotated keys, restarts
// and a clock that jumps. What the messages say is compared with what truly happened. A
// few days are played; with -long it is a year.
func TestSimulatedYear(t *testing.T) {
	days, busy := 3, 12.0
	if testing.Short() {
		days = 1
	}
	if *long {
		days, busy = 365, 1
	}
	y := newYear(t, busy)
	for n := range days * 24 * 4 {
		if n > 0 && n%(30*96) == 0 {
			t.Logf("day %d", n/96)
		}
		y.step(n)
	}
	y.finish(days)
}

// year is the simulation.
type year struct {
	*rand.Rand
	*truth
	t      *testing.T
	busy   float64 // how many times as much happens as in a usual year
	world  *lobstrtest.World
	clock  *lobstrtest.Clock
	start  time.Time
	skew   time.Duration // of the machine's clock
	path   string
	store  *sqlite.Store
	client *fetcher.Client
	wire   *wire
	rules  alert.Rules

	made    int
	squids  []string
	ids     []string       // of all accounts that exist
	rested  map[string]int // by account, the step from which something may happen to it again
	locked  map[string]time.Time
	later   map[int][]planned
	touched map[string]bool

	outage, rotation, partly, calm int // steps that are left
	waiting                        int // runs that are not evaluated yet
}

// wire is the way to the API. It can be cut.
type wire struct {
	http.RoundTripper
	status int                // what a page is answered with; 0: as it is
	from   string             // the first page that is; "": all requests
	cancel context.CancelFunc // is called instead, unless nil
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	hit := w.from == "" || r.URL.Query().Get("page") >= w.from
	switch {
	case hit && w.cancel != nil:
		w.cancel()
		return nil, context.Canceled
	case hit && w.status != 0:
		return &http.Response{
			StatusCode: w.status, Status: http.StatusText(w.status), Header: http.Header{"Content-Type": {"application/json"}},
			Body: io.NopCloser(strings.NewReader(`{"detail": "no"}`)), Request: r,
		}, nil
	}
	return w.RoundTripper.RoundTrip(r)
}

func newYear(t *testing.T, busy float64) *year {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	y := &year{
		t: t, Rand: rand.New(rand.NewPCG(14, 2026)), busy: busy, clock: lobstrtest.NewClock(start), start: start,
		path: filepath.Join(t.TempDir(), "year.db"), rested: map[string]int{}, locked: map[string]time.Time{}, later: map[int][]planned{}, touched: map[string]bool{},
		rules: alert.DefaultRules(),
	}
	y.rules.Every, y.rules.RemindTimes = 15*time.Minute, 0
	y.rules.Sinks = []alert.Subscription{{Sink: "ops"}, {Sink: "squids", Conditions: []store.Condition{store.SquidWithoutAccount, store.SquidOnLastAccount}}}
	y.truth = newTruth(y)
	y.world = lobstrtest.NewWorld(y.clock)
	y.world.Hide(lobstrtest.ListView, "icon", "cookies") // most of the bytes, and nothing that alerts are about
	for i := range 100 {
		y.squids = append(y.squids, y.world.AddSquid(fmt.Sprintf("Squid %d", i)))
	}
	for range 300 {
		a := y.account()
		if len(y.ids) < 5 {
			a.Load = 0.97
			y.loaded = append(y.loaded, a.ID)
		}
		y.world.Add(a)
		y.ids = append(y.ids, a.ID)
		y.touched[a.ID] = true
	}
	server := lobstrtest.New(t, y.world)
	y.wire = &wire{RoundTripper: http.DefaultTransport.(*http.Transport).Clone()}
	var err error
	if y.client, err = fetcher.New(fetcher.Config{
		Token: lobstrtest.DefaultToken, BaseURL: server.URL, UserAgent: "test", Transport: y.wire, Retries: new(0), Now: y.now,
	}); err != nil {
		t.Fatal(err)
	}
	y.open()
	t.Cleanup(func() { y.store.Close() })
	return y
}

// now is what the machine's clock shows.
func (y *year) now() time.Time { return y.clock.Now().Add(y.skew) }

func (y *year) must(err error) {
	y.t.Helper()
	if err != nil {
		y.t.Fatal(err)
	}
}

func (y *year) open() {
	s, _, err := sqlite.OpenWriter(context.Background(), y.path, sqlite.Options{Now: y.now, Rules: report.Rules()})
	y.must(err)
	y.store = s
}

func (y *year) account() lobstrtest.Account {
	y.made++
	a := lobstrtest.Account{
		ID: lobstrtest.ID(fmt.Sprint("year/", y.made)), Username: fmt.Sprintf("user.%04d", y.made),
		Type: lobstrtest.AccountTypes()[y.IntN(5)],
	}
	for range y.IntN(3) {
		if squid := y.squids[y.IntN(len(y.squids))]; !slices.Contains(a.Squids, squid) {
			a.Squids = append(a.Squids, squid)
		}
	}
	return a
}

// perYear reports whether something happens in this step that happens so many times in a
// usual year.
func (y *year) perYear(times float64) bool { return y.Float64() < times*y.busy/(365*24*4) }

// some is an account that nothing happened to for a while.
func (y *year) some(n int) string {
	for range 100 {
		if id := y.ids[y.IntN(len(y.ids))]; y.rested[id] <= n {
			return id
		}
	}
	return ""
}

// planned is an event that is still to happen.
type planned struct {
	id    string
	event lobstrtest.Event
}

// apply lets something happen to an account, and something else later.
func (y *year) apply(n int, id string, event lobstrtest.Event, after int, then ...lobstrtest.Event) {
	y.world.Apply(event)
	y.touched[id] = true
	y.rested[id] = n + after + 12
	for _, event := range then {
		y.later[n+after] = append(y.later[n+after], planned{id, event})
	}
}

// happen lets something happen to accounts.
func (y *year) happen(n int) {
	for _, p := range y.later[n] {
		y.world.Apply(p.event)
		y.touched[p.id] = true
	}
	delete(y.later, n)
	for id, until := range y.locked {
		if !until.After(y.clock.Now()) {
			y.touched[id] = true
			delete(y.locked, id)
		}
	}
	for _, often := range []struct {
		what  string
		times float64
	}{
		{"expire", 1800}, {"fail", 300}, {"lock", 3600}, {"sync", 200}, {"delete", 60}, {"create", 60}, {"unassign", 300}, {"assign", 300}, {"platform", 20},
	} {
		if y.perYear(often.times) {
			y.happens(n, often.what)
		}
	}
}

func (y *year) happens(n int, what string) {
	id := y.some(n)
	if id == "" {
		return
	}
	hours := func(most int) int { return 1 + y.IntN(4*most) }
	squid := y.squids[y.IntN(len(y.squids))]
	switch what {
	case "expire":
		y.apply(n, id, lobstrtest.Expire(id), hours(72), lobstrtest.Resync(id))
	case "fail":
		y.apply(n, id, lobstrtest.Fail(id, 403, "challenge_required", "A challenge."), hours(48), lobstrtest.Resync(id))
	case "sync": // a synchronisation that ends well, or with expired cookies
		end := lobstrtest.Resync(id)
		if y.IntN(3) == 0 {
			end = lobstrtest.Expire(id)
		}
		y.apply(n, id, lobstrtest.Fail(id, 110, "synchronizing", "Synchronizing."), 1+y.IntN(3), end)
	case "lock":
		most := 10
		if y.IntN(30) == 0 {
			most = 60
		}
		until := y.at(n + hours(most)).Add(7 * time.Minute)
		y.apply(n, id, lobstrtest.Lock(id, until, lobstrtest.LockISO), 0)
		y.rested[id] = n + 4*most + 12
		y.locked[id] = until
	case "delete":
		y.apply(n, id, lobstrtest.Delete(id), 0)
		y.ids = slices.DeleteFunc(y.ids, func(other string) bool { return other == id })
	case "create":
		a := y.account()
		y.apply(n, a.ID, lobstrtest.Create(a), 0)
		y.ids = append(y.ids, a.ID)
	case "unassign":
		if used := y.is[id].squids; len(used) > 0 {
			y.apply(n, id, lobstrtest.Unassign(used[0], id), hours(20), lobstrtest.Assign(used[0], id))
		}
	case "assign":
		y.apply(n, id, lobstrtest.Assign(squid, id), 0)
	case "platform":
		kind := y.IntN(5)
		for _, id := range slices.Clone(y.ids) {
			if y.rested[id] <= n && y.is[id].kind == lobstrtest.AccountTypes()[kind].Type && y.IntN(3) == 0 {
				y.apply(n, id, lobstrtest.Expire(id), hours(10), lobstrtest.Resync(id))
			}
		}
	}
}

// at is when a step begins.
func (y *year) at(n int) time.Time { return y.start.Add(time.Duration(n) * 15 * time.Minute) }

// step is a quarter of an hour.
func (y *year) step(n int) {
	if now := y.at(n); now.After(y.clock.Now()) {
		y.clock.Set(now)
	}
	y.happen(n)
	y.refresh()
	y.weather()
	if y.perYear(100) { // a restart
		y.must(y.store.Close())
		y.open()
	}
	switch {
	case y.perYear(40): // somebody else holds the store for an hour: only time passes
		y.calm = 4
	case y.perYear(60): // the process was killed as the run had begun
		_, err := y.store.Begin(context.Background(), "default", store.ScopeAll)
		y.must(err)
		y.must(y.store.Close())
		y.open()
		y.ran(runTruth{state: store.Interrupted})
	}
	if y.calm > 0 {
		y.calm--
		y.evaluate()
		return
	}
	y.run()
	if y.perYear(100) && y.waiting < 5 { // killed before the evaluation
		y.waiting++
		return
	}
	y.evaluate()
	if n%96 == 0 {
		y.must(y.store.ForgetAlerts(context.Background(), y.now().AddDate(0, 0, -7)))
	}
}

// weather changes how the way to the API does, and the clock.
func (y *year) weather() {
	switch {
	case y.outage > 0:
		y.outage--
	case y.rotation > 0:
		y.rotation--
	case y.perYear(60):
		y.outage = 1 + y.IntN(12)
	case y.perYear(24):
		y.rotation, y.partly = 1+y.IntN(20), y.IntN(2)
	case y.perYear(20):
		y.skew = []time.Duration{0, -2 * time.Hour, 3 * time.Hour, -30 * time.Second}[y.IntN(4)]
	}
}

// run takes the snapshots of a step.
func (y *year) run() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	w := y.wire
	w.status, w.from, w.cancel = 0, "", nil
	r := runTruth{state: store.Complete, seen: 1000}
	switch {
	case y.outage > 0:
		w.status, r = 503, runTruth{state: store.Failed}
	case y.rotation > 0:
		w.status, r = 401, runTruth{state: "refused"}
		if y.partly > 0 {
			w.from, r.seen, y.partly = "2", 100, 0
		}
	case y.perYear(150):
		w.status, w.from, r = 503, "3", runTruth{state: store.Incomplete, seen: 200}
	case y.perYear(60):
		w.cancel, w.from, r = cancel, "2", runTruth{state: store.Interrupted, seen: 100}
	}
	run, err := fetcher.Job{Client: y.client, Store: y.store, Workspace: "default"}.Snapshot(ctx)
	want := r.state
	if want == "refused" {
		want = store.Failed
	}
	if run.State != want || run.ID != int64(len(y.runs)+1) {
		y.t.Fatalf("run %d is %s and not %s: %v", run.ID, run.State, want, err)
	}
	y.ran(r)
}

// evaluate evaluates, takes the messages, and compares them.
func (y *year) evaluate() {
	ctx := context.Background()
	y.must(alert.Update(ctx, y.store, "default", alert.Options{Rules: y.rules, Now: y.now}))
	y.waiting = 0
	y.expectStale()
	y.check()
}

// check compares the messages that wait with those that are expected, and takes them.
func (y *year) check() {
	ctx := context.Background()
	deliveries, err := store.Collect(y.store.Deliveries(ctx, store.DeliveryQuery{Workspace: "default", DueAt: y.now().AddDate(1, 0, 0)}))
	y.must(err)
	for _, d := range deliveries {
		var body alert.Body
		y.must(json.Unmarshal(d.Body, &body))
		y.told(d.Sink, body)
		d.State, d.EndedAt, d.NextAt, d.Attempts = store.Delivered, y.now(), time.Time{}, 1
		y.must(y.store.SaveDelivery(ctx, d))
	}
	if y.waiting == 0 {
		y.compare()
	}
}

// finish checks the store, and prints what was told.
func (y *year) finish(days int) {
	if y.waiting > 0 {
		y.evaluate()
	}
	y.checkLocks()
	_, err := y.store.Verify(context.Background(), store.VerifyOptions{}, func(f store.Finding) { y.t.Errorf("verify: %+v", f) })
	y.must(err)
	y.table(days)
}
