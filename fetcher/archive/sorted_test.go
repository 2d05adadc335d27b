package archive_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lobstrail/lobstrail/fetcher/archive"
	"github.com/lobstrail/lobstrail/store"
)

// saved is an answer of account 0 at so many seconds.
func saved(second int) string {
	return fmt.Sprintf(`{"t":%d,"data":[%s]}`, second, object(0, fmt.Sprint(second)))
}

// asSaved are the snapshots of such answers.
func asSaved(seconds ...int) string {
	var lines strings.Builder
	for _, second := range seconds {
		fmt.Fprintln(&lines, "a000", second, second)
	}
	return lines.String()
}

// importSorted imports paths, as the command does, with a pipe as standard input.
func importSorted(t testing.TB, s store.Store, pipe string, o archive.Options, paths ...string) imported {
	t.Helper()
	dating := archive.Dating{Zone: time.UTC, ByField: true}
	items, _, err := archive.Files(paths, strings.NewReader(pipe), dating)
	if err != nil {
		t.Fatal(err)
	}
	return importInto(t, s, archive.SortedFiles(t.Context(), items, o), o)
}

func write(t testing.TB, path string, body []byte) string {
	t.Helper()
	if err := os.WriteFile(path, body, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// sortedCases are files and a pipe ("-"), and what is kept of them.
func sortedCases() map[string]struct {
	files    map[string]string
	kept     string
	failures []string
} {
	lines := func(seconds ...int) string {
		var all []string
		for _, second := range seconds {
			all = append(all, saved(second))
		}
		return strings.Join(all, "\n")
	}
	list := func(seconds ...int) string { return "[" + strings.ReplaceAll(lines(seconds...), "\n", " ,\n") + "]" }
	type files = map[string]string
	const none = `b: an answer without member "t", which tells the instant, was left out (at byte 176)`
	return map[string]struct {
		files    map[string]string
		kept     string
		failures []string
	}{
		"in order":             {files: files{"a": lines(1, 2, 2, 3)}, kept: asSaved(1, 2, 3)},
		"newest first":         {files: files{"a": lines(3, 2, 1)}, kept: asSaved(1, 2, 3)},
		"a list, newest first": {files: files{"a": list(3, 2, 1)}, kept: asSaved(1, 2, 3)},
		"a pipe, newest first": {files: files{"-": lines(3, 2, 1)}, kept: asSaved(1, 2, 3)},
		"one of two":           {files: files{"a": lines(2, 1), "b": lines(5)}, kept: asSaved(1, 2, 5)},
		"files in order":       {files: files{"a": lines(4, 5), "b": lines(1, 2)}, kept: asSaved(1, 2, 4, 5)},
		"files side by side":   {files: files{"a": lines(1, 3, 5), "b": list(2, 4, 6), "-": lines(0, 7)}, kept: asSaved(0, 1, 2, 3, 4, 5, 6, 7)},
		"an instant twice":     {files: files{"a": lines(2, 1) + `{"t":1,"data":[` + object(0, "7") + `]}`}, kept: "a000 1 1\na000 1 7\na000 2 2\n"},
		"nothing in one":       {files: files{"a": lines(2, 1), "b": " "}, kept: asSaved(1, 2), failures: []string{"b: nothing in it"}},
		"one breaks off": {files: files{"a": lines(4, 1), "b": lines(3, 2) + `{"t":5,"data":[`}, kept: asSaved(1, 2, 3, 4),
			failures: []string{"b: it breaks off (at byte 144)"}},
		"no instant, and no object": {files: files{"a": "[7," + lines(3) + "]", "b": lines(4, 2) + a}, kept: asSaved(2, 3, 4),
			failures: []string{"a: neither an object nor a list begins here (at byte 1)", none}},
		"no time": {files: files{"a": lines(2) + `{"t":"soon","data":[]}` + lines(1)}, kept: asSaved(1, 2),
			failures: []string{`a: an answer whose member "t" is no time was left out (at byte 75)`}},
	}
}

// TestAnswersAreSorted by the instants they tell, across all that is imported.
func TestAnswersAreSorted(t *testing.T) {
	for name, test := range sortedCases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, pipe := t.TempDir(), test.files["-"]
			var paths []string
			for name, body := range test.files {
				if name == "-" {
					paths = append(paths, name)
				} else {
					paths = append(paths, write(t, filepath.Join(dir, name), []byte(body)))
				}
			}
			slices.Sort(paths)
			s := openStore(t)
			for range 2 { // in the end there is nothing to be done
				done := importSorted(t, s, pipe, byField, paths...)
				for i := range done.messages {
					done.messages[i] = strings.TrimPrefix(done.messages[i], dir+"/")
				}
				slices.Sort(done.messages)
				if diff := cmp.Diff(test.failures, done.messages) + cmp.Diff(test.kept, stored(t, s)); diff != "" {
					t.Error(diff)
				}
				if done.Items != len(paths) {
					t.Errorf("%+v of %d", done.Result, len(paths))
				}
			}
		})
	}
}

