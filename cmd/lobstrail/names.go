package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

// findAccount returns the id of the account that the user means: an id, a unique
// prefix of one, an @alias, or a username, as accounts were called at the moment (zero:
// now). Where that names none, a name that an account had before will do, and a note
// says so. It is wrong usage if the store does not know it.
func (a *app) findAccount(ctx context.Context, s store.Store, reference string, at time.Time) (string, error) {
	reference, err := a.withoutAlias(ctx, reference)
	if err != nil {
		return "", err
	}
	found, former, err := s.FindAccountEver(ctx, a.workspace, reference, at)
	if errors.Is(err, store.ErrNotFound) {
		return "", a.noAccount(reference, at)
	}
	a.noteFormer("account", found, former, at)
	return found.ID, err
}

// findNamed is findAccount for what cannot be undone: no former name will do.
func (a *app) findNamed(ctx context.Context, s store.Store, reference string) (string, error) {
	reference, err := a.withoutAlias(ctx, reference)
	if err != nil {
		return "", err
	}
	found, err := s.FindAccount(ctx, a.workspace, reference, time.Time{})
	if errors.Is(err, store.ErrNotFound) {
		return "", a.noAccount(reference, time.Time{})
	}
	return found.ID, err
}

// noteFormer says that something was found by a name that it no longer had.
func (a *app) noteFormer(what string, found store.Name, former string, at time.Time) {
	if former == "" {
		return
	}
	when := "now"
	if !at.IsZero() {
		when = "at " + render.Stamp(at)
	}
	a.note("note: %q is a former name of the %s that is %q %s (%s)", former, what, found.Name, when, found.ID)
}

func (a *app) noAccount(reference string, at time.Time) error {
	if !at.IsZero() {
		return noMatch(usage("account %q was not known then: no account had this name at %s in workspace %q\n\"lobstrail accounts --all --at TIME\" lists those of then",
			reference, render.Stamp(at), a.workspace))
	}
	return noMatch(usage("no account %q in workspace %q\n\"lobstrail accounts --all\" lists them", reference, a.workspace))
}

// findSquid returns the id of the squid that the user means, by the same rules.
func (a *app) findSquid(ctx context.Context, s store.Store, reference string, at time.Time) (string, error) {
	reference, err := a.withoutAlias(ctx, reference)
	if err != nil {
		return "", err
	}
	found, former, err := s.FindSquidEver(ctx, a.workspace, reference, at)
	if !errors.Is(err, store.ErrNotFound) {
		a.noteFormer("squid", found, former, at)
		return found.ID, err
	}
	var names []string
	for squid, err := range s.Squids(ctx, a.workspace, at) {
		if err != nil {
			return "", err
		}
		names = append(names, cmp.Or(squid.Name, squid.ID))
	}
	return "", unknown("squid", reference, names)
}

// mostKnown is how many known values an error lists.
const mostKnown = 20

// unknown is wrong usage: a value that can match nothing, and those that could.
func unknown[T ~string](what, given string, known []T) error {
	words := make([]string, 0, len(known))
	for i, word := range known {
		if i == mostKnown {
			words = append(words, fmt.Sprintf("and %d more", len(known)-mostKnown))
			break
		}
		words = append(words, string(word))
	}
	if len(words) == 0 {
		return noMatch(usage("no %s %q\nthere is none at all", what, given))
	}
	return noMatch(usage("no %s %q\nthere are: %s", what, given, strings.Join(words, ", ")))
}

// knownWords returns the words that were given as they are spelled in known,
// whatever their case. One that is not in known is wrong usage.
func knownWords[T ~string](what string, given []string, known []T) (words []T, err error) {
	for _, word := range given {
		word = strings.TrimSpace(word)
		i := slices.Index(known, T(word))
		if i < 0 {
			i = slices.IndexFunc(known, func(k T) bool { return strings.EqualFold(string(k), word) })
		}
		if i < 0 {
			return nil, unknown(what, word, known)
		}
		words = append(words, known[i])
	}
	return words, nil
}

// withoutAlias returns what an @alias stands for; any other reference as it is.
func (a *app) withoutAlias(ctx context.Context, reference string) (string, error) {
	if name, ok := strings.CutPrefix(reference, "@"); ok {
		return a.alias(ctx, name)
	}
	return reference, nil
}

// optionalAccount is findAccount for a flag that may be missing.
func (a *app) optionalAccount(ctx context.Context, s store.Store, reference string, at time.Time) (string, error) {
	if reference == "" {
		return "", nil
	}
	return a.findAccount(ctx, s, reference, at)
}

// optionalSquid is findSquid for a flag that may be missing.
func (a *app) optionalSquid(ctx context.Context, s store.Store, reference string, at time.Time) (string, error) {
	if reference == "" {
		return "", nil
	}
	return a.findSquid(ctx, s, reference, at)
}

// alias returns what the vendor's configuration calls name.
func (a *app) alias(ctx context.Context, name string) (string, error) {
	config, err := a.readVendorConfig(ctx)
	if err != nil {
		return "", err
	}
	if id, ok := config.Aliases[name]; ok {
		return strings.ToLower(id), nil
	}
	hint := "the vendor's configuration has no aliases"
	if len(config.Aliases) > 0 {
		hint = "there are: @" + strings.Join(slices.Sorted(maps.Keys(config.Aliases)), ", @")
	}
	return "", &usageError{fmt.Sprintf("no alias @%s", name), hint}
}
