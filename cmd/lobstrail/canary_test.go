package main

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
)

// canary is the API key that must come out nowhere. It has characters that one
// coding or another replaces.
const canary = "cAnArY+/=%&<7f3a91c05b-lobstr\"k3y"

// disguises are what a leak of the canary would look like, by name.
func disguises() map[string][]byte {
	key := []byte(canary)
	quoted, _ := json.Marshal(canary) // a string always marshals
	found := map[string][]byte{
		"JSON": bytes.Trim(quoted, `"`), "Go": []byte(strings.Trim(strconv.Quote(canary), `"`)),
		"a query": []byte(url.QueryEscape(canary)), "a path": []byte(url.PathEscape(canary)),
		"hex": []byte(hex.EncodeToString(key)), "HEX": []byte(strings.ToUpper(hex.EncodeToString(key))),
	}
	for i := 0; i+8 <= len(key); i++ { // also a part of it is too much
		found[fmt.Sprintf("a part of the key at %d", i)] = key[i : i+8]
	}
	for shift := range 3 { // base64 of a text that holds the key
		for _, coding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			code := coding.EncodeToString(append(make([]byte, shift), key...))
			found[fmt.Sprintf("base64 %d %p", shift, coding)] = []byte(code[4 : len(code)-4])
		}
	}
	for _, text := range []string{canary, "Token " + canary} {
		md, s1, s2 := md5.Sum([]byte(text)), sha1.Sum([]byte(text)), sha256.Sum256([]byte(text))
		for _, sum := range [][]byte{md[:], s1[:], s2[:]} {
			found[fmt.Sprintf("a digest of %d bytes of %.5s", len(sum), text)] = sum
			found[fmt.Sprintf("a hex digest of %d bytes of %.5s", len(sum), text)] = []byte(hex.EncodeToString(sum))
			found[fmt.Sprintf("a base64 digest of %d bytes of %.5s", len(sum), text)] = []byte(base64.RawStdEncoding.EncodeToString(sum))
		}
	}
	return found
}

// searchCanary looks for the key in all files below dir and in what was told.
func searchCanary(t testing.TB, dir string, told ...outcome) {
	t.Helper()
	for _, o := range told {
		searchFor(t, dir, o, disguises())
	}
}

func searchFor(t testing.TB, dir string, told outcome, needles map[string][]byte) {
	t.Helper()
	search := func(place string, raw []byte) {
		for name, needle := range needles {
			if bytes.Contains(raw, needle) {
				t.Errorf("%s is in %s: %q", name, place, needle)
			}
		}
	}
	search("stdout", []byte(told.stdout))
	search("stderr", []byte(told.stderr))
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // gone meanwhile: a process works here
		}
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		search(filepath.Base(path), raw)
		files++
		return err
	})
	if err != nil || files == 0 {
		t.Fatalf("searched %d files: %v", files, err)
	}
}

// TestTheSearchFindsTheKey: each disguise is found where it is.
func TestTheSearchFindsTheKey(t *testing.T) {
	for name, needle := range disguises() {
		dir, probe := t.TempDir(), &recorder{TB: t}
		if err := os.WriteFile(filepath.Join(dir, "f"), append([]byte("xx"), needle...), 0o600); err != nil {
			t.Fatal(err)
		}
		searchCanary(probe, dir, outcome{})
		if probe.errors == 0 {
			t.Errorf("%s is not found in a file", name)
		}
	}
	probe := &recorder{TB: t}
	searchFor(probe, ".", outcome{stderr: "Authorization: Token " + canary}, disguises())
	if probe.errors == 0 {
		t.Error("the key is not found on stderr")
	}
}

// recorder counts errors instead of failing.
type recorder struct {
	testing.TB
	errors int
}

func (r *recorder) Helper()               {}
func (r *recorder) Errorf(string, ...any) { r.errors++ }

// TestTheKeyIsInNoProcessList looks while a batch runs, also into the journal that
// is gone afterwards. (The environment is where the user put the key.)
func TestTheKeyIsInNoProcessList(t *testing.T) {
	if _, err := os.Stat("/proc/self/cmdline"); err != nil {
		t.Skip("no /proc here")
	}
	world := nowWorld()
	addCrowd(world, 20)
	server := serve(t, world)
	server.AddWorkspace(canary, world)
	server.SetPageLimits(5, 5)
	server.Inject(lobstrtest.Fault{Name: "slow", Do: lobstrtest.Drips(4, 25*time.Millisecond)}, lobstrtest.When{})
	h := newHome(t).asks(server, canary)
	if err := os.WriteFile(filepath.Join(h.dir, "key"), []byte(canary+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	delete(h.vars, "LOBSTR_TOKEN")
	cmd := h.command("snapshot", "--token-file", "key", "--verbose")
	looks, done, end := 0, make(chan outcome), begin(t, cmd)
	go func() { done <- end() }()
	for running := true; running; {
		select {
		case o := <-done:
			running = false
			if o.code != exitDone {
				t.Errorf("the batch: %s", o)
			}
		case <-time.After(20 * time.Millisecond):
			looks += lookAtProcess(t, h)
		}
	}
	if looks < 3 {
		t.Errorf("looked at the process %d times only", looks)
	}
}

// lookAtProcess searches the command line of a running process, and its files but
// the one with the key.
func lookAtProcess(t *testing.T, h *home) int {
	t.Helper()
	locks, _ := filepath.Glob(h.db + ".lock") // the pattern is good
	if len(locks) == 0 {
		return 0 // it has not begun yet
	}
	raw, err := os.ReadFile(locks[0])
	fields := strings.Fields(string(raw))
	if err != nil || len(fields) == 0 {
		return 0
	}
	line, err := os.ReadFile(filepath.Join("/proc", fields[0], "cmdline"))
	if err != nil || len(line) == 0 {
		return 0 // it has ended
	}
	if !bytes.Contains(line, []byte("snapshot")) {
		t.Errorf("the process that holds the store is %q", line)
	}
	searchFor(t, filepath.Dir(h.db), outcome{stdout: string(line)}, disguises())
	return 1
}
