package main

import (
	"github.com/spf13/cobra"

	"github.com/lobstrail/lobstrail/cmd/lobstrail/config"
	"github.com/lobstrail/lobstrail/report/render"
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
