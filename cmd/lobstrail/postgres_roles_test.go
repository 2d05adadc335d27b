package main

import (
	"context"
	"database/sql"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/store/postgres/postgrestest"
)

// shop is a database with the store of the demo, and roles of its own.
type shop struct {
	t     *testing.T
	url   string // of the owner
	db    *sql.DB
	roles string // what their names begin with
}

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{t: t, url: postgrestest.Fresh(t, fillWithDemo)}
	if os.Getenv("LOBSTRAIL_TEST_VIA") != "" {
		t.Skip("the proxy does not know the roles of this test")
	}
	db, err := postgrestest.Open(s.url)
	if err != nil {
		t.Fatal(err)
	}
	s.db = db
	t.Cleanup(func() { db.Close() })
	if err := db.QueryRow(`SELECT current_database()`).Scan(&s.roles); err != nil {
		t.Fatal(err)
	}
	return s
}

// role creates a role and returns the URL with which it connects. options are those of
// CREATE ROLE.
func (s *shop) role(name, options string) string {
	s.t.Helper()
	role := s.roles + "_" + name
	s.do("CREATE ROLE " + role + " LOGIN " + options)
	s.t.Cleanup(func() {
		s.db.Exec("DROP OWNED BY " + role)
		if _, err := s.db.ExecContext(context.Background(), "DROP ROLE "+role); err != nil {
			s.t.Error(err)
		}
	})
	u, err := url.Parse(s.url)
	if err != nil {
		s.t.Fatal(err)
	}
	u.User = url.User(role)
	return u.String()
}

func (s *shop) do(statements string) {
	s.t.Helper()
	if _, err := s.db.Exec(statements); err != nil {
		s.t.Fatalf("%s: %v", statements, err)
	}
}

// TestHelpOnPostgresHasTheGrants: each role of the help can do what the help says, and
// nothing else. A role that lacks a GRANT gets an error that names it.
func TestHelpOnPostgresHasTheGrants(t *testing.T) {
	s := newShop(t)
	urls := map[string]string{}
	for _, name := range []string{"writer", "reader", "analyst"} {
		urls[name] = s.role(name, "")
	}
	api := serve(t, nowWorld())
	h := newHome(t).asks(api, lobstrtest.DefaultToken)
	run := func(role string, args ...string) outcome { return h.run(append(args, "--db", urls[role])...) }
	for role, args := range map[string][]string{
		"writer": {"snapshot", "--workspace", "new"}, "reader": {"accounts"}, "analyst": {"sql", "SELECT * FROM account_current"},
	} {
		o := run(role, args...)
		if o.code != exitFailed || !strings.Contains(o.stderr, "GRANT SELECT") || !strings.Contains(o.stderr, s.roles+"_"+role) {
			t.Errorf("%s without its GRANT: %s", role, o)
		}
	}
	s.do(strings.ReplaceAll(blocks(findTopic("postgres").text, "postgresql")[0], "lobstrail_", s.roles+"_"))

	reading := [][]string{
		{"accounts"}, {"show", "trendwatch_eu"}, {"changes"}, {"diff", "3d"}, {"squids"}, {"report"}, {"runs"}, {"status"}, {"alerts"}, {"metrics"},
		{"verify"}, {"sql", "SELECT * FROM changes"}, {"alerts", "silences"}, {"export", "--parquet", "lake", "--since", "1h"},
	}
	for _, args := range reading {
		for _, role := range []string{"reader", "writer"} {
			if o := run(role, args...); o.code != exitDone {
				t.Errorf("%s %q: %s", role, args, o)
			}
		}
	}
	writing := [][]string{
		{"snapshot", "--workspace", "new"}, {"prune", "--keep-within", "1d"}, {"redact", "trendwatch_eu", "--yes"},
		{"alerts", "silence", "--type", "linkedin-sync", "--for", "1h", "--reason", "test"},
	}
	for _, args := range writing {
		if o := run("reader", args...); o.code != exitFailed || !strings.Contains(o.stderr, "GRANT ") {
			t.Errorf("reader %q: %s", args, o)
		}
		if o := run("writer", args...); o.code != exitDone {
			t.Errorf("writer %q: %s", args, o)
		}
	}
	for _, view := range helpViews() {
		if o := run("analyst", "sql", "SELECT * FROM "+view+" LIMIT 1"); o.code != exitDone || o.stderr != "" {
			t.Errorf("analyst %s: %s", view, o)
		}
	}
	for _, args := range [][]string{{"sql", "SELECT * FROM run"}, {"accounts"}, {"snapshot"}} {
		if o := run("analyst", args...); o.code != exitFailed || !strings.Contains(o.stderr, "GRANT ") {
			t.Errorf("analyst %q: %s", args, o)
		}
	}
	for _, query := range blocks(findTopic("postgres").text, "postgresql")[1:] {
		if o := run("analyst", "sql", query); o.code != exitDone || o.stdout == "" {
			t.Errorf("%s: %s", query, o)
		}
	}
}

