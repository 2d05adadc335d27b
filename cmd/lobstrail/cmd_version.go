package main

import (
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/lobstrail/lobstrail/report/render"
)

// version is the release; the linker sets it (-X main.version=v1.2.3).
var version = ""

// versionName is the release, else what the build knows of the source.
func versionName() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return info.Main.Version
}

// userAgent names the program to the API.
func userAgent() string { return "lobstrail/" + versionName() }

func (a *app) newVersionCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  lobstrail version --json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			value := struct {
				Version string `json:"version"`
			}{versionName()}
			return a.printOne(value, []render.Pair{{Title: "lobstrail", Key: "version", Value: render.TextCell(value.Version)}}, nil)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
}
