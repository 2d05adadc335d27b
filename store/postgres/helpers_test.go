package postgres

import (
	"context"
	"net"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/lobstrail/lobstrail/store/postgres/postgrestest"
)

// open connects to a database.
func open(t testing.TB, address string) *server {
	t.Helper()
	s, err := connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// must runs statements of a user that may do everything.
func must(t testing.TB, s *server, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := s.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// with changes an address.
func with(t testing.TB, address string, change func(u *url.URL, query url.Values)) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	change(u, query)
	u.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20") // as libpq wants it
	return u.String()
}

// parameter sets a parameter of an address.
func parameter(t testing.TB, address, name, value string) string {
	t.Helper()
	return with(t, address, func(_ *url.URL, query url.Values) { query.Set(name, value) })
}

// role makes a user of the test's database, and returns its address.
func role(t testing.TB, admin *server, address, name, options string) string {
	t.Helper()
	name = admin.config.Database + "_" + name
	must(t, admin, "CREATE ROLE "+name+" "+options)
	t.Cleanup(func() {
		// The database is dropped later; what the role may do there must go before it.
		s, err := connect(context.Background(), address)
		if err != nil {
			t.Error(err)
			return
		}
		defer s.Close()
		must(t, s, "DROP OWNED BY "+name, "DROP ROLE "+name)
	})
	return with(t, address, func(u *url.URL, _ url.Values) { u.User = url.User(name) })
}

// listen accepts connections and lets serve do with each what it wants, until the test
// ends. It returns the address of a database there.
func listen(t testing.TB, serve func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(conn)
		}
	}()
	return "postgres://ana:secret@" + listener.Addr().String() + "/shop?sslmode=disable"
}

// direct returns the address of a new database, at the server itself: a proxy says some
// things in its own words.
func direct(t testing.TB) string {
	t.Helper()
	return at(t, postgrestest.Database(t), os.Getenv("LOBSTRAIL_TEST_POSTGRES"))
}

func contains(text string, all ...string) bool {
	for _, part := range all {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}

// at is an address with the host and port of another one.
func at(t testing.TB, address, other string) string {
	t.Helper()
	to, err := url.Parse(other)
	if err != nil {
		t.Fatal(err)
	}
	return with(t, address, func(u *url.URL, _ url.Values) { u.Host = to.Host })
}
