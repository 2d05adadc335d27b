package main

import (
	"encoding/json"
	"errors"
	"os"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

func damageFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: damage FILE OFFSET N")
	}
	offset, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	n, err := strconv.Atoi(args[2])
	ts.Check(err)
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_RDWR, 0)
	ts.Check(err)
	_, err = f.WriteAt([]byte(strings.Repeat("\xa5", n)), offset)
	ts.Check(errors.Join(err, f.Close()))
}

func cutFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: cut FILE N")
	}
	n, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	ts.Check(os.Truncate(ts.MkAbs(args[0]), n))
}

// locationOf is the location of a store, as a script names it.
func locationOf(ts *testscript.TestScript, name string) string {
	if onServer(name) {
		return name
	}
	return ts.MkAbs(name)
}

func cloneStore(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: clone STORE VAR")
	}
	f := ts.Value(fakeKey).(*fake)
	ts.Setenv(args[1], f.engine.clone(scriptTB{f.env}, locationOf(ts, args[0]), ts.MkAbs(strings.ToLower(args[1])+".db")))
}

func editStore(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: edit STORE SQL")
	}
	ts.Check(ts.Value(fakeKey).(*fake).engine.edit(locationOf(ts, args[0]), args[1]))
}

func makeOlder(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: older STORE")
	}
	ts.Check(ts.Value(fakeKey).(*fake).engine.older(locationOf(ts, args[0])))
}

func checkStored(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: [!] stored STORE")
	}
	exists, err := ts.Value(fakeKey).(*fake).engine.exists(locationOf(ts, args[0]))
	ts.Check(err)
	if exists == neg {
		ts.Fatalf("there is a store: %t", exists)
	}
}

func checkHolds(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: [!] holds STORE TEXT")
	}
	holds, err := ts.Value(fakeKey).(*fake).engine.holds(locationOf(ts, args[0]), args[1])
	ts.Check(err)
	if holds == neg {
		ts.Fatalf("the store holds %q: %t", args[1], holds)
	}
}

func exportField(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: field FILE NAME VAR")
	}
	var object map[string]string
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &object))
	ts.Setenv(args[2], object[args[1]])
}
