package main

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
)

// settleStore decides where the store is: --db, --db-file, LOBSTRAIL_DB or the default
// place.
func (a *app) settleStore(ctx context.Context, cmd *cobra.Command) error {
	if a.dbFile != "" {
		location, err := a.readLocation(ctx, a.dbFile)
		a.db = location
		return err
	}
	if cmd.Flags().Changed("db") && hasPassword(a.db) {
		a.note("warning: every process list shows the password in --db; put the URL into a file for --db-file, or into LOBSTRAIL_DB, or only the password into ~/.pgpass")
	}
	a.db = cmp.Or(a.db, a.env.variable("LOBSTRAIL_DB"))
	if a.db == "" {
		dir, err := a.env.dataHome()
		if err != nil { // told by who opens it: version, help and demo need none
			a.noPlace = &usageError{"no place for the store: " + err.Error(), "name a file with --db"}
		} else {
			a.db = filepath.Join(dir, "lobstrail", "lobstrail.db")
		}
	}
	if onServer(a.db) {
		return nil
	}
	return notURL("the store", a.db)
}

// readLocation reads the location of the store: the first line of a file.
func (a *app) readLocation(ctx context.Context, file string) (string, error) {
	const hint = "name a file whose first line is the URL of the store, or its path"
	if err := notURL("--db-file", file); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, secretWait, fmt.Errorf("%s: nothing to read within %s", file, secretWait))
	defer cancel()
	raw, err := readBounded(ctx, file, maxTokenBytes)
	if err != nil {
		return "", &usageError{"--db-file: " + err.Error(), hint}
	}
	line, _, _ := strings.Cut(string(plainText(raw)), "\n")
	line = strings.TrimSpace(line)
	switch {
	case line == "":
		return "", &usageError{"--db-file: the first line of " + file + " is empty", hint}
	case strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "", &usageError{"--db-file: the first line of " + file + " has control characters", hint}
	case onServer(line):
		if hasPassword(line) && othersMayRead(file) {
			a.note("warning: others may read %s, which holds a password; \"chmod 600\" it", file)
		}
		return line, nil
	}
	return a.homePath(line), notURL("the store", line)
}

// passwordInURL finds the passwords in URLs, and in the parameters of those of databases.
var passwordInURL = regexp.MustCompile(`(?i)(\b(?:[a-z][a-z0-9+.-]*://|postgres(?:ql)?:)[^\s/?#:@]*:)\S*@|(\b(?:ssl)?password=)[^\s&]+`)

// hasPassword reports whether the location of a store holds a password.
func hasPassword(location string) bool { return passwordInURL.MatchString(location) }

// storeName is what messages call the store.
func (a *app) storeName() string { return shownLocation(a.db) }

// storeFlag is the flag that names the store of this command, for another command. It
// holds no password.
func (a *app) storeFlag() string {
	if a.dbFile != "" {
		return "--db-file " + a.dbFile
	}
	if !onServer(a.db) {
		return "--db " + a.db
	}
	return `--db "` + withoutPassword(a.db) + `"`
}

// withoutPassword is the URL of a database with all its parameters but the password.
func withoutPassword(location string) string {
	if !hasPassword(location) {
		return location
	}
	u, err := url.Parse(location)
	if err != nil { // several hosts, for example
		return shownLocation(location)
	}
	if u.User != nil {
		u.User = url.User(u.User.Username())
	}
	query := u.Query()
	query.Del("password")
	query.Del("sslpassword")
	u.RawQuery = query.Encode()
	return u.String()
}
