//go:build unix

package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// closedAtStart reports whether a standard stream was closed when the process
// began (">&-" in a shell). Go has then opened /dev/null in its place, for reading
// and writing; a shell's ">/dev/null" is open for writing only. Where stderr goes to
// /dev/null as well, somebody wants to hear nothing, and not by mistake.
func closedAtStart(f *os.File) bool {
	return isNull(f) && !isNull(os.Stderr)
}

func isNull(f *os.File) bool {
	info, err := f.Stat()
	if err != nil {
		return true
	}
	null, err := os.Stat(os.DevNull)
	if err != nil || !os.SameFile(info, null) {
		return false
	}
	flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0)
	return err == nil && (flags&unix.O_ACCMODE == unix.O_RDWR || f == os.Stderr)
}