// helpViews are the views that the help documents.
func helpViews() (views []string) {
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|").FindAllStringSubmatch(findTopic("sql").text, -1) {
		views = append(views, row[1])
	}
	return views
}

// TestHelpOnPostgresDistributesEveryTable: the help names each table with a workspace.
func TestHelpOnPostgresDistributesEveryTable(t *testing.T) {
	s := newShop(t)
	tables, err := listDatabase(s.url, `SELECT c.relname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'ws' AND NOT a.attisdropped
		WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace ORDER BY c.relname COLLATE "C"`)
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, block := range blocks(findTopic("postgres").text, "postgresql citus") {
		for _, quoted := range regexp.MustCompile(`'([a-z_]+)'`).FindAllStringSubmatch(block, -1) {
			if name := quoted[1]; name != "ws" && name != "workspace" && !slices.Contains(named, name) {
				named = append(named, name)
			}
		}
	}
	slices.Sort(named)
	if slices.Compare(named, tables) != 0 {
		t.Errorf("the help distributes %q, and there are %q", named, tables)
	}
}

// TestNoPasswordOfTheDatabaseComesOut: whatever a command does with a URL that has a
// password, right or wrong or on a server that is down, the password comes out nowhere.
func TestNoPasswordOfTheDatabaseComesOut(t *testing.T) {
	s := newShop(t)
	const password = "pAsS-cAnArY-7f3a91c05b"
	s.db.Exec("CREATE ROLE needs_password") // it may exist
	right := s.role("canary", "SUPERUSER PASSWORD '"+password+"' IN ROLE needs_password")
	if o := newHome(t).run("accounts", "--db", right); o.code != exitFailed || !strings.Contains(o.stderr, "wants a password") {
		t.Fatalf("the server asks for no password: %s", o)
	}
	with := func(change func(*url.URL)) string {
		u, err := url.Parse(right)
		if err != nil {
			t.Fatal(err)
		}
		u.User = url.UserPassword(u.User.Username(), password)
		change(u)
		return u.String()
	}
	urls := map[string]string{
		"right":       with(func(*url.URL) {}),
		"wrong":       strings.Replace(with(func(*url.URL) {}), password, password+"-wrong", 1),
		"down":        with(func(u *url.URL) { u.Host = "127.0.0.1:1" }),
		"no database": with(func(u *url.URL) { u.Path = "/none" }),
		"malformed":   strings.Replace(with(func(*url.URL) {}), password, password+"@%zz", 1),
		"parameter":   with(func(u *url.URL) { u.RawQuery += "&password=" + password; u.User = url.User(u.User.Username()) }),
		"unknown":     with(func(u *url.URL) { u.RawQuery += "&sslmod=x" }),
		"other":       strings.Replace(with(func(*url.URL) {}), "postgres://", "mysql://", 1),
	}
	server := serve(t, nowWorld())
	for name, location := range urls {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHome(t).asks(server, lobstrtest.DefaultToken)
			h.vars["LOBSTRAIL_DB"] = location
			h.vars["XDG_STATE_HOME"] = h.dir
			if err := os.WriteFile(h.dir+"/keep", nil, 0o600); err != nil {
				t.Fatal(err)
			}
			needle := map[string][]byte{"the password": []byte("cAnArY")}
			for _, args := range everyCommand() {
				o := h.run(args...)
				searchFor(t, h.dir, o, needle)
				if name != "right" && name != "parameter" && o.code == exitDone && needsStore(args) {
					t.Errorf("%q: %s", args, o)
				}
			}
			for _, args := range [][]string{{"accounts", "--db", location}, {"demo", "--db", location}, {"accounts", location}, {"accounts", "--workspace", location}} {
				searchFor(t, h.dir, h.run(args...), needle)
			}
		})
	}
}

// everyCommand has each command that reads or writes a store.
func everyCommand() [][]string {
	return [][]string{
		{"snapshot", "--verbose", "--lock-wait", "10s"}, {"accounts", "--json"}, {"show", "nobody"}, {"changes"}, {"diff", "1d"}, {"squids"}, {"report", "--format", "html"}, {"runs"},
		{"status", "--json"}, {"check"}, {"metrics"}, {"alerts"}, {"sql", "SELECT 1"}, {"sql", "SELECT nonsense"}, {"verify", "--json"}, {"backup", "x.db"},
		{"prune", "--keep-within", "1d", "--dry-run"}, {"redact", "nobody", "--yes"}, {"config", "check"}, {"config", "check", "--json"}, {"__complete", "show", ""},
		{"import", "keep"}, {"version"}, {"export", "--parquet", "lake", "--since", "1h"}, {"runs", "--workspace", "none"},
	}
}

// needsStore reports whether a command fails without a store.
func needsStore(args []string) bool {
	return !slices.Contains([]string{"config", "version", "__complete"}, args[0])
}
