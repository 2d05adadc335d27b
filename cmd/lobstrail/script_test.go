package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts runs testdata/script/*.txtar. Beside the commands of testscript
// they know:
//
//	lobstr ...            the fake lobstr.io; see fake_test.go
//	exits CODE PROGRAM... runs a program that has to exit with just this code
//	json FILE PATH OP ... checks a value in JSON; see checkJSON
//	picture DIR|URL       remembers every file below DIR, or every row at URL
//	same DIR|URL          checks that they are as they were then
//	damage FILE OFFSET N  overwrites N bytes of a file
//	cut FILE N            keeps the first N bytes of a file
//	clone STORE VAR       copies a store, and puts the location of the copy into $VAR
//	edit STORE SQL        runs SQL on a store, whatever its guards say
//	older STORE           undoes the last migration of a store
//	stored STORE          checks that there is a store
//	holds STORE TEXT      checks that the store holds a text
//	field FILE NAME VAR   puts a member of a JSON object into the environment
//
// $DB is where the store is by default, $DEMO is the store of the demo. [engine:NAME] is
// true on one engine. A script that is only about files says so in its first line and is
// skipped on other engines.
func TestScripts(t *testing.T) {
	for _, engine := range testEngines {
		t.Run(engine.name, func(t *testing.T) {
			engine.fresh(t, filepath.Join(t.TempDir(), "x.db")) // skips the test where there is no server
			testscript.Run(t, testscript.Params{
				Files:              scriptsFor(t, engine),
				RequireUniqueNames: true,
				Setup:              func(env *testscript.Env) error { return setUpScript(env, engine) },
				Condition:          func(name string) (bool, error) { return engineCondition(name, engine) },
				Cmds: map[string]func(*testscript.TestScript, bool, []string){
					"lobstr": runFake, "exits": checkExit, "json": checkJSON,
					"picture": takePicture, "same": comparePicture, "damage": damageFile, "cut": cutFile,
					"clone": cloneStore, "edit": editStore, "older": makeOlder, "stored": checkStored, "holds": checkHolds, "field": exportField,
				},
			})
		})
	}
}

// scriptsFor are the scripts that run on an engine. On a server they take longer: each time
// it is another third of them, and all with -long.
func scriptsFor(t *testing.T, engine testEngine) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join("testdata", "script", "*.txtar"))
	if err != nil || len(all) == 0 {
		t.Fatalf("%d scripts (%v)", len(all), err)
	}
	if engine.name == "sqlite" || *long || flag.Lookup("test.run").Value.String() != "" {
		return all
	}
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:len(all)/3]
}

func setUpScript(env *testscript.Env, engine testEngine) error {
	env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
	env.Setenv("XDG_DATA_HOME", filepath.Join(env.WorkDir, "data"))
	env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, "config"))
	env.Setenv("TZ", "UTC")
	env.Values[fakeKey] = &fake{env: env, engine: engine}
	env.Values[pictureKey] = map[string]map[string]string{}
	uses, err := variablesOf(env)
	if err != nil {
		return err
	}
	place := filepath.Join(env.WorkDir, "data", "lobstrail", "lobstrail.db")
	env.Setenv("DB", engine.fresh(scriptTB{env}, place))
	if env.Getenv("DB") != place {
		env.Setenv("LOBSTRAIL_DB", env.Getenv("DB"))
	}
	if uses["DEMO"] {
		env.Setenv("DEMO", engine.demo(scriptTB{env}, filepath.Join(env.WorkDir, "demo.db")))
	}
	return nil
}

// variablesOf are the variables that the script reads.
func variablesOf(env *testscript.Env) (map[string]bool, error) {
	name := strings.TrimPrefix(filepath.Base(env.WorkDir), "script-")
	raw, err := os.ReadFile(filepath.Join("testdata", "script", name+".txtar"))
	uses := map[string]bool{}
	for _, match := range regexp.MustCompile(`\$([A-Z]+)`).FindAllStringSubmatch(string(raw), -1) {
		uses[match[1]] = true
	}
	return uses, err
}

func engineCondition(name string, engine testEngine) (bool, error) {
	wanted, ok := strings.CutPrefix(name, "engine:")
	if !ok || !slices.ContainsFunc(testEngines, func(e testEngine) bool { return e.name == wanted }) {
		return false, fmt.Errorf("unknown condition %q", name)
	}
	return engine.name == wanted, nil
}

// scriptTB lets helpers of tests work for a script.
type scriptTB struct{ env *testscript.Env }

func (scriptTB) Helper()             {}
func (s scriptTB) Cleanup(f func())  { s.env.Defer(f) }
func (s scriptTB) Skip(args ...any)  { s.env.T().Skip(args...) }
func (s scriptTB) Fatal(args ...any) { s.env.T().Fatal(args...) }
func (s scriptTB) Error(args ...any) { s.env.T().Fatal(args...) }

func checkExit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARG...]")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
	if fault := unacceptable(ts.ReadFile("stderr")); fault != "" {
		ts.Fatalf("stderr says %q", fault)
	}
}

// checkJSON checks the value at a path in a file (or stdout). The path is made of
// member names, numbers of elements and *, which is every element, joined by
// dots; a dot alone is the whole.
//
//	json stdout 0.health == expired   a JSON value, or else a text
//	json stdout failures len 2
//	json stdout *.id keys a b c       each has just these members
//	json stdout message ~ REGEXP
func checkJSON(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: [!] json FILE PATH ==|len|keys|~ WANT...")
	}
	var whole any
	if err := json.Unmarshal([]byte(ts.ReadFile(args[0])), &whole); err != nil {
		ts.Fatalf("%s is not JSON: %v", args[0], err)
	}
	got, err := valueAt(whole, strings.FieldsFunc(args[1], func(r rune) bool { return r == '.' }))
	if err == nil {
		err = compareJSON(got, args[2], args[3:])
	}
	switch {
	case err != nil && !neg:
		ts.Fatalf("%s: %v", args[1], err)
	case err == nil && neg:
		ts.Fatalf("%s: unexpected match", args[1])
	}
}

func valueAt(value any, path []string) (any, error) {
	for i, step := range path {
		switch v := value.(type) {
		case map[string]any:
			member, ok := v[step]
			if !ok {
				return nil, fmt.Errorf("no member %q in %v", step, value)
			}
			value = member
		case []any:
			if step == "*" {
				return valuesOf(v, path[i+1:])
			}
			n, err := strconv.Atoi(step)
			if err != nil || n < 0 || n >= len(v) {
				return nil, fmt.Errorf("no element %q among %d", step, len(v))
			}
			value = v[n]
		default:
			return nil, fmt.Errorf("%v has nothing at %q", value, step)
		}
	}
	return value, nil
}

func valuesOf(elements []any, path []string) (any, error) {
	values := make([]any, 0, len(elements))
	for _, element := range elements {
		value, err := valueAt(element, path)
		if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, nil
}

func compareJSON(got any, op string, want []string) error {
	switch op {
	case "==":
		var value any
		text := strings.Join(want, " ")
		if json.Unmarshal([]byte(text), &value) != nil {
			value = text
		}
		if !reflect.DeepEqual(got, value) {
			return fmt.Errorf("got %v, want %v", asJSON(got), text)
		}
	case "len":
		list, ok := got.([]any)
		if !ok || strconv.Itoa(len(list)) != want[0] {
			return fmt.Errorf("%d elements, want %s, in %v", len(list), want[0], asJSON(got))
		}
	case "keys":
		return compareKeys(got, want)
	case "~":
		text, ok := got.(string)
		if matched, err := regexp.MatchString(want[0], text); err != nil || !ok || !matched {
			return fmt.Errorf("got %v, want a match of %s", asJSON(got), want[0])
		}
	default:
		return fmt.Errorf("no operation %q", op)
	}
	return nil
}

func asJSON(value any) string {
	raw, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

func compareKeys(got any, want []string) error {
	if list, ok := got.([]any); ok {
		if len(list) == 0 {
			return errors.New("an empty list")
		}
		for _, element := range list {
			if err := compareKeys(element, want); err != nil {
				return err
			}
		}
		return nil
	}
	object, ok := got.(map[string]any)
	if !ok {
		return fmt.Errorf("%v is no object", got)
	}
	var keys []string
	for key := range object {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	slices.Sort(want)
	if !slices.Equal(keys, want) {
		return fmt.Errorf("members %v, want %v", keys, want)
	}
	return nil
}
