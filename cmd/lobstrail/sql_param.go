package main

import (
	"database/sql"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/lobstrail/lobstrail/store"
)

var (
	paramName = regexp.MustCompile(`^[:@$]?([A-Za-z][A-Za-z0-9_]*)$`)
	// An integer and a real number as they are usually written: "007", "1e5" and
	// ids that are nothing but digits stay text.
	paramInteger = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
	paramReal    = regexp.MustCompile(`^-?(0|[1-9][0-9]*)\.[0-9]+$`)
)

// parseParams reads the values of --param.
func parseParams(given []string) (params []sql.NamedArg, err error) {
	for _, text := range given {
		name, value, found := strings.Cut(text, "=")
		match := paramName.FindStringSubmatch(name)
		switch {
		case !found || match == nil:
			return nil, usage("--param %q is not NAME=VALUE, with a name of letters and digits\nfor example --param since=2026-11-01", text)
		case slices.ContainsFunc(params, func(p sql.NamedArg) bool { return p.Name == match[1] }):
			return nil, usage("--param gives :%s two values\ngive each parameter one", match[1])
		}
		params = append(params, sql.Named(match[1], paramValue(value)))
	}
	return params, nil
}

// paramValue is the value that a text stands for: an integer, a real number, NULL, or
// a text, which may be in single quotes.
func paramValue(text string) any {
	if inner, quoted := strings.CutPrefix(text, "'"); quoted && strings.HasSuffix(inner, "'") {
		return strings.ReplaceAll(strings.TrimSuffix(inner, "'"), "''", "'")
	}
	if strings.EqualFold(text, "null") {
		return nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && paramInteger.MatchString(text) {
		return n
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil && paramReal.MatchString(text) {
		return f
	}
	return text
}

// checkParams compares the parameters of the statements with those given.
func checkParams(statements []store.Statement, given []sql.NamedArg) error {
	var used []string
	for _, s := range statements {
		used = append(used, s.Params...)
	}
	for _, name := range used {
		if !slices.ContainsFunc(given, func(p sql.NamedArg) bool { return p.Name == name }) {
			return usage("the query needs a value for :%[1]s\ngive it with --param %[1]s=VALUE", name)
		}
	}
	for _, p := range given {
		if !slices.Contains(used, p.Name) {
			return usage("the query has no parameter :%s\nwrite it into the query where the value belongs, without quotes", p.Name)
		}
	}
	return nil
}
