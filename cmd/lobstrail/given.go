package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// errEmpty is for a value that is not there: mostly, a variable of a script is not
// set. Taking it for "not given" would answer another question than was asked.
var errEmpty = errors.New("the value is empty; leave the flag out, or check the variable that it comes from")

// refuseEmptyValues makes an empty value of any flag of a command, or of those
// below it, wrong usage. Empty arguments are refused in [app.begin].
func refuseEmptyValues(cmd *cobra.Command) {
	refuse := func(f *pflag.Flag) {
		if f.DefValue == "[]" || f.DefValue == "0s" { // --help knows these by their type only
			f.DefValue = ""
		}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			f.Value = givenList{givenValue{f.Value}, list}
		} else {
			f.Value = givenValue{f.Value}
		}
	}
	cmd.LocalNonPersistentFlags().VisitAll(refuse)
	cmd.PersistentFlags().VisitAll(refuse)
	for _, sub := range cmd.Commands() {
		refuseEmptyValues(sub)
	}
}

// givenValue is the value of a flag that is never empty.
type givenValue struct{ pflag.Value }

// Set refuses empty text, and empty parts of lists that are written with commas.
func (v givenValue) Set(text string) error {
	parts := []string{text}
	if v.Type() == "stringSlice" {
		parts = strings.Split(text, ",")
	}
	if slices.ContainsFunc(parts, isEmpty) {
		return errEmpty
	}
	return v.Value.Set(text)
}

// givenList is a givenValue that cobra knows to be a list.
type givenList struct {
	givenValue
	pflag.SliceValue
}

func isEmpty(text string) bool { return strings.TrimSpace(text) == "" }

// checkArgs refuses empty arguments.
func checkArgs(args []string) error {
	if i := slices.IndexFunc(args, isEmpty); i >= 0 {
		return usage("argument %d is empty\nleave it out, or check the variable that it comes from", i+1)
	}
	return nil
}

// checkLockWait refuses a negative --lock-wait, which several commands have.
func checkLockWait(cmd *cobra.Command) error {
	if wait, err := cmd.Flags().GetDuration("lock-wait"); err == nil && wait < 0 {
		return usage("--lock-wait must not be negative")
	}
	return nil
}

// parsed is a flag whose value is read by a function. --help shows the kind of value.
type parsed[T any] struct {
	to   *T
	kind string
	read func(text string) (T, error)
}

func parsedFlag[T any](to *T, kind string, read func(string) (T, error)) pflag.Value {
	return parsed[T]{to, kind, read}
}

func (f parsed[T]) String() string { return "" }
func (f parsed[T]) Type() string   { return f.kind }
func (f parsed[T]) Set(text string) (err error) {
	*f.to, err = f.read(text)
	return err
}
