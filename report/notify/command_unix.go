//go:build unix

package notify

import (
	"os/exec"
	"syscall"
)

// killGroup has a command run in a process group of its own, all of which is killed when
// its context is done.
func killGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
