package archive

import (
	"cmp"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Dating says where files get their instants from.
type Dating struct {
	At     time.Time      // of all files; zero: of each its own
	Zone   *time.Location // of times in names that tell none
	ByTime bool           // the modification time, whatever the name says
	Now    time.Time      // the instant of what comes through a pipe
}

// Files lists files as items in the order of their instants: the files named, and
// those in the folders named whose names end in .json, .ndjson or .jsonl, also
// with .gz or .zst behind; "-" is in. What begins with a dot is passed over in
// folders. other is how many files in folders have another name.
func Files(paths []string, in io.Reader, dating Dating) (items []Item, other int, err error) {
	for _, path := range paths {
		if path == "-" {
			items = append(items, dating.pipe(in))
			continue
		}
		err := filepath.WalkDir(path, func(file string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case file != path && strings.HasPrefix(entry.Name(), "."):
				return skipHidden(entry)
			case entry.IsDir():
				return nil
			case file != path && !isJSON(entry.Name()):
				other++
				return nil
			}
			item, err := dating.file(file)
			items = append(items, item)
			return err
		})
		if err != nil {
			return nil, 0, err
		}
	}
	slices.SortStableFunc(items, func(a, b Item) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Name, b.Name))
	})
	return items, other, nil
}

func skipHidden(entry fs.DirEntry) error {
	if entry.IsDir() {
		return filepath.SkipDir
	}
	return nil
}

func isJSON(name string) bool {
	name = strings.ToLower(name)
	name = strings.TrimSuffix(strings.TrimSuffix(name, ".gz"), ".zst")
	switch filepath.Ext(name) {
	case ".json", ".ndjson", ".jsonl":
		return true
	}
	return false
}

func (d Dating) file(path string) (Item, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Item{}, err
	}
	item := Item{Name: path, Size: info.Size(), Open: func() (io.ReadCloser, error) { return os.Open(path) }}
	item.At, item.Origin = d.date(filepath.Base(path), info.ModTime())
	return item, nil
}

func (d Dating) date(name string, modified time.Time) (time.Time, Origin) {
	if !d.At.IsZero() {
		return d.At, Given
	}
	if at, found := InstantInName(name, d.Zone); found && !d.ByTime {
		return at, Name
	}
	return modified.UTC(), Modified
}

func (d Dating) pipe(in io.Reader) Item {
	item := Item{Name: "standard input", At: d.Now, Origin: Present, Open: func() (io.ReadCloser, error) { return io.NopCloser(in), nil }}
	if !d.At.IsZero() {
		item.At, item.Origin = d.At, Given
	}
	return item
}
