//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/report"
)

// ioHome is a home with a store, before an API that shows many more accounts than
// the store knows: its next snapshot needs room.
func ioHome(t *testing.T) *home {
	t.Helper()
	world := faultWorld()
	addCrowd(world, 300)
	h := newHome(t).asks(serve(t, world), lobstrtest.DefaultToken)
	h.keep(t)
	return h
}

// mounted runs a shell script with file systems of its own, which vanish with it.
// It skips the test where that is not allowed.
func (h *home) mounted(script string) outcome {
	h.t.Helper()
	shell, err := exec.LookPath("sh")
	if err != nil {
		h.t.Skip("no shell here: ", err)
	}
	attributes := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		attributes.Cloneflags |= syscall.CLONE_NEWUSER
		attributes.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		attributes.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	probe := exec.Command(shell, "-c", ":")
	probe.SysProcAttr = attributes
	if err := probe.Run(); err != nil {
		h.t.Skip("processes with mounts of their own are not allowed here: ", err)
	}
	cmd := h.command()
	cmd.Path, cmd.Args, cmd.Err, cmd.SysProcAttr = shell, []string{"sh", "-c", script}, nil, attributes
	o := finish(h.t, cmd)
	if o.code == cannotMount {
		h.t.Skip("mounting is not allowed here: ", o.stderr)
	}
	return o
}

// cannotMount is what the scripts exit with when they could not begin.
const cannotMount = 77

// refused checks an error of the disk: its exit code, that it names the store, and
// that it says what to do.
func (h *home) refused(what string, o outcome, matter, next string) {
	h.t.Helper()
	if o.code != exitFailed || !strings.Contains(o.stderr, h.db) || !strings.Contains(o.stderr, matter) || !strings.Contains(o.stderr, next) {
		h.t.Errorf("%s: want exit 1, %s, %q and %q, got %s", what, h.db, matter, next, o)
	}
}

// onlyStore checks that nothing is left beside the store but what belongs there.
func (h *home) onlyStore(what string, names []string) {
	h.t.Helper()
	for _, name := range names {
		if !slices.Contains([]string{"lobstrail.db", "lobstrail.db-wal", "lobstrail.db-shm", "lobstrail.db.lock"}, name) {
			h.t.Errorf("%s: %s is left behind", what, name)
		}
	}
}

// TestTheDiskIsFull leaves more or less room on a small file system.
func TestTheDiskIsFull(t *testing.T) {
	t.Parallel()
	rooms := []int{0, 4, 24, 64, 200} // KiB
	if testing.Short() {
		rooms = []int{4, 64}
	}
	for _, room := range rooms {
		t.Run(fmt.Sprint(room, " KiB left"), func(t *testing.T) {
			t.Parallel()
			h := ioHome(t)
			script := fmt.Sprintf(`
				cp %[1]s store && mount -t tmpfs -o size=6m lab %[2]s || exit %[4]d
				cp store %[1]s
				head -c %[3]d /dev/zero >%[2]s/room
				cat /dev/zero >%[2]s/filler 2>/dev/null
				rm %[2]s/room
				lobstrail snapshot >out 2>err; echo $? >code
				lobstrail accounts --json >accounts 2>accounts.err; echo $? >accounts.code
				rm %[2]s/filler
				ls %[2]s >names
				lobstrail snapshot >again 2>&1; echo $? >again.code`, h.db, filepath.Dir(h.db), room<<10, cannotMount)
			if o := h.mounted(script); o.code != 0 {
				t.Fatal(o)
			}
			h.refused("on a full disk", h.left("code", "out", "err"), "disk is full", "nothing that was stored is lost; make room")
			// A reader needs room for what readers share, once there is a journal.
			o := h.left("accounts.code", "accounts", "accounts.err")
			if read := strings.Count(o.stdout, `"username"`) >= len(faultCast); o.code != exitDone || !read {
				h.refused("reading on a full disk", o, "disk is full", "make room")
			}
			if o := h.left("again.code", "again", "again"); o.code != exitDone {
				t.Errorf("with room again: %s", o)
			}
			h.onlyStore("on a full disk", strings.Fields(h.left("code", "names", "names").stdout))
		})
	}
}

// left is the outcome that a script has put into files of the home.
func (h *home) left(code, stdout, stderr string) (o outcome) {
	h.t.Helper()
	read := func(name string) string {
		raw, err := os.ReadFile(filepath.Join(h.dir, name))
		if err != nil {
			h.t.Fatal(err)
		}
		return string(raw)
	}
	if _, err := fmt.Sscan(read(code), &o.code); err != nil {
		h.t.Fatal(err)
	}
	o.stdout, o.stderr = read(stdout), read(stderr)
	if fault := unacceptable(o.stderr); fault != "" {
		h.t.Errorf("it says %q: %s", fault, o)
	}
	return o
}

