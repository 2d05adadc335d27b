package main

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

// Completion must never keep a shell waiting, nor overwhelm it.
const (
	completionTime = 500 * time.Millisecond
	completionMost = 200
)

// namer lists what begins with a prefix, from the store.
type namer func(ctx context.Context, s store.Store, prefix string) ([]store.Name, error)

func (a *app) accountNames(ctx context.Context, s store.Store, prefix string) ([]store.Name, error) {
	return s.AccountNames(ctx, a.workspace, prefix, completionMost)
}

func (a *app) squidNames(ctx context.Context, s store.Store, prefix string) ([]store.Name, error) {
	return s.SquidNames(ctx, a.workspace, prefix, completionMost)
}

// complete returns live ids from the store, each with its name. Whatever goes
// wrong means that there is nothing to propose.
func (a *app) complete(cmd *cobra.Command, names namer, prefix string) []cobra.Completion {
	ctx, cancel := context.WithTimeout(context.Background(), completionTime)
	defer cancel()
	if a.prepare(cmd) != nil || a.settleStore(ctx, cmd) != nil {
		return nil
	}
	s, err := a.openReader(ctx)
	if err != nil {
		return nil
	}
	defer s.Close()
	found, err := names(ctx, s, prefix)
	if err != nil {
		return nil
	}
	var proposals []cobra.Completion
	for _, n := range found {
		proposals = append(proposals, proposal(n, prefix))
	}
	return proposals
}

// proposal completes what was typed: an id, or a name that begins like that.
func proposal(n store.Name, prefix string) cobra.Completion {
	if strings.HasPrefix(n.ID, strings.ToLower(prefix)) {
		return cobra.CompletionWithDesc(n.ID, render.Clean(n.Name))
	}
	return cobra.CompletionWithDesc(render.Clean(n.Name), n.ID)
}

// completeAccounts proposes accounts for up to most arguments; -1 is any number.
func (a *app) completeAccounts(most int) cobra.CompletionFunc {
	return a.completeArgs(most, a.accountNames)
}

func (a *app) completeArgs(most int, names namer) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, prefix string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if most >= 0 && len(args) >= most {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return a.complete(cmd, names, prefix), cobra.ShellCompDirectiveNoFileComp
	}
}

func (a *app) completeFlag(cmd *cobra.Command, flag string, names namer) {
	must(cmd.RegisterFlagCompletionFunc(flag, a.completeArgs(-1, names)))
}

// completeWords proposes fixed words for a flag.
func completeWords[T ~string](cmd *cobra.Command, flag string, words []T) {
	var list []cobra.Completion
	for _, word := range words {
		list = append(list, cobra.Completion(word))
	}
	must(cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(list, cobra.ShellCompDirectiveNoFileComp)))
}

func (a *app) completeGlobalFlags(root *cobra.Command) {
	completeWords(root, "format", render.Formats)
	must(root.RegisterFlagCompletionFunc("workspace",
		func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			all := func(ctx context.Context, s store.Store, _ string) (names []store.Name, err error) {
				workspaces, err := s.Workspaces(ctx)
				for _, w := range workspaces {
					names = append(names, store.Name{ID: w})
				}
				return names, err
			}
			return append(a.complete(cmd, all, ""), a.moreWorkspaces(cmd)...), cobra.ShellCompDirectiveNoFileComp
		}))
	must(root.MarkPersistentFlagFilename("config", "toml"))
}

// moreWorkspaces are those of the configuration, and * where it stands for all. Proposing
// one twice does no harm.
func (a *app) moreWorkspaces(cmd *cobra.Command) (more []cobra.Completion) {
	if cmd.Annotations["workspaces"] == allWorkspaces {
		more = append(more, cobra.CompletionWithDesc(allWorkspaces, "all workspaces"))
	}
	ctx, cancel := context.WithTimeout(context.Background(), completionTime)
	defer cancel()
	if c, err := a.loadConfig(ctx); err == nil {
		for _, name := range slices.Sorted(maps.Keys(c.Workspaces)) {
			more = append(more, cobra.Completion(render.Clean(name)))
		}
	}
	return more
}

// must panics on what only a programmer's mistake can cause: a flag that is not
// there.
func must(err error) {
	if err != nil {
		panic("lobstrail: " + err.Error())
	}
}
