package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
)

// notWritten gives an error about a file that a command was to write the next step:
// it is about that file and its folder, not about the store.
func notWritten(err error) error {
	if err != nil && (notToBeOpened(err) || errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)) {
		return &hintedError{err, "name a file in a folder that is there and that you may write to"}
	}
	return err
}

// notURL refuses a URL where a file is meant: it would become a folder of that
// name. The URL itself is not shown, for there may be a password in it.
func notURL(what, path string) error {
	if scheme, _, ok := strings.Cut(path, "://"); ok && urlScheme.MatchString(scheme) {
		return usage("%s is a file, and a URL (%s://) was given\nname a file", what, strings.ToLower(scheme))
	}
	return nil
}

var urlScheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*$`)

// createFile makes a file that was not there, readable by its owner only. It has
// all of the content or does not come to be, whenever the process dies, but for a
// moment in which it is empty.
func createFile(path string, content []byte) (err error) {
	dir := filepath.Dir(path)
	fresh, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(fresh.Name()) // gone already when all went well
	_, err = fresh.Write(content)
	if err = errors.Join(err, fresh.Sync(), fresh.Close()); err != nil {
		return err
	}
	claim, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return usage("%s exists already\nit was not changed; name a new file", path)
	}
	if err != nil {
		return err
	}
	if err := errors.Join(claim.Close(), os.Rename(fresh.Name(), path)); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return syncDir(dir)
}
