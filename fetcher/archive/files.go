package archive

import (
	"cmp"
	"fmt"
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
	At      time.Time      // of all files; zero: of each its own
	Zone    *time.Location // of times in names that tell none
	ByTime  bool           // the modification time, whatever the name says
	ByField bool           // none: a member of each answer tells them
	Now     time.Time      // the instant of what comes through a pipe
}

// Files lists files as items in the order of their instants: the files named, and
// those in the folders named whose names end in .json, .ndjson or .jsonl, also
// with .gz or .zst behind; "-" is in. What begins with a dot is passed over in
// folders, and folders behind symbolic links are not entered there. other is how
// many files in folders have another name. What is in folders and cannot be
// looked at becomes an item that is lost, and so does a folder with no such file;
// the error is one of a path named.
func Files(paths []string, in io.Reader, dating Dating) (items []Item, other int, err error) {
	for _, path := range paths {
		if path == "-" {
			items = append(items, dating.pipe(in))
			continue
		}
		info, err := os.Stat(path)
		if err != nil {
			return nil, 0, err
		}
		if !info.IsDir() {
			items = append(items, dating.file(path, info))
			continue
		}
		below, passed := dating.folder(path)
		if len(below) == 0 {
			below = []Item{{Name: path, Lost: errNothing}}
		}
		items, other = append(items, below...), other+passed
	}
	slices.SortStableFunc(items, func(a, b Item) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Name, b.Name))
	})
	return items, other, nil
}

// folder lists what is below a folder.
func (d Dating) folder(root string) (items []Item, other int) {
	// A separator at the end is for roots that are symbolic links.
	_ = filepath.WalkDir(root+string(filepath.Separator), func(path string, entry fs.DirEntry, err error) error {
		path = filepath.Clean(path)
		switch {
		case err != nil:
			items = append(items, Item{Name: path, Lost: err})
			return nil
		case path != filepath.Clean(root) && strings.HasPrefix(entry.Name(), "."):
			return skipHidden(entry)
		case entry.IsDir():
			return nil
		case !isJSON(entry.Name()):
			other++
			return nil
		}
		info, err := os.Stat(path)
		switch {
		case err != nil:
			items = append(items, Item{Name: path, Lost: err})
		case !info.IsDir(): // else a link to a folder
			items = append(items, d.file(path, info))
		}
		return nil
	})
	return items, other
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

func (d Dating) file(path string, info fs.FileInfo) Item {
	item := Item{
		Name: path, Size: info.Size(), Again: info.Mode().IsRegular(), Open: func() (io.ReadCloser, error) { return os.Open(path) },
	}
	item.At, item.Origin, item.Lost = d.date(path, info.ModTime())
	return item
}

func (d Dating) date(path string, modified time.Time) (time.Time, Origin, error) {
	switch {
	case !d.At.IsZero():
		return d.At, Given, nil
	case d.ByField:
		return time.Time{}, Field, nil
	case !d.ByTime:
		at, found, err := InstantInName(filepath.ToSlash(filepath.Clean(path)), d.Zone)
		if err != nil {
			return time.Time{}, Name, fmt.Errorf("its name tells no instant: %w: rename it with a zone (0230+0200, 0030Z), or give the instant", err)
		}
		if found {
			return at, Name, nil
		}
	}
	return modified.UTC(), Modified, nil
}

func (d Dating) pipe(in io.Reader) Item {
	item := Item{Name: "standard input", At: d.Now, Origin: Present, Open: func() (io.ReadCloser, error) { return io.NopCloser(in), nil }}
	if !d.At.IsZero() {
		item.At, item.Origin = d.At, Given
	}
	return item
}
