package export

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/lobstrail/lobstrail/store"
)

// The reasons why a directory is refused. Nothing in it was changed.
var (
	// ErrForeign means that there are other files than those of an export in the folder
	// of a table, or a file of the state that is not ours.
	ErrForeign = errors.New("not a Parquet export of lobstrail")
	// ErrOther means that the directory holds the export of another history.
	ErrOther = errors.New("the directory holds the export of another history")
	// ErrNewer means that a newer lobstrail wrote the export.
	ErrNewer = errors.New("a newer lobstrail wrote the export")
)

// InUseError says that another process exports to the directory. It matches
// [store.ErrBusy].
type InUseError struct{ Dir string }

// Error names the directory.
func (e *InUseError) Error() string { return "another export writes to " + e.Dir }

// Is reports whether target is [store.ErrBusy].
func (e *InUseError) Is(target error) bool { return target == store.ErrBusy }

const formatName = "lobstrail parquet"

// state is the state file: what was exported when the last export ended.
type state struct {
	Format     string                     `json:"format"`
	Layout     int                        `json:"layout"`
	Workspaces map[string]*workspaceState `json:"workspaces"` // by name
}

// workspaceState is what was exported of a workspace. Layout is 0 until the first export of
// it has ended.
type workspaceState struct {
	Folder string `json:"folder"`
	// The log of the workspace when the export began: the files have all of it, and
	// perhaps more.
	LogSize int64  `json:"log_size"`
	LogRoot string `json:"log_root"`
	Layout  int    `json:"layout"` // of its files
	Rules   int    `json:"rules"`  // the version of the rules that made changes
	// Redacted is how many accounts had been redacted.
	Redacted int `json:"redacted"`
	// From is the instant from which on periods were exported; "": all.
	From string `json:"from"`
	// Until is when the newest snapshot was received, and Run the newest run such that it
	// and all before it were over.
	Until string `json:"until"`
	Run   int64  `json:"run"`
	// Files are those of the export, by table and period.
	Files map[string]map[string]fileState `json:"files"`
}

// fileState is what is known of a file.
type fileState struct {
	Rows  int64 `json:"rows"`
	Bytes int64 `json:"bytes"`
	// Open is a digest of the rows that could still change when it was written; "" for
	// none.
	Open string `json:"open,omitempty"`
}

// tree is the log when the last export began.
func (w *workspaceState) tree() (tlog.Tree, error) {
	hash, err := tlog.ParseHash(w.LogRoot)
	return tlog.Tree{N: w.LogSize, Hash: hash}, err
}

// folders are those of all workspaces.
func (s *state) folders() (all []string) {
	for _, w := range s.Workspaces {
		all = append(all, w.Folder)
	}
	return all
}

// lockDir makes the directory unless it is there, and keeps other exports out of it until
// unlock is called. It returns an [InUseError] if one is in it.
func lockDir(dir string) (unlock func() error, err error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(dir, lockName), flock.SetPermissions(0o666))
	locked, err := lock.TryLock()
	if err == nil && !locked {
		err = &InUseError{dir}
	}
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock.Unlock, nil
}

// readState reads the state file. Without one the directory is new: then the folders of the
// tables must not hold anything.
func readState(dir string) (*state, error) {
	path := filepath.Join(dir, stateName)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		s := &state{Format: formatName, Layout: layout, Workspaces: map[string]*workspaceState{}}
		_, err := findFiles(dir, nil)
		return s, err
	}
	if err != nil {
		return nil, err
	}
	s := &state{}
	if err := json.Unmarshal(raw, s); err != nil || s.Format != formatName {
		return nil, foreign(path)
	}
	if s.Layout > layout {
		return nil, ErrNewer
	}
	for name, w := range s.Workspaces {
		if w == nil || folderBase(w.Folder) != w.Folder {
			return nil, fmt.Errorf("%w: workspace %q", foreign(path), name)
		}
		if _, err := w.tree(); err != nil {
			return nil, fmt.Errorf("%w: workspace %q: %w", foreign(path), name, err)
		}
	}
	return s, nil
}

// folderBase is the last part of the name of a workspace's folder, for which a name that
// leads elsewhere is not fit.
func folderBase(folder string) string {
	if len(folder) <= len(workspacePrefix) || folder[:len(workspacePrefix)] != workspacePrefix {
		return ""
	}
	return filepath.Base(folder)
}

// setState puts what was exported of a workspace into the state file.
func (x *exporter) setState(workspace string, w *workspaceState) error {
	x.state.Workspaces[workspace], x.state.Layout = w, layout
	return x.writeState()
}

// writeState replaces the state file, unless it says the same already.
func (x *exporter) writeState() error {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(x.state); err != nil {
		return err
	}
	path := filepath.Join(x.o.Dir, stateName)
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, out.Bytes()) {
		return nil
	}
	temp, err := x.tempFile()
	if err != nil {
		return err
	}
	_, err = temp.Write(out.Bytes())
	if err = errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	return x.rename(temp.Name(), path)
}
