package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// resolve returns the file that the path leads to when all symbolic links are
// followed. SQLite names the journals after that file, and so do we all else that is
// beside it: a lock or a journal named after a link would be another one for each
// link.
//
// The file need not exist: it is then the one that the last link names. The folder
// of that one must exist, for it may be one that is not mounted.
func resolve(path string) (string, error) {
	resolved, err := filepath.EvalSymlinks(path)
	_, named := errors.AsType[*fs.PathError](err)
	switch {
	case err == nil:
		return resolved, nil
	case !named: // not a folder, or too many links
		return "", &fs.PathError{Op: "resolve", Path: path, Err: err}
	case !errors.Is(err, fs.ErrNotExist):
		return "", err
	}
	folder, name := filepath.Split(path)
	if folder == "" {
		folder = "."
	}
	target, err := os.Readlink(path)
	if err == nil {
		if !filepath.IsAbs(target) {
			target = folder + string(filepath.Separator) + target // not cleaned: ".." is resolved after links
		}
		return resolveTarget(target)
	}
	resolved, err = filepath.EvalSymlinks(folder)
	if errors.Is(err, fs.ErrNotExist) { // it is made later
		return path, nil
	}
	return filepath.Join(resolved, name), err
}

// resolveTarget is resolve for what a link names.
func resolveTarget(target string) (string, error) {
	folder, _ := filepath.Split(target)
	if _, err := os.Stat(folder); err != nil {
		return "", fmt.Errorf("link to %s: %w", target, err)
	}
	return resolve(target)
}
