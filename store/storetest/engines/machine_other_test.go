//go:build !linux

package engines_test

import "os/exec"

// Elsewhere than on Linux the second processes run on this machine, as far as the store can
// tell; there it takes the lease of no process before it has expired.
func apart(*exec.Cmd) {}

func rename(string) error { return nil }
