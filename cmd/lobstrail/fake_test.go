package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
)

const fakeKey = "fake"

// fake is the lobstr.io of a script. Its world is asked at the time of the
// machine.
//
//	lobstr start [N]             begin, with the cast or with N accounts u000, u001, ...
//	lobstr workspace KEY         another world of N more accounts w000, ... under another key
//	lobstr do EVENT NAME [ARG]   something happens to an account; see eventOf
//	lobstr fault NAME [ON...]    one of lobstrtest.AllFaults, on route=, page=, account=, times=, skip=
//	lobstr squid NAME [SETUP...] how a squid is set up: chain=, launch=, manual
//	lobstr slow PIECES PAUSE     answers come in pieces
//	lobstr pages N               a page holds N accounts at most
//	lobstr on PAGE ACTION        when a page is asked for: revoke, interrupt (the writer), hold
//	lobstr held                  wait until a page is held; the writer's pid is in $HOLDER
//	lobstr release               let go what is held
//	lobstr clear                 no more faults
//	lobstr asked N [ROUTE]       so many requests have come since the last look
//	lobstr stop                  the service is gone
//
// The cast: ada and ben (LinkedIn, squid Leads), cleo (X, squid Mentions), dora
// (Instagram). $ADA, $BEN, $CLEO and $DORA are their ids.
type fake struct {
	env    *testscript.Env
	engine testEngine
	world  *lobstrtest.World
	server *lobstrtest.Server
	held   chan struct{} // closed once a page is held
	let    chan struct{} // closed to let it go
	once   sync.Once
}

func runFake(ts *testscript.TestScript, neg bool, args []string) {
	f := ts.Value(fakeKey).(*fake)
	if neg || len(args) == 0 || f.world == nil && args[0] != "start" {
		ts.Fatalf("usage: lobstr start, then the commands of fake_test.go")
	}
	rest := args[1:]
	switch args[0] {
	case "start":
		f.start(ts, rest)
	case "workspace":
		other := lobstrtest.NewWorld(f.world.Clock())
		for i := range 3 {
			other.Add(lobstrtest.Account{Username: fmt.Sprintf("w%03d", i), Squids: []string{"Elsewhere"}})
		}
		f.server.AddWorkspace(rest[0], other)
	case "do":
		happen(f.world, f.eventOf(ts, rest))
	case "fault":
		f.fault(ts, rest)
	case "squid":
		f.squid(ts, rest)
	case "slow":
		pause, err := time.ParseDuration(rest[1])
		ts.Check(err)
		f.server.Inject(lobstrtest.Fault{Name: "slow", Do: lobstrtest.Drips(number(ts, rest[0]), pause)}, lobstrtest.When{})
	case "pages":
		f.server.SetPageLimits(number(ts, rest[0]), number(ts, rest[0]))
	case "on":
		f.on(ts, number(ts, rest[0]), rest[1])
	case "held":
		select {
		case <-f.held:
		case <-time.After(patience):
			ts.Fatalf("the page was not asked for within %s", patience)
		}
		ts.Setenv("HOLDER", writerOf(ts))
	case "release":
		f.release()
	case "clear":
		f.server.ClearFaults()
	case "asked":
		f.asked(ts, rest)
	case "stop":
		f.release()
		f.server.Close()
	default:
		ts.Fatalf("no lobstr %s", args[0])
	}
}

func number(ts *testscript.TestScript, text string) int {
	n, err := strconv.Atoi(text)
	ts.Check(err)
	return n
}

func (f *fake) start(ts *testscript.TestScript, args []string) {
	f.world = nowWorld()
	f.held, f.let = make(chan struct{}), make(chan struct{})
	if len(args) == 1 {
		addCrowd(f.world, number(ts, args[0]))
	} else {
		for _, a := range []lobstrtest.Account{
			{Username: "ada", Type: lobstrtest.LinkedIn, Squids: []string{"Leads"}},
			{Username: "ben", Type: lobstrtest.LinkedIn, Squids: []string{"Leads"}},
			{Username: "cleo", Type: lobstrtest.X, Squids: []string{"Mentions"}},
			{Username: "dora", Type: lobstrtest.Instagram},
		} {
			ts.Setenv(strings.ToUpper(a.Username), f.world.Add(a))
		}
	}
	server, err := lobstrtest.Listen(f.world)
	ts.Check(err)
	instant := lobstrtest.Latency{Min: time.Microsecond, Max: time.Microsecond}
	server.SetLatency(instant, instant)
	f.server = server
	ts.Defer(func() {
		f.release()
		server.Close()
	})
	ts.Setenv("LOBSTR_API_BASE", server.URL)
	ts.Setenv("LOBSTR_TOKEN", lobstrtest.DefaultToken)
	ts.Setenv("KEY", lobstrtest.DefaultToken)
}

