//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAnExportToAFullDisk leaves the files as they were, and the next one goes on.
func TestAnExportToAFullDisk(t *testing.T) {
	t.Parallel()
	for _, room := range fewerOf([]int{0, 8, 40}, 2) { // KiB
		t.Run(fmt.Sprint(room, " KiB left"), func(t *testing.T) {
			t.Parallel()
			h := ioHome(t)
			if err := os.Mkdir(filepath.Join(h.dir, "lake"), 0o700); err != nil {
				t.Fatal(err)
			}
			script := fmt.Sprintf(`
				mount -t tmpfs -o size=2m lab lake || exit %[2]d
				lobstrail export --parquet lake >/dev/null || exit 1
				lobstrail snapshot >/dev/null || exit 1
				(cd lake && find . -name '*.parquet' | sort | xargs cat) >before
				head -c %[1]d /dev/zero >lake/room
				cat /dev/zero >lake/filler 2>/dev/null
				rm lake/room
				lobstrail export --parquet lake >out 2>err; echo $? >code
				(cd lake && find . -path ./_lobstrail.tmp -prune -o -name '*.parquet' -print | sort | xargs cat) >after
				rm lake/filler
				lobstrail export --parquet lake >again 2>&1; echo $? >again.code
				cp -r lake kept
				lobstrail export --parquet whole`, room<<10, cannotMount)
			if o := h.mounted(script); o.code != 0 {
				t.Fatal(o)
			}
			o := h.left("code", "out", "err")
			if o.code != exitFailed || !strings.Contains(o.stderr, "disk is full") || !strings.Contains(o.stderr, "make room and run the command again") {
				t.Errorf("on a full disk: %s", o)
			}
			if room == 0 && h.fileText("before") != h.fileText("after") {
				t.Error("the old files are not as they were")
			}
			if o := h.left("again.code", "again", "again"); o.code != exitDone {
				t.Errorf("with room again: %s", o)
			}
			h.sameExports("kept", "whole")
		})
	}
}

func (h *home) fileText(name string) string {
	h.t.Helper()
	raw, err := os.ReadFile(filepath.Join(h.dir, name))
	if err != nil {
		h.t.Fatal(err)
	}
	return string(raw)
}

// fewerOf are the first n in the short mode, else all.
func fewerOf[T any](all []T, n int) []T { return all[:min(len(all), fewer(len(all), n))] }