// TestFilesMayNotGrow: a limit on the size of files is not a full disk, but no
// less in the way.
func TestFilesMayNotGrow(t *testing.T) {
	t.Parallel()
	h := ioHome(t)
	cmd := h.command()
	cmd.Path, cmd.Args, cmd.Err = "/bin/sh", []string{"sh", "-c", "ulimit -f 200 && exec lobstrail snapshot"}, nil
	if _, err := os.Stat(cmd.Path); err != nil {
		t.Skip("no shell here: ", err)
	}
	o := finish(t, cmd)
	h.refused("files may not grow", o, "disk I/O error", "run the command again")
	var accounts []report.AccountJSON
	if h.read(&accounts, "accounts"); len(accounts) < len(faultCast) {
		t.Errorf("%d accounts are left", len(accounts))
	}
	h.must(exitDone, "snapshot")
}

// TestAReadOnlyPlace: reading works there; what would write says why it cannot.
func TestAReadOnlyPlace(t *testing.T) {
	t.Parallel()
	for _, there := range []bool{true, false} {
		t.Run(fmt.Sprint("with a store: ", there), func(t *testing.T) {
			t.Parallel()
			h := ioHome(t)
			if !there {
				if err := os.Remove(h.db); err != nil {
					t.Fatal(err)
				}
			}
			script := fmt.Sprintf(`
				mount --bind %[1]s %[1]s && mount -o remount,bind,ro %[1]s || exit %[2]d
				lobstrail snapshot >out 2>err; echo $? >code
				lobstrail accounts --json >accounts 2>accounts.err; echo $? >accounts.code
				ls %[1]s >names`, filepath.Dir(h.db), cannotMount)
			if o := h.mounted(script); o.code != 0 {
				t.Fatal(o)
			}
			h.refused("read-only", h.left("code", "out", "err"), "read-only file system", "let this user write to the file and its folder")
			want := exitDone
			if !there {
				want = exitNoStore
			}
			if o := h.left("accounts.code", "accounts", "accounts.err"); o.code != want {
				t.Errorf("reading: %s", o)
			}
			h.onlyStore("read-only", strings.Fields(h.left("code", "names", "names").stdout))
		})
	}
}

// TestAFolderOfSomebodyElse: another user may read the store, and not write to it.
func TestAFolderOfSomebodyElse(t *testing.T) {
	t.Parallel()
	h := ioHome(t)
	var credential *syscall.Credential
	if os.Geteuid() == 0 { // whom no mode binds: be nobody
		credential = &syscall.Credential{Uid: 65534, Gid: 65534}
		h.openTo(t)
	} else if err := os.Chmod(filepath.Dir(h.db), 0o555); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(filepath.Dir(h.db), 0o755) }) // else it could not be removed
	for _, args := range [][]string{{"snapshot"}, {"snapshot", "--db", filepath.Join(filepath.Dir(h.db), "other", "new.db")}} {
		cmd := h.command(args...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential}
		o := finish(t, cmd)
		if o.code != exitFailed || !strings.Contains(o.stderr, filepath.Dir(h.db)) || !strings.Contains(o.stderr, "let this user write") {
			t.Errorf("%q: %s", args, o)
		}
	}
	cmd := h.command("accounts", "--json")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential}
	if o := finish(t, cmd); o.code != exitDone {
		t.Errorf("reading: %s", o)
	}
	if found, err := filepath.Glob(filepath.Dir(h.db) + "/*"); err != nil || len(found) != 1 {
		t.Errorf("%q are there: %v", found, err)
	}
}

// openTo lets other users run the command and read the home.
func (h *home) openTo(t *testing.T) {
	t.Helper()
	program, err := exec.LookPath("lobstrail")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(h.dir, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bin, "lobstrail"), raw, 0o755); err != nil {
		t.Fatal(err)
	}
	h.program = filepath.Join(bin, "lobstrail")
	if err := os.Chmod(h.db, 0o644); err != nil {
		t.Fatal(err)
	}
	for dir := filepath.Dir(h.db); dir != "/" && dir != os.TempDir(); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// TestACheckpointThatDoesNotFit: a write that fails half way leaves the file as it
// was, and the next one goes on there.
func TestACheckpointThatDoesNotFit(t *testing.T) {
	t.Parallel()
	h := ioHome(t)
	h.must(exitDone, "key", "--name", "example.com/lobstrail", "-o", filepath.Join(h.dir, "k"))
	file := filepath.Join(h.dir, "checkpoints")
	before := strings.Repeat("\n", 137*512-100) // blank lines do not matter; 100 bytes fit in
	if err := os.WriteFile(file, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := h.command()
	cmd.Path, cmd.Args, cmd.Err = "/bin/sh", []string{"sh", "-c", "ulimit -f 137 && exec lobstrail checkpoint --key k --to checkpoints"}, nil
	if _, err := os.Stat(cmd.Path); err != nil {
		t.Skip("no shell here: ", err)
	}
	if o := finish(t, cmd); o.code != exitFailed || !strings.Contains(o.stderr, "checkpoints") {
		t.Errorf("it does not fit: %s", o)
	}
	if after, err := os.ReadFile(file); err != nil || string(after) != before {
		t.Errorf("the file has %d bytes, had %d: %v", len(after), len(before), err)
	}
	h.must(exitDone, "checkpoint", "--key", "k", "--to", "checkpoints")
	h.must(exitDone, "verify", "--checkpoint", "checkpoints")
}
