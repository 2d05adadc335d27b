package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/lobstrail/lobstrail/store"

	migrations "github.com/lobstrail/lobstrail/migrations/sqlite"
)

// checkFile reads the header of the file without SQLite, so that nothing is done to
// a file that is not a store: no lock, no journal beside it. It returns
// ErrNoStore for a missing or empty file, ErrUnreleased for a store of before the first
// release, and ErrForeign for anything that is not a store.
func checkFile(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return store.ErrNoStore
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%w: not a regular file", store.ErrForeign)
	case info.Size() == 0:
		return store.ErrNoStore
	}
	return checkHeader(path)
}

// checkHeader reads the SQLite file header (https://sqlite.org/fileformat.html,
// section 1.3): the magic string at 0, the application id at 68. The id is
// written before the file is put into WAL mode, so it is always in the file.
func checkHeader(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var header [72]byte
	if _, err := io.ReadFull(f, header[:]); err != nil {
		return fmt.Errorf("%w: too short for a SQLite database", store.ErrForeign)
	}
	if string(header[:16]) != "SQLite format 3\x00" {
		return fmt.Errorf("%w: not a SQLite database", store.ErrForeign)
	}
	switch id := binary.BigEndian.Uint32(header[68:]); {
	case id == migrations.ApplicationID:
		return nil
	case migrations.UnreleasedID <= id && id < migrations.ApplicationID:
		return store.ErrUnreleased
	}
	return fmt.Errorf("%w: a SQLite database of another program", store.ErrForeign)
}

// immutable is the mode for a file that nobody writes to: no locks, no journal.
const immutable = "immutable"

// dsn builds the address of the database from an absolute path. The busy
// timeout comes first: the pragmas after it may have to wait.
func dsn(path, mode string, pragmas ...string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	query := url.Values{"mode": {mode}, "_txlock": {"immediate"}}
	query["_pragma"] = append([]string{"busy_timeout(10000)", "foreign_keys(1)", "temp_store(2)"}, pragmas...)
	switch mode {
	case "ro":
		query.Del("_txlock")
	case immutable:
		query = url.Values{"mode": {"ro"}, "immutable": {"1"}, "_pragma": query["_pragma"]}
	}
	path = filepath.ToSlash(abs)
	if path[0] != '/' { // a Windows drive letter
		path = "/" + path
	}
	return (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: query.Encode()}).String(), nil
}

// hasNoJournal reports whether there is no journal beside the database. So it is with
// a copy or a backup; our writers leave the journal in place. Reading such a file
// through SQLite's locks would create a journal, and readers write nothing.
func hasNoJournal(path string) bool {
	_, err := os.Stat(path + "-wal")
	return errors.Is(err, fs.ErrNotExist)
}
