package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lobstrail/lobstrail/fetcher/archive"
	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

// importJSON is the answer of import: the run, and what became of what it read.
type importJSON struct {
	report.RunJSON
	Items    int                    `json:"items"` // files, or commits
	Skipped  int                    `json:"skipped"`
	Refused  int                    `json:"refused"`
	Broken   int                    `json:"broken"`
	Bytes    int64                  `json:"bytes"`
	Instants map[archive.Origin]int `json:"instants"`
	Unlisted int                    `json:"unlisted"`
}

// originNames say for people where instants come from.
var originNames = map[archive.Origin]string{
	archive.Given: "--at", archive.Field: "--at-field", archive.Name: "file names", archive.Modified: "modification times",
	archive.Commit: "commits", archive.Present: "now, for standard input",
}

func (a *app) printImport(run store.Run, result archive.Result, noun string) error {
	value := importJSON{
		RunJSON: report.NewRunJSON(run), Items: result.Items, Skipped: result.Skipped, Refused: result.Refused,
		Broken: result.Failed, Bytes: result.Bytes, Instants: result.Origins, Unlisted: result.Unlisted,
	}
	return a.printOne(value, importPairs(run, result), func() error {
		if err := a.printRunText(run); err != nil {
			return err
		}
		_, err := fmt.Fprintln(a.env.stdout, importText(result, noun))
		return err
	})
}

// importPairs are the properties of an import for people and CSV.
func importPairs(run store.Run, result archive.Result) []render.Pair {
	var origins []string
	for _, origin := range slices.Sorted(maps.Keys(result.Origins)) {
		origins = append(origins, fmt.Sprintf("%s %d", origin, result.Origins[origin]))
	}
	return append(runPairs(run),
		render.Pair{Title: "Items", Key: "items", Value: render.IntCell(result.Items)},
		render.Pair{Title: "Skipped", Key: "skipped", Value: render.IntCell(result.Skipped)},
		render.Pair{Title: "Refused", Key: "refused", Value: render.IntCell(result.Refused)},
		render.Pair{Title: "Broken", Key: "broken", Value: render.IntCell(result.Failed)},
		render.Pair{Title: "Bytes", Key: "bytes", Value: render.IntCell(result.Bytes)},
		render.Pair{Title: "Instants", Key: "instants", Value: render.TextCell(strings.Join(origins, ", "))},
		render.Pair{Title: "Unlisted", Key: "unlisted", Value: render.IntCell(result.Unlisted)},
	)
}

// importText says in a line or two what became of the items.
func importText(result archive.Result, noun string) string {
	text := fmt.Sprintf("%s read, %d there already, %d refused, %d broken.",
		render.Count(result.Items, noun), result.Skipped, result.Refused, result.Failed)
	if result.Refused > 0 {
		text += "\nGive what was refused a workspace (--workspace) or a store (--db) of its own."
	}
	var origins []string
	for _, origin := range slices.Sorted(maps.Keys(result.Origins)) {
		origins = append(origins, fmt.Sprintf("%d from %s", result.Origins[origin], originNames[origin]))
	}
	if len(origins) > 0 {
		text += "\nInstants: " + strings.Join(origins, ", ") + "."
	}
	if result.Unlisted > 0 {
		text += fmt.Sprintf("\n%s unlisted: complete lists lacked them.", render.Count(result.Unlisted, "account"))
	}
	return text
}
