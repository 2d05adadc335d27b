package engines_test

import (
	"os"
	"os/exec"
	"sync"
	"syscall"
)

// apart lets a command run as on another machine: with process numbers and a host name of
// its own.
func apart(c *exec.Cmd) { c.SysProcAttr = namespaces() }

// namespaces are what apart needs. A user who may not make them gets them within one for
// users; nil: not even that.
var namespaces = sync.OnceValue(func() *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWUTS}
	if os.Getuid() != 0 {
		attributes.Cloneflags |= syscall.CLONE_NEWUSER
		attributes.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		attributes.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	probe := exec.Command("/proc/self/exe", "-test.run=^$")
	probe.SysProcAttr = attributes
	if probe.Run() != nil {
		return nil
	}
	return attributes
})

// rename names the machine of this process, if it has one of its own.
func rename(host string) error {
	if host == "" || os.Getpid() != 1 {
		return nil
	}
	return syscall.Sethostname([]byte(host))
}
