package engines_test

import (
	"os"
	"os/exec"
	"syscall"
)

// apart lets a command run as on another machine: with process numbers and a host name of
// its own. A user who may not make such a thing gets one in a namespace for users.
func apart(c *exec.Cmd) {
	attributes := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWUTS}
	if os.Getuid() != 0 {
		attributes.Cloneflags |= syscall.CLONE_NEWUSER
		attributes.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		attributes.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	probe := exec.Command("/proc/self/exe", "-test.run=^$")
	probe.SysProcAttr = attributes
	if probe.Run() == nil {
		c.SysProcAttr = attributes
	}
}

// rename names the machine of this process, if it has one of its own.
func rename(host string) error {
	if host == "" || os.Getpid() != 1 {
		return nil
	}
	return syscall.Sethostname([]byte(host))
}
