//go:build !unix

package notify

import "os/exec"

// killGroup does nothing: here only the process itself is killed when its context is done.
func killGroup(*exec.Cmd) {}
