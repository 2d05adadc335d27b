package notify

import (
	"os"
	"os/exec"
	"testing"
)

// runAgain runs this test alone, in a process with another environment: net/http reads it
// once.
func runAgain(t *testing.T, environment ...string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), environment...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
