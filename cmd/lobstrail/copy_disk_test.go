//go:build linux

package main

import (
	"fmt"
	"strings"
	"testing"
)

// TestACopyToAFullDisk leaves a store that is whole, or none, and the next one goes on.
func TestACopyToAFullDisk(t *testing.T) {
	t.Parallel()
	h := ioHome(t)
	script := fmt.Sprintf(`
		mkdir full && mount -t tmpfs -o size=900k lab full || exit %d
		lobstrail demo --quiet --db demo.db >/dev/null 2>&1
		lobstrail copy demo.db full/copy.db >out 2>err; echo $? >code
		mount -o remount,size=64m full
		lobstrail copy demo.db full/copy.db >again 2>&1; echo $? >again.code
		lobstrail verify --db full/copy.db`, cannotMount)
	if o := h.mounted(script); o.code != 0 {
		t.Fatal(o)
	}
	o := h.left("code", "out", "err")
	if o.code != exitFailed || !strings.Contains(o.stderr, "disk is full") || !strings.Contains(o.stderr, "make room and run the command again") {
		t.Errorf("on a full disk: %s", o)
	}
	if o := h.left("again.code", "again", "again"); o.code != exitDone {
		t.Errorf("with room again: %s", o)
	}
}
