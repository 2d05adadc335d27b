package export

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	stateName = "_lobstrail.json"
	lockName  = "_lobstrail.lock"
	// tempName is the folder of files under way. Readers skip names that begin with _.
	tempName = "_lobstrail.tmp"
	fileName = "part-0.parquet"
)

const workspacePrefix = "workspace="

// longestName is how many bytes the name of a file may have on usual file systems.
const longestName = 255

// escapedByHive are the ASCII characters, beside the control characters, that Hive and
// Spark write as %XX in the name of a folder; both read any %XX back.
const escapedByHive = `"#%'*/:<=>?[\]^{|}`

// folderOf is the name of the folder of a workspace. Readers get the name back by
// decoding each %XX. also says which other characters are written so.
func folderOf(workspace string, also func(c byte) bool) string {
	var out strings.Builder
	out.WriteString(workspacePrefix)
	for i := range len(workspace) {
		c := workspace[i]
		// Windows drops a dot or a space at the end.
		last := i == len(workspace)-1 && (c == '.' || c == ' ')
		if c < 0x20 || c == 0x7f || last || strings.IndexByte(escapedByHive, c) >= 0 || also(c) {
			fmt.Fprintf(&out, "%%%02X", c)
		} else {
			out.WriteByte(c)
		}
	}
	return out.String()
}

// newFolder is the name for the folder of a workspace that has none yet. File systems that
// ignore case must not take it for one that is there: if they would, capital letters are
// escaped, or all.
func newFolder(workspace string, taken []string) (string, error) {
	capital := func(c byte) bool { return 'A' <= c && c <= 'Z' }
	letter := func(c byte) bool { return capital(c) || 'a' <= c && c <= 'z' }
	for _, also := range []func(byte) bool{func(byte) bool { return false }, capital, letter} {
		folder := folderOf(workspace, also)
		if len(folder) > longestName {
			return "", fmt.Errorf("the folder of workspace %q would have a name of %d bytes; %d are possible", workspace, len(folder), longestName)
		}
		if !slices.ContainsFunc(taken, func(other string) bool { return strings.EqualFold(other, folder) }) {
			return folder, nil
		}
	}
	return "", fmt.Errorf("the folder of workspace %q has the same name as that of another workspace where a file system ignores case", workspace)
}

// partition is the file of one table, workspace and period.
type partition struct {
	table  *table
	folder string // of the workspace
	key    string // of the period, such as 2026-11-27; "" if the table has none
}

// path is the file below the directory of the export.
func (p partition) path(dir string) string {
	if p.table.period == whole {
		return filepath.Join(dir, p.table.name, p.folder, fileName)
	}
	return filepath.Join(dir, p.table.name, p.folder, string(p.table.period)+"="+p.key, fileName)
}

// bounds are the instants between which its rows are, as the views write them; the second
// is no part of it.
func (p partition) bounds() (from, until string, err error) {
	if p.table.period == whole {
		return "", "", nil
	}
	begin, err := time.Parse(layoutOf[p.table.period], p.key)
	if err != nil {
		return "", "", err
	}
	end := begin.AddDate(0, 0, 1)
	if p.table.period == monthly {
		end = begin.AddDate(0, 1, 0)
	}
	return writeInstant(begin), writeInstant(end), nil
}

// keyOf is the period that an instant, as the views write it, is in.
func (t *table) keyOf(at string) (string, error) {
	if t.period == whole {
		return "", nil
	}
	length := len(layoutOf[t.period])
	if len(at) < length {
		return "", fmt.Errorf("%s of %s is no instant: %q", t.at, t.view, at)
	}
	_, err := time.Parse(layoutOf[t.period], at[:length])
	return at[:length], err
}

var periodFolder = regexp.MustCompile(`^(day|month)=([0-9]{4}-[0-9]{2}(?:-[0-9]{2})?)$`)

// findFiles lists the partitions that are in the directory, with their sizes. folders
// are those of known workspaces. It returns ErrForeign for anything that is not ours in
// the folder of a table; names that begin with a dot or an underscore are nobody's.
func findFiles(dir string, folders []string) (map[partition]int64, error) {
	found := map[partition]int64{}
	for _, t := range tables {
		err := eachEntry(filepath.Join(dir, t.name), func(path string, e fs.DirEntry) error {
			if !e.IsDir() || !slices.Contains(folders, e.Name()) {
				return foreign(path)
			}
			return t.findIn(path, partition{table: t, folder: e.Name()}, found)
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// findIn lists the files in the folder of a workspace.
func (t *table) findIn(folder string, p partition, found map[partition]int64) error {
	return eachEntry(folder, func(path string, e fs.DirEntry) error {
		if t.period == whole {
			return addFile(path, e, p, found)
		}
		named := periodFolder.FindStringSubmatch(e.Name())
		if !e.IsDir() || named == nil || period(named[1]) != t.period || len(named[2]) != len(layoutOf[t.period]) {
			return foreign(path)
		}
		p.key = named[2]
		return eachEntry(path, func(path string, e fs.DirEntry) error { return addFile(path, e, p, found) })
	})
}

func addFile(path string, e fs.DirEntry, p partition, found map[partition]int64) error {
	if e.Name() != fileName || !e.Type().IsRegular() {
		return foreign(path)
	}
	info, err := e.Info()
	if err == nil {
		found[p] = info.Size()
	}
	return err
}

// eachEntry calls fn for what is in a folder, if there is one.
func eachEntry(folder string, fn func(path string, e fs.DirEntry) error) error {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if name := e.Name(); err == nil && name[0] != '.' && name[0] != '_' {
			err = fn(filepath.Join(folder, name), e)
		}
	}
	return err
}

func foreign(path string) error { return fmt.Errorf("%w: %s", ErrForeign, path) }

const instantLayout = "2006-01-02T15:04:05.000Z"

// writeInstant writes an instant as the views do.
func writeInstant(t time.Time) string { return t.UTC().Format(instantLayout) }
