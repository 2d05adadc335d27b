package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2/maybe"
	"github.com/spf13/cobra"

	"github.com/lobstrail/lobstrail/report/render"
)

// reportOnly refuses a format of pictures, and that of Slack, to commands that answer rows.
func reportOnly(cmd *cobra.Command, format render.Format) error {
	switch {
	case cmd.Name() == "report":
		return nil
	case format == render.Slack:
		return usage("only the summary of a report can be written as slack\ntry: lobstrail report --format slack")
	}
	return usage("only the report can be written as %[1]s\ntry: lobstrail report --format %[1]s -o report.%[1]s", format)
}

// formatsByName are the formats that the end of a file's name implies.
var formatsByName = map[string]render.Format{
	".html": render.HTML, ".htm": render.HTML, ".svg": render.SVG, ".csv": render.CSV, ".md": render.Markdown, ".markdown": render.Markdown,
	".json": render.JSON, ".ndjson": render.NDJSON, ".jsonl": render.NDJSON,
}

// formatByName takes the format from the name of the file that is to be written,
// unless another one was given: that contradicts the name.
func (a *app) formatByName(file string) error {
	format, ok := formatsByName[strings.ToLower(filepath.Ext(file))]
	switch {
	case !ok || a.format == string(format):
		return nil
	case a.formatGiven:
		return usage("-o %s and the format %s contradict each other\nleave the format out, or give the file another name", file, a.format)
	}
	a.format = string(format)
	return nil
}

// writingTo lets fn write its answer to a file, which is there whole or not at all;
// to stdout where no file is named. A page is of no use on a terminal.
func (a *app) writingTo(file string, fn func() error) error {
	if file == "" || file == "-" {
		if format := render.Format(a.format); format.Pictures() && a.env.stdoutWidth > 0 {
			return usage("%[1]s is of no use on a terminal\nname a file: -o report.%[1]s", format)
		}
		return fn()
	}
	if err := notURL("the output", file); err != nil {
		return err
	}
	var answer bytes.Buffer
	stdout, width := a.env.stdout, a.env.stdoutWidth
	a.env.stdout, a.env.stdoutWidth = &answer, 0
	err := fn()
	a.env.stdout, a.env.stdoutWidth = stdout, width
	if err != nil {
		return err
	}
	write := writeToDevice
	if !isDevice(file) {
		write = func(file string, content []byte) error {
			return maybe.WriteFile(file, content, 0o666) // the umask of the user narrows this
		}
	}
	if err := write(file, answer.Bytes()); err != nil {
		return &hintedError{fmt.Errorf("write %s: %w", file, err), "nothing was written; name a file in a folder that you may write to with -o"}
	}
	a.note("Wrote %s (%d kB).", file, (answer.Len()+999)/1000)
	return nil
}

// isDevice reports whether a path leads to a device or a pipe, such as /dev/stdout. A new
// file must not take its place: where root runs the command, as in a container, it would.
func isDevice(path string) bool {
	if full, err := filepath.Abs(path); err == nil && (strings.HasPrefix(full, "/dev/") || strings.HasPrefix(full, "/proc/")) {
		return true // also where it stands for a file that stdout is redirected to
	}
	info, err := os.Stat(path)
	return err == nil && !info.Mode().IsRegular() && !info.IsDir()
}

// writeToDevice writes to something that is there already.
func writeToDevice(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}