func (f *fake) release() { f.once.Do(func() { close(f.let) }) }

// eventOf makes an event of words: expire ada, squid_name Leads Prospects, ...
func (f *fake) eventOf(ts *testscript.TestScript, words []string) lobstrtest.Event {
	words = append(slices.Clone(words), "", "", "")
	who, what, more := ts.Getenv(strings.ToUpper(words[1])), words[2], words[3]
	switch words[0] {
	case "expire":
		return lobstrtest.Expire(who)
	case "resync":
		return lobstrtest.Resync(who)
	case "delete":
		return lobstrtest.Delete(who)
	case "create":
		a := lobstrtest.Account{Username: words[1]}
		a.ID = lobstrtest.ID(a.Username)
		ts.Setenv(strings.ToUpper(a.Username), a.ID)
		return lobstrtest.Create(a)
	case "lock":
		span, err := time.ParseDuration(what)
		ts.Check(err)
		return lobstrtest.Lock(who, time.Now().Add(span), lobstrtest.LockUnix)
	case "assign":
		return lobstrtest.Assign(what, who)
	case "unassign":
		return lobstrtest.Unassign(what, who)
	case "rename":
		return lobstrtest.RenameAccount(who, what)
	case "limit":
		return lobstrtest.SetLimit(who, what, number(ts, more))
	case "work":
		return lobstrtest.Work(who, what, number(ts, more))
	case "field":
		return lobstrtest.SetField(who, what, json.RawMessage(more))
	}
	ts.Fatalf("no event %q", words[0])
	panic("unreachable")
}

// squid sets up a squid, and puts its id into the environment.
func (f *fake) squid(ts *testscript.TestScript, words []string) {
	var setup lobstrtest.Squid
	for _, word := range words[1:] {
		switch name, value, _ := strings.Cut(word, "="); name {
		case "chain":
			setup.Chain = value
		case "launch":
			setup.Launch = value
		case "manual":
			setup.Manual = true
		default:
			ts.Fatalf("no setup %q", word)
		}
	}
	ts.Setenv(strings.ToUpper(words[0]), f.world.SetSquid(words[0], setup))
}

func (f *fake) fault(ts *testscript.TestScript, words []string) {
	var when lobstrtest.When
	for _, word := range words[1:] {
		name, value, _ := strings.Cut(word, "=")
		switch name {
		case "route":
			when.Route = lobstrtest.Route(value)
		case "account":
			when.Account = ts.Getenv(strings.ToUpper(value))
		case "page":
			when.Page = number(ts, value)
		case "times":
			when.Times = number(ts, value)
		case "skip":
			when.Skip = number(ts, value)
		default:
			ts.Fatalf("no condition %q", word)
		}
	}
	f.server.Inject(lobstrtest.FaultNamed(words[0]), when)
}

// on lets something happen the first time that a page is asked for; the answer is
// right and comes after it.
func (f *fake) on(ts *testscript.TestScript, page int, action string) {
	var act func()
	switch action {
	case "revoke":
		act = func() { f.server.Revoke(lobstrtest.DefaultToken) }
	case "interrupt":
		db := ts.Getenv("DB")
		act = func() { interruptWriter(f.engine.writer(db)) }
	case "hold":
		act = func() {
			close(f.held)
			<-f.let
		}
	default:
		ts.Fatalf("no action %q", action)
	}
	f.server.Inject(lobstrtest.Fault{Name: action, Do: lobstrtest.Mangles(func(body []byte) []byte {
		act()
		return body
	})}, lobstrtest.When{Route: lobstrtest.List, Page: page, Times: 1})
}

// interruptWriter sends SIGINT to the process that writes, and gives it the time to notice.
func interruptWriter(pid int) {
	if process, err := os.FindProcess(pid); err == nil && pid > 1 && pid != os.Getpid() {
		process.Signal(os.Interrupt) // the script will see that nothing was interrupted
		time.Sleep(50 * time.Millisecond)
	}
}

// writerOf is the pid of the process last started in the background.
func writerOf(ts *testscript.TestScript) string {
	background := ts.BackgroundCmds()
	if len(background) == 0 {
		ts.Fatalf("nothing runs in the background")
	}
	return strconv.Itoa(background[len(background)-1].Process.Pid)
}

func (f *fake) asked(ts *testscript.TestScript, args []string) {
	route := lobstrtest.AnyRoute
	if len(args) == 2 {
		route = lobstrtest.Route(args[1])
	}
	got := f.server.Count(route)
	if got != number(ts, args[0]) {
		requests, err := json.Marshal(f.server.Requests())
		ts.Check(err)
		ts.Fatalf("%d requests, want %s: %s", got, args[0], requests)
	}
	f.server.ResetRequests()
}
