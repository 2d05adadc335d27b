package main

import (
	"cmp"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/lobstrail/lobstrail/report/render"
)

// What a release was built from. The linker sets it (-X main.version=v1.2.3);
// what it does not set is taken from what Go puts into each program.
var version, revision, date string

// buildJSON is the answer of version. What is not known is null.
type buildJSON struct {
	Version  string  `json:"version"`
	Revision *string `json:"revision"` // of the source, as git names it
	Date     *string `json:"date"`     // of the revision
	Modified *bool   `json:"modified"` // the source was not just that revision
	Go       string  `json:"go"`
}

// builtFrom says what this program was built from.
func builtFrom() buildJSON {
	b := buildJSON{Version: version, Revision: known(revision), Date: known(date), Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	b.Version = cmp.Or(b.Version, info.Main.Version, "devel")
	if b.Version == "(devel)" {
		b.Version = "devel"
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			b.Revision = cmp.Or(b.Revision, known(setting.Value))
		case "vcs.time":
			b.Date = cmp.Or(b.Date, known(setting.Value))
		case "vcs.modified":
			modified := setting.Value == "true"
			b.Modified = &modified
		}
	}
	return b
}

// known is nil for what is not known.
func known(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// versionName is the release, else what Go knows of the source.
func versionName() string { return builtFrom().Version }

// userAgent names the program to the API.
func userAgent() string { return "lobstrail/" + versionName() }

func (a *app) newVersionCmd() *cobra.Command {
	return &cobra.Command{
		Use:               "version",
		Short:             "Print the version, and what it was built from",
		Example:           "  lobstrail version --json",
		Args:              takes(0, 0, "", ""),
		RunE:              func(*cobra.Command, []string) error { return a.printBuild(builtFrom()) },
		ValidArgsFunction: cobra.NoFileCompletions,
	}
}

func (a *app) printBuild(b buildJSON) error {
	modified := ""
	if b.Modified != nil && *b.Modified {
		modified = "yes"
	}
	pair := func(title, key, value string) render.Pair {
		if value == "" {
			return render.Pair{Key: key} // tables leave it out
		}
		return render.Pair{Title: title, Key: key, Value: render.TextCell(value)}
	}
	return a.printOne(b, []render.Pair{
		pair("lobstrail", "version", b.Version), pair("Revision", "revision", text(b.Revision)), pair("Date", "date", text(b.Date)),
		pair("Modified", "modified", modified), pair("Go", "go", b.Go),
	}, nil)
}

// text is the inverse of known.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
