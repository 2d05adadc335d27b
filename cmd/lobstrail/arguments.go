package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
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
			like := similar(args[0], commandNames(cmd))
			for i := range like {
				like[i] = name + " " + like[i]
			}
			if len(like) > 0 {
				return &usageError{fmt.Sprintf("unknown command %q for %q", args[0], name), didYouMean(like)}
			}
			return &usageError{fmt.Sprintf("%s takes no argument, and there is %q", name, args[0]), strings.ReplaceAll(hint, "ARGUMENT", args[0])}
		}
		return &usageError{fmt.Sprintf("%s takes %s, and there are %d arguments", name, what, len(args)),
			"put quotes around what has spaces in it"}
	}
}

// wrongFlag makes an error of parsing flags wrong usage, and proposes what may have been
// meant.
func wrongFlag(cmd *cobra.Command, err error) error {
	hint := fmt.Sprintf("%q shows its flags", cmd.CommandPath()+" --help")
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		var flags []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { flags = append(flags, "--"+f.Name) })
		if like := similar("--"+unknown.GetSpecifiedName(), flags); len(like) > 0 {
			hint = didYouMean(like) + " " + hint
		}
	}
	return &usageError{err.Error(), hint}
}

func commandNames(parent *cobra.Command) (names []string) {
	for _, cmd := range parent.Commands() {
		names = append(names, cmd.Name())
	}
	return names
}

// similar returns the known words that are spelled like the word or begin with it.
func similar(word string, known []string) []string {
	list := &cobra.Command{SuggestionsMinimumDistance: 2} // whose suggestions are for commands
	for _, name := range known {
		list.AddCommand(&cobra.Command{Use: name, Run: func(*cobra.Command, []string) {}})
	}
	return list.SuggestionsFor(word)
}

// didYouMean is a hint that proposes one or more words.
func didYouMean(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = strconv.Quote(word)
	}
	return "did you mean " + strings.Join(quoted, " or ") + "?"
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