// TestRandomFilesAreSorted: answers that are strewn over files of all forms, and
// a pipe, give the same store as one file in order.
func TestRandomFilesAreSorted(t *testing.T) {
	t.Parallel()
	for _, seed := range seeds(16) {
		rng := rand.New(rand.NewPCG(seed, 0x50f7))
		seconds := rng.Perm(60)
		var want []string
		for second := range seconds {
			want = append(want, saved(second))
		}
		steady, strewn := openStore(t), openStore(t)
		importSorted(t, steady, strings.Join(want, "\n"), byField, "-")
		dir, pipe, paths, size := t.TempDir(), "", []string(nil), int64(0)
		for n := 0; len(seconds) > 0; n++ {
			few := seconds[:min(len(seconds), 1+rng.IntN(25))]
			seconds = seconds[len(few):]
			if rng.IntN(3) == 0 {
				slices.Sort(few)
			}
			var all []string
			for _, second := range few {
				all = append(all, saved(second))
			}
			body := []byte(strings.Join(all, "\r\n"))
			if rng.IntN(2) == 0 {
				body = []byte("[" + strings.Join(all, ",") + "]")
			}
			switch rng.IntN(5) {
			case 0:
				body = gzipped(t, body)
			case 1:
				body = zstandard(t, body)
			case 2:
				body = inUTF16(binary.LittleEndian, string(body))
			case 3:
				body = append([]byte("\ufeff"), body...)
			}
			size += int64(len(body))
			if pipe == "" {
				pipe, paths = string(body), append(paths, "-")
			} else {
				paths = append(paths, write(t, filepath.Join(dir, fmt.Sprint(n)), body))
			}
		}
		done := importSorted(t, strewn, pipe, byField, paths...)
		if !sameHistory(t, steady, strewn) || done.run.State != store.Complete || done.Bytes != size || done.Items != len(paths) {
			t.Fatalf("seed %d (go test -seed %d): %d bytes, %+v", seed, seed, size, done)
		}
	}
}

// TestWhatIsTooLargeToBeSorted is told, unless it is in order; a file of plain text
// never is.
func TestWhatIsTooLargeToBeSorted(t *testing.T) {
	var forth, back []string
	for second := range 40 {
		forth = append(forth, saved(second))
	}
	back = slices.Clone(forth)
	slices.Reverse(back)
	inOrder, newestFirst := strings.Join(forth, "\n"), strings.Join(back, "\n")
	late := strings.Join(append(slices.Clone(forth), `{"t":3,"data":[`+object(0, "99")+`]}`, saved(50)), "\n")
	o := byField
	o.MaxHeld = len(inOrder) / 2
	const tooLarge = "its answers are not in the order of their instants, and it is too large to be sorted in memory"
	tests := map[string]struct {
		pipe, name string
		body       []byte
		kept       int
		says       string
	}{
		"a file, newest first":     {name: "f", body: []byte(newestFirst), kept: 40},
		"gzip, in order":           {name: "f", body: gzipped(t, []byte(inOrder)), kept: 40},
		"gzip, newest first":       {name: "f", body: gzipped(t, []byte(newestFirst)), says: tooLarge},
		"gzip, late out of order":  {name: "f", body: gzipped(t, []byte(late)), says: tooLarge},
		"a pipe, in order":         {pipe: inOrder, name: "-", kept: 40},
		"a pipe, newest first":     {pipe: newestFirst, name: "-", says: tooLarge},
		"a pipe, late one refused": {pipe: late, name: "-", kept: 41, says: "1 refused, older than the newest snapshot"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			path := test.name
			if path != "-" {
				path = write(t, filepath.Join(t.TempDir(), test.name), test.body)
			}
			done := importSorted(t, openStore(t), test.pipe, o, path)
			if done.run.Captured() != test.kept || (test.says == "") != (done.messages == nil) || !strings.Contains(strings.Join(done.messages, ""), test.says) {
				t.Errorf("%+v", done)
			}
		})
	}
	// One that is read as it comes takes no other answers in.
	dir := t.TempDir()
	packed, other := write(t, filepath.Join(dir, "a"), gzipped(t, []byte(inOrder))), write(t, filepath.Join(dir, "b"), []byte(saved(7)))
	if done := importSorted(t, openStore(t), "", o, packed, other); len(done.messages) != 1 || done.run.Captured() != 1 {
		t.Errorf("%+v", done)
	}
}

// TestCommitsAreSorted: each has its own order.
func TestCommitsAreSorted(t *testing.T) {
	r := newRepo(t)
	r.commit(hours(1), map[string]string{"f": saved(2) + saved(1)})
	r.commit(hours(2), map[string]string{"f": saved(4) + saved(3) + saved(2) + saved(1)})
	r.write()
	s := openStore(t)
	items := archive.SortedItems(t.Context(), archive.Git(t.Context(), r.find(t, "f", "")), byField)
	done := importInto(t, s, items, byField)
	if got := stored(t, s); got != asSaved(1, 2, 3, 4) || done.Items != 2 || done.Skipped != 2 || done.run.State != store.Complete {
		t.Errorf("%s%+v", got, done)
	}
}
