package postgres

import (
	"errors"
	"os"
	"strings"
	"sync"
	"syscall"
)

// machine names where numbers of processes mean the same as here: this start of this
// kernel, and this namespace of processes, of which each container has its own. It is
// empty when the kernel does not tell.
var machine = sync.OnceValue(func() string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	namespace, err2 := os.Readlink("/proc/self/ns/pid")
	if err != nil || err2 != nil {
		return ""
	}
	return strings.TrimSpace(string(boot)) + " " + namespace
})

// alive reports whether there is a process of that number. In doubt there is.
func alive(pid int) bool {
	return pid <= 0 || !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
}
