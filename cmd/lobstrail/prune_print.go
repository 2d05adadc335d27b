package main

import (
	"fmt"
	"strings"

	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

// pruneJSON is the answer of prune.
type pruneJSON struct {
	Workspace   string           `json:"workspace"`
	DryRun      bool             `json:"dry_run"`
	Snapshots   int64            `json:"snapshots"`
	Thinned     int64            `json:"thinned"`
	Kept        int64            `json:"kept"`
	Reasons     map[string]int64 `json:"reasons"`
	Responses   int64            `json:"responses"`
	BytesBefore *int64           `json:"bytes_before"`
	BytesAfter  *int64           `json:"bytes_after"`
}

// keepTexts say for people why snapshots stay.
var keepTexts = map[store.KeepReason]string{
	store.KeepNews:    "the answer showed something new of an account",
	store.KeepWindow:  "the last before such an answer: the window of a change",
	store.KeepNewest:  "the newest of its page, or of the account",
	store.KeepWithin:  "--keep-within",
	store.KeepHourly:  "--keep-hourly",
	store.KeepDaily:   "--keep-daily",
	store.KeepWeekly:  "--keep-weekly",
	store.KeepMonthly: "--keep-monthly",
}

func (a *app) printPruned(o pruneOptions, done store.Pruned) error {
	value := pruneJSON{
		Workspace: a.workspace, DryRun: o.dryRun, Snapshots: done.Snapshots, Thinned: done.Thinned,
		Kept: done.Snapshots - done.Thinned, Reasons: map[string]int64{}, Responses: done.Responses,
	}
	for _, reason := range store.KeepReasons {
		value.Reasons[string(reason)] = done.Kept[reason]
	}
	if !o.dryRun {
		value.BytesBefore, value.BytesAfter = &done.BytesBefore, &done.BytesAfter
	}
	return a.printOne(value, prunePairs(value), func() error {
		_, err := fmt.Fprint(a.env.stdout, pruneText(value))
		return err
	})
}

func prunePairs(v pruneJSON) []render.Pair {
	pairs := []render.Pair{
		{Title: "Workspace", Key: "workspace", Value: render.TextCell(v.Workspace)},
		{Title: "Dry run", Key: "dry_run", Value: render.TextCell(fmt.Sprint(v.DryRun))},
		{Title: "Snapshots", Key: "snapshots", Value: render.IntCell(v.Snapshots)},
		{Title: "Thinned out", Key: "thinned", Value: render.IntCell(v.Thinned)},
		{Title: "Kept", Key: "kept", Value: render.IntCell(v.Kept)},
	}
	for _, reason := range store.KeepReasons {
		pairs = append(pairs, render.Pair{
			Title: "Kept: " + string(reason), Key: "kept_" + string(reason), Value: render.IntCell(v.Reasons[string(reason)]),
		})
	}
	size := func(n *int64) render.Cell {
		if n == nil {
			return render.TextCell("")
		}
		return render.IntCell(*n)
	}
	return append(pairs,
		render.Pair{Title: "Responses", Key: "responses", Value: render.IntCell(v.Responses)},
		render.Pair{Title: "Bytes before", Key: "bytes_before", Value: size(v.BytesBefore)},
		render.Pair{Title: "Bytes after", Key: "bytes_after", Value: size(v.BytesAfter)})
}

// pruneText says in a few lines what goes, and why the rest stays.
func pruneText(v pruneJSON) string {
	var out strings.Builder
	verb := "Thinned out"
	if v.DryRun {
		verb = "Would thin out"
	}
	fmt.Fprintf(&out, "%s %d of %s, in %s.\n", verb, v.Thinned, render.Count(v.Snapshots, "snapshot"), render.Count(v.Responses, "response"))
	if v.Kept > 0 {
		fmt.Fprintf(&out, "%d stay:\n", v.Kept)
	}
	for _, reason := range store.KeepReasons {
		if n := v.Reasons[string(reason)]; n > 0 {
			fmt.Fprintf(&out, "%10d  %-8s  %s\n", n, reason, keepTexts[reason])
		}
	}
	if v.BytesBefore != nil {
		fmt.Fprintf(&out, "The store takes %s; before, it took %s.\n", bytesText(*v.BytesAfter), bytesText(*v.BytesBefore))
	}
	return out.String()
}

// bytesText is a size for people.
func bytesText(n int64) string {
	const step = 1024
	size, unit := float64(n), "B"
	for _, larger := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if size < step {
			break
		}
		size, unit = size/step, larger
	}
	if unit == "B" {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", size, unit)
}
