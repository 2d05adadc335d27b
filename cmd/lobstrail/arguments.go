package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// takes checks how many arguments a command has: from least to most, which are
// called what. The hint says what was meant most likely; ARGUMENT in it is the first
// one too many.
func takes(least, most int, what, hint string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		name := cmd.CommandPath()
		if len(args) >= least && len(args) <= most {
			return nil
		}
		if hint == "" {
			hint = fmt.Sprintf("%q shows how it is used", name+" --help")
		}
		switch {
		case len(args) < least:
			return &usageError{fmt.Sprintf("%s needs %s", name, what), hint}
		case most == 0:
			return &usageError{fmt.Sprintf("%s takes no argument, and there is %q", name, args[0]), strings.ReplaceAll(hint, "ARGUMENT", args[0])}
		}
		return &usageError{fmt.Sprintf("%s takes %s, and there are %d arguments", name, what, len(args)),
			"put quotes around what has spaces in it"}
	}
}

// refuseUnknownShells lets "completion", which is cobra's, fail for a shell that it does
// not know.
func refuseUnknownShells(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() == "completion" {
			cmd.Args = cobra.ArbitraryArgs
			cmd.RunE = helpOfCompletion
		}
	}
}

func helpOfCompletion(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	var shells []string
	for _, shell := range cmd.Commands() {
		shells = append(shells, shell.Name())
	}
	return unknown("completion for the shell", args[0], shells)
}
