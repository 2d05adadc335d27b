package page

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
)

// begin is when the histories of the tests begin.
var begin = time.Date(2026, 8, 24, 6, 0, 0, 0, time.UTC)

// icon is a picture as large as the vendor's are.
func icon(seed uint64) string {
	r := rand.New(rand.NewPCG(seed, 0))
	img := image.NewRGBA(image.Rect(0, 0, 32, 32))
	for i := range img.Pix {
		img.Pix[i] = uint8(int(seed*89)%200 + r.IntN(50))
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

// hardNames are what accounts and squids may be called.
var hardNames = []string{
	strings.Repeat("x", 200), strings.Repeat("long name ", 20), "שלום עולם חשבון", "حساب الاختبار ١٢٣", "\u202eoverride\u202c",
	"👩‍👩‍👧‍👦🇩🇪👍🏽", "<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "</title></style></script><svg/onload=alert(1)>",
	"'; alert(1); //", "{{.}}", "${1}", "a\x00b\x1b[31mc\r\nd", "Z̸̢̛̩a̷͔͝l̵͓̾g̶̰̈́o̴͕͝", "", " ", "=1+1", "javascript:alert(1)", "日本語のアカウント名前",
	strings.Repeat("\u0301", 5000), strings.Repeat("👍", 200), "&lt;b&gt;", "]]>", "<!--",
}

// history makes up the history of a workspace: most accounts are well, each tenth
// has trouble about every month, squids move, limits are used day by day.
type history struct {
	*rand.Rand
	in    report.Input
	every time.Duration
}

// newHistory makes up the history of accounts over days. Names is what they and
// their squids are called; nil for plain names.
func newHistory(accounts, days int, names []string) report.Input {
	h := &history{Rand: rand.New(rand.NewPCG(uint64(accounts), uint64(days))), every: 15 * time.Minute}
	h.in = report.Input{Workspace: "agency", Since: begin, Until: begin.AddDate(0, 0, days)}
	kinds := []string{"linkedin-sync", "sales-nav-sync", "twitter-sync", "facebook-sync", "instagram-sync"}
	for i, kind := range kinds {
		document := fmt.Sprintf(`{"baseurl":"https://www.%s.com","cookies":[{"name":"auth_token","required":true},{"name":"ct0","required":false}]}`, kind)
		h.in.Platforms = append(h.in.Platforms, store.Platform{Type: kind, Document: json.RawMessage(document), Icon: icon(uint64(i))})
	}
	for i := range accounts {
		name := fmt.Sprintf("scraper.%04d", i)
		if names != nil {
			name = names[i%len(names)]
		}
		h.live(i, name, kinds[i%len(kinds)])
	}
	for at := begin.Add(time.Minute); at.Before(h.in.Until); at = at.Add(h.every) {
		h.run(at, accounts)
	}
	return h.in
}

func (h *history) run(at time.Time, accounts int) {
	run := store.Run{
		ID: int64(len(h.in.Runs) + 1), Workspace: "agency", State: store.Complete, Started: at, Finished: at.Add(2 * time.Second),
		Requested: accounts, Unchanged: accounts, Requests: (accounts + 99) / 100,
	}
	if h.IntN(400) == 0 {
		run.State, run.Failed, run.Unchanged = store.Incomplete, 1, accounts-1
		run.Failures = []store.Failure{{Kind: store.FailHTTP, HTTPStatus: 503, Message: "HTTP 503: <b>try later</b>"}}
	}
	h.in.Runs = append(h.in.Runs, run)
}

// window is the one between two runs in which an instant lies.
func (h *history) window(at time.Time) store.Window {
	after := at.Truncate(h.every)
	return store.Window{After: after.Add(time.Minute), Before: after.Add(h.every + time.Minute + 417*time.Millisecond)}
}

// live makes up the life of one account.
func (h *history) live(i int, name, kind string) {
	squid := store.Squid{ID: fmt.Sprintf("%032x", 1+i/3), Name: "Squid of " + name}
	a := store.AccountState{
		Workspace: "agency", ID: fmt.Sprintf("%032x", 0xacc0000+i), FirstSeen: begin.AddDate(0, 0, -30), SeenAt: h.in.Until.Add(-time.Minute),
		HealthSince: store.Window{Before: begin.AddDate(0, 0, -30)},
		Facts:       store.Facts{Username: name, Type: kind, Status: "200", Info: "synchronized", Health: store.Healthy, Squids: []store.Squid{squid}},
	}
	if h.IntN(3) == 0 {
		h.trouble(&a)
	}
	assignment := store.Assignment{Squid: squid.ID, SquidName: squid.Name, Account: a.ID, Username: name, From: store.Window{Before: a.FirstSeen}}
	if h.IntN(20) == 0 {
		end := h.window(h.sometime())
		assignment.To, a.Facts.Squids = &end, nil
		h.change(a, end, store.SquidUnassigned, "/squids/"+squid.ID, quotedJSON(squid.Name), nil)
	}
	h.in.Assignments = append(h.in.Assignments, assignment)
	h.use(a)
	h.in.Accounts = append(h.in.Accounts, a)
}

func (h *history) sometime() time.Time {
	return begin.Add(time.Duration(h.Int64N(int64(h.in.Until.Sub(begin)))))
}

// trouble lets an account fail about every second week, and mend.
func (h *history) trouble(a *store.AccountState) {
	faults := []struct {
		health       store.Health
		status, info string
	}{
		{store.Expired, "401", "cookies_expired"}, {store.Failing, "403", "challenge_required"}, {store.Locked, "200", "synchronized"},
		{store.Unknown, "", ""}, {store.Expired, "429", "account_too_many_requests"},
	}
	for at := begin.Add(time.Duration(h.IntN(14*24)) * time.Hour); at.Before(h.in.Until.Add(-time.Hour)); {
		fault := faults[h.IntN(len(faults))]
		h.step(a, h.window(at), fault.health, fault.status, fault.info)
		at = at.Add(time.Duration(1+h.IntN(60)) * time.Hour)
		if at.After(h.in.Until.Add(-time.Hour)) || h.IntN(20) == 0 {
			return // it stays like that
		}
		h.step(a, h.window(at), store.Healthy, "200", "synchronized")
		h.change(*a, h.window(at), store.Synced, "/last_synchronization_time", quotedJSON("2026-08-01T00:00:00Z"), quotedJSON("2026-09-01T00:00:00Z"))
		at = at.Add(time.Duration(7*24+h.IntN(14*24)) * time.Hour)
	}
}

func (h *history) step(a *store.AccountState, w store.Window, health store.Health, status, info string) {
	f := &a.Facts
	h.in.Steps = append(h.in.Steps, store.StatusStep{
		Account: a.ID, Username: f.Username, StatusBefore: f.Status, StatusAfter: status, InfoBefore: f.Info, InfoAfter: info,
		HealthBefore: f.Health, HealthAfter: health, Window: w,
	})
	h.change(*a, w, store.StatusChanged, "/status", quotedJSON(f.Status), quotedJSON(status))
	h.change(*a, w, store.StatusChanged, "/status_code_info", quotedJSON(f.Info), quotedJSON(info))
	f.Health, f.Status, f.Info, a.HealthSince = health, status, info, w
}

func (h *history) change(a store.AccountState, w store.Window, kind store.Kind, path string, old, new json.RawMessage) {
	h.in.Changes = append(h.in.Changes, store.AccountChange{
		Account: a.ID, Username: a.Facts.Username, Window: w, Run: 1, Change: store.Change{Kind: kind, Path: path, Old: old, New: new},
	})
}

// use moves the counters of an account, three times a day.
func (h *history) use(a store.AccountState) {
	for i, limit := range []string{"profiles", "searches", "messages"} {
		of := 100 + 50*i
		load := 0.2 + 0.8*h.Float64()
		for day := begin.Truncate(24 * time.Hour); day.Before(h.in.Until); day = day.AddDate(0, 0, 1) {
			busy := load * (0.8 + 0.2*h.Float64())
			for part := 1; part <= 3; part++ {
				h.in.Uses = append(h.in.Uses, store.Use{
					Account: a.ID, Username: a.Facts.Username, Limit: limit, Value: number(int(busy * float64(of*part) / 3)), Max: number(of),
					ResetsAt: day.AddDate(0, 0, 1), SeenAt: day.Add(time.Duration(part) * 7 * time.Hour),
				})
			}
		}
	}
}

func number(n int) json.RawMessage { return json.RawMessage(fmt.Sprint(n)) }

func quotedJSON(text string) json.RawMessage {
	raw, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return raw
}

func picture(in report.Input) report.Picture { return report.NewPicture(in, report.Build(in)) }
