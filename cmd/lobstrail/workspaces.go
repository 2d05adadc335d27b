package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/lobstrail/lobstrail/cmd/lobstrail/config"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

// allWorkspaces stands for all workspaces of the store. No workspace has this name.
const allWorkspaces = "*"

// workspaceColumn is the first column of an answer about several workspaces.
var workspaceColumn = render.Column{Title: "Workspace", Key: "workspace", Flexible: 3}

// inWorkspace runs fn as if the workspace had been named with --workspace.
func (a *app) inWorkspace(name string, fn func() error) error {
	before := a.workspace
	a.workspace = name
	defer func() { a.workspace = before }()
	return fn()
}

// listAll is list for rows of the workspace, or of all workspaces: then each row says of
// which one it is.
func (a *app) listAll(columns ...render.Column) *render.Writer {
	if a.workspace != allWorkspaces {
		return a.list(columns...)
	}
	return render.NewGrouped(a.env.stdout, a.options(), workspaceColumn, columns...)
}

// eachWorkspace calls fn for the workspace, or for all workspaces of the store by name,
// which it is named to the list. What fn does not find in one of them is looked for in
// the others.
func (a *app) eachWorkspace(ctx context.Context, s store.Store, out *render.Writer, fn func() error) error {
	if a.workspace != allWorkspaces {
		return fn()
	}
	names, err := s.Workspaces(ctx)
	if err != nil {
		return err
	}
	slices.Sort(names)
	missed, missing := 0, (*noMatchError)(nil)
	for _, name := range names {
		if out != nil {
			out.Group(name)
		}
		err := a.inWorkspace(name, fn)
		switch {
		case errors.As(err, &missing):
			missed++
		case err != nil:
			return err
		}
	}
	if missed > 0 && missed == len(names) {
		return &usageError{missing.message + ", nor in any other workspace", missing.hint}
	}
	return nil
}

// noMatchError is wrong usage: a value that can match nothing in the workspace.
type noMatchError struct{ usageError }

func (e *noMatchError) Unwrap() error { return &e.usageError }

// noMatch makes an error of usage, which is about a value that matches nothing.
func noMatch(err error) error {
	if wrong, ok := errors.AsType[*usageError](err); ok {
		return &noMatchError{*wrong}
	}
	return err
}

// oneWorkspace refuses all workspaces for something that only one of them has.
func (a *app) oneWorkspace(what string) error {
	if a.workspace != allWorkspaces {
		return nil
	}
	return usage("%s is of one workspace, and --workspace '*' stands for all\nname one of them", what)
}

// perWorkspace writes text of each workspace in one line, with its name where there are
// several.
func (a *app) perWorkspace(ctx context.Context, s store.Store, fn func() (string, error)) (all string, err error) {
	several := a.workspace == allWorkspaces
	err = a.eachWorkspace(ctx, s, nil, func() error {
		text, err := fn()
		if text != "" && several {
			text = fmt.Sprintf("Workspace %s: %s", a.workspace, text)
		}
		if text != "" && all != "" {
			text = "\n" + text
		}
		all += text
		return err
	})
	return all, err
}

// coversWorkspaces lets a command be given --workspace '*'.
func coversWorkspaces(cmd *cobra.Command) *cobra.Command {
	annotate(cmd, "workspaces", allWorkspaces)
	return cmd
}

func annotate(cmd *cobra.Command, key, value string) {
	if cmd.Annotations == nil {
		cmd.Annotations = map[string]string{}
	}
	cmd.Annotations[key] = value
}

// checkWorkspace refuses all workspaces for a command that is about one.
func (a *app) checkWorkspace(cmd *cobra.Command) error {
	if a.workspace != allWorkspaces || cmd.Annotations["workspaces"] == allWorkspaces {
		return nil
	}
	hint := "name one of them"
	if cmd.Name() == "snapshot" {
		hint = "\"lobstrail snapshot --all-workspaces\" takes snapshots of each one that is configured"
	}
	return usage("%s is about one workspace, and --workspace '*' stands for all\n%s", cmd.CommandPath(), hint)
}

// checkNewWorkspace refuses a name that no workspace can have, before a history begins
// under it. Older histories can be read under any name.
func (a *app) checkNewWorkspace() error {
	if err := config.CheckName(a.workspace); err != nil {
		return usage("--workspace: %s\n\"lobstrail help workspaces\" says which names there can be", err)
	}
	return nil
}
