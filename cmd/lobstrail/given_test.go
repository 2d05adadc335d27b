package main

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// eachFlag calls fn with every flag that takes a value, of every command.
func eachFlag(cmd *cobra.Command, path []string, fn func(path []string, f *pflag.Flag)) {
	visit := func(f *pflag.Flag) {
		if f.Value.Type() != "bool" {
			fn(path, f)
		}
	}
	cmd.LocalNonPersistentFlags().VisitAll(visit)
	cmd.PersistentFlags().VisitAll(visit)
	for _, sub := range cmd.Commands() {
		eachFlag(sub, append(path[:len(path):len(path)], sub.Name()), fn)
	}
}

// TestAnEmptyValueIsWrongUsage walks the whole tree of commands and gives each flag
// nothing, in every way in which a shell can.
func TestAnEmptyValueIsWrongUsage(t *testing.T) {
	t.Parallel()
	vars := map[string]string{"LOBSTRAIL_DB": demoStore(t), "LOBSTR_TOKEN": "k"}
	flags := 0
	root := newApp(&environment{getenv: func(string) string { return "" }}).root()
	eachFlag(root, nil, func(path []string, f *pflag.Flag) {
		flags++
		if len(path) == 0 {
			path = []string{"accounts"}
		}
		ways := [][]string{{"--" + f.Name, ""}, {"--" + f.Name + "="}, {"--" + f.Name, " "}}
		if _, ok := f.Value.(pflag.SliceValue); ok {
			ways = append(ways, []string{"--" + f.Name, "x", "--" + f.Name, ""})
		}
		if f.Value.Type() == "stringSlice" {
			ways = append(ways, []string{"--" + f.Name, "x,"}, []string{"--" + f.Name, ",x"})
		}
		if f.Shorthand != "" {
			ways = append(ways, []string{"-" + f.Shorthand, ""})
		}
		for _, way := range ways {
			o := within(0, vars, append(path[:len(path):len(path)], way...)...)
			if o.code != exitUsage || !strings.Contains(o.stderr, "the value is empty") || !strings.Contains(o.stderr, f.Name) || o.stdout != "" {
				t.Errorf("%s %q: %s", strings.Join(path, " "), way, o)
			}
		}
	})
	if flags < 50 {
		t.Errorf("only %d flags", flags)
	}
}

// TestAnEmptyArgumentIsWrongUsage gives each command nothing as its argument.
func TestAnEmptyArgumentIsWrongUsage(t *testing.T) {
	t.Parallel()
	vars := map[string]string{"LOBSTRAIL_DB": demoStore(t), "LOBSTR_TOKEN": "k"}
	for _, cmd := range commands(t) {
		for _, args := range [][]string{{""}, {" \t"}, {"7d", ""}, {"", "7d"}} {
			o := within(0, vars, append([]string{cmd.Name()}, args...)...)
			if o.code != exitUsage || o.stderr == "" || o.stdout != "" {
				t.Errorf("%s %q: %s", cmd.Name(), args, o)
			}
		}
	}
}

// TestAnEmptyVariableIsNotSet: as the XDG specification and NO_COLOR have it.
func TestAnEmptyVariableIsNotSet(t *testing.T) {
	t.Parallel()
	demo := demoStore(t)
	plain := within(0, nil, "accounts", "--db", demo)
	for _, name := range []string{"LOBSTRAIL_WORKSPACE", "LOBSTR_TOKEN", "NO_COLOR", "LOBSTRAIL_VERIFIER", "XDG_CONFIG_HOME"} {
		if o := within(0, map[string]string{name: ""}, "accounts", "--db", demo); o != plain {
			t.Errorf("%s: %s", name, o)
		}
	}
	home := t.TempDir()
	o := within(0, map[string]string{"LOBSTRAIL_DB": " ", "HOME": home}, "accounts")
	if o.code != exitNoStore || !strings.Contains(o.stderr, home) {
		t.Errorf("LOBSTRAIL_DB: %s", o)
	}
}
