package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lobstrail/lobstrail/store"
)

// finder looks a reference up among accounts or squids.
type finder func(ctx context.Context, workspace, reference string) (store.Name, error)

// findAccount answers the id of the account that the user means: an id, a unique
// prefix of one, an @alias, or a username. Nothing but the store is asked; 32 hex
// digits that it does not know are used as they are.
func (a *app) findAccount(ctx context.Context, s *store.Store, reference string) (string, error) {
	return a.lookUp(ctx, "account", reference, s.FindAccount)
}

// findSquid answers the id of the squid that the user means, by the same rules.
func (a *app) findSquid(ctx context.Context, s *store.Store, reference string) (string, error) {
	return a.lookUp(ctx, "squid", reference, s.FindSquid)
}

func (a *app) lookUp(ctx context.Context, what, reference string, find finder) (string, error) {
	if name, ok := strings.CutPrefix(reference, "@"); ok {
		id, err := a.alias(name)
		if err != nil {
			return "", err
		}
		reference = id
	}
	found, err := find(ctx, a.workspace, reference)
	if !errors.Is(err, store.ErrNotFound) {
		return found.ID, err
	}
	if id := strings.ToLower(reference); store.IsAccountID(id) {
		return id, nil
	}
	return "", &usageError{
		fmt.Sprintf("no %s %q in workspace %q", what, reference, a.workspace),
		fmt.Sprintf("\"lobstrail %ss\" lists them; one that the store does not know yet can be given by its id (32 hex digits)", what),
	}
}

// optionalAccount is findAccount for a flag that may be missing.
func (a *app) optionalAccount(ctx context.Context, s *store.Store, reference string) (string, error) {
	if reference == "" {
		return "", nil
	}
	return a.findAccount(ctx, s, reference)
}

// optionalSquid is findSquid for a flag that may be missing.
func (a *app) optionalSquid(ctx context.Context, s *store.Store, reference string) (string, error) {
	if reference == "" {
		return "", nil
	}
	return a.findSquid(ctx, s, reference)
}

// alias answers what the vendor's configuration calls name.
func (a *app) alias(name string) (string, error) {
	config, err := a.readVendorConfig()
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
