package postgres

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lobstrail/lobstrail/store"
)

// clearEnvironment takes away what this machine says about databases.
func clearEnvironment(t *testing.T) {
	t.Helper()
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "PG") {
			t.Setenv(name, "")
		}
	}
	t.Setenv("HOME", t.TempDir())
}

func TestDescribe(t *testing.T) {
	clearEnvironment(t)
	for url, want := range map[string]string{
		"postgres://ana:secret@db.example.com:6432/shop?sslmode=require":           "postgres://ana@db.example.com:6432/shop",
		"postgresql://ana@db.example.com/shop":                                     "postgres://ana@db.example.com:5432/shop",
		"POSTGRES://ana:secret@db.example.com/shop":                                "postgres://ana@db.example.com:5432/shop",
		"postgres://ana:sec%40ret%2F@db.example.com/shop":                          "postgres://ana@db.example.com:5432/shop",
		"postgres://ana:sec:ret?x@db.example.com/shop":                             "postgres://ana@db.example.com:5432/shop",
		"postgres://:secret@db.example.com/shop?user=ana":                          "postgres://ana@db.example.com:5432/shop",
		"postgres://ana@db.example.com/shop?password=secret&sslpassword=secret":    "postgres://ana@db.example.com:5432/shop",
		"postgres://ana:secret@one,two:6432/shop":                                  "postgres://ana@one:5432,two:6432/shop",
		"postgres://ana:secret@[::1]:5433/":                                        "postgres://ana@[::1]:5433/ana",
		"postgres:///shop?host=/var/run/postgresql&user=ana&password=secret":       "postgres://ana@%2Fvar%2Frun%2Fpostgresql:5432/shop",
		"postgres://ana@db.example.com/sh%20op%2F?application_name=x&keepalives=1": "postgres://ana@db.example.com:5432/sh%20op%2F",
		"postgres://db.example.com/shop?user=ana@corp":                             "postgres://ana%40corp@db.example.com:5432/shop",
	} {
		if got := Describe(url); got != want {
			t.Errorf("%s is described as %s, want %s", url, got, want)
		}
	}
}

// TestAddressesThatCannotBeUsed: what is said of them shows no piece of a password.
func TestAddressesThatCannotBeUsed(t *testing.T) {
	clearEnvironment(t)
	for name, url := range map[string]string{
		"an @ in the password":             "postgres://ana:se@cret@db.example.com/shop",
		"a / in the password":              "postgres://ana:se/cret@db.example.com/shop",
		"a / and a number in the password": "postgres://ana:12/cret@db.example.com/shop",
		"a / and a ? in the password":      "postgres://ana:12/se?cret=x@db.example.com/shop",
		"a percent sign in the password":   "postgres://ana:se%cret@db.example.com/shop",
		"a space in the password":          "postgres://ana:se cret@db.example.com/shop",
		"an & in the parameter":            "postgres://ana@db.example.com/shop?password=se&cret",
		"an = in the parameter":            "postgres://ana@db.example.com/shop?password=se=cret",
		"a percent sign in the parameter":  "postgres://ana@db.example.com/shop?password=se%cret",
		"no user, and an @":                "postgres://:se@cret@db.example.com/shop",
		"a backtick":                       "postgres://ana:se`: cret@db.example.com:port/shop",
		"an unclosed bracket":              "postgres://ana:secret@[::1/shop",
		"a wrong port":                     "postgres://ana:secret@db.example.com:port/shop",
		"a password in the port":           "postgres://ana@u:se:cret@db.example.com",
		"a wrong sslmode":                  "postgres://ana:secret@db.example.com/shop?sslmode=yes",
		"an unknown parameter":             "postgres://ana:secret@db.example.com/shop?sslmod=verify-full",
		"no slashes":                       "postgres:ana:secret@db.example.com/shop",
		"keyword and value":                "host=db.example.com password=secret",
		"quoted":                           "password='se cret' host=x",
		"a missing file":                   "postgres://ana:secret@db.example.com/shop?sslrootcert=/no/such/file",
		"an unknown service":               "postgres://ana:secret@db.example.com/shop?service=none",
		"a small pool":                     "postgres://ana:secret@db.example.com/shop?pool_max_conns=2",
		"a short lease":                    "postgres://ana:secret@db.example.com/shop?lease=900ms",
		"a long lease":                     "postgres://ana:secret@db.example.com/shop?lease=3601",
		"a wrong time":                     "postgres://ana:secret@db.example.com/shop?statement_timeout=soon",
	} {
		_, err := parse(url)
		if !IsURL(url) || !errors.Is(err, store.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		said := err.Error() + err.(*store.ServerError).Next + Describe(url)
		for _, piece := range []string{"secret", "se@", "cret", "se%", "12/"} {
			if strings.Contains(said, piece) {
				t.Errorf("%s: %q is in: %s", name, piece, said)
			}
		}
	}
}

// TestNoPasswordIsShown: whatever the password is, and wherever it stands, nothing shows
// a piece of it.
func TestNoPasswordIsShown(t *testing.T) {
	clearEnvironment(t)
	shape := rapid.SampledFrom([]string{
		"postgres://ana:PW@db.example.com:5432/shop", "postgres://:PW@db.example.com/shop", "postgres://ana@db.example.com/shop?password=PW",
		"postgres://ana:PW@one,two/shop?sslmode=require", "postgres://ana@db.example.com/shop?sslpassword=PW&sslmode=prefer", "postgres://ana:PW@[::1]/shop",
		"postgresql://ana:PW@db.example.com", "postgres:ana:PW@db.example.com", "user=ana password=PW", "user=ana password='PW' host=x",
	})
	rapid.Check(t, func(t *rapid.T) {
		// Two words that nothing else contains, and what is special in a URL between them.
		password := "QXZ" + rapid.StringMatching("[-@/?:&=#%`' ,\\[\\]0-9]{0,4}").Draw(t, "middle") + "QZX"
		url := strings.Replace(shape.Draw(t, "shape"), "PW", password, 1)
		said := Describe(url)
		if _, err := parse(url); err != nil {
			said += err.Error()
		}
		if strings.Contains(said, "QXZ") || strings.Contains(said, "QZX") {
			t.Fatalf("%s shows a piece of the password: %s", url, said)
		}
	})
}

func TestIsURL(t *testing.T) {
	for name, want := range map[string]bool{
		"postgres://h/d": true, "postgresql://h/d": true, "Postgres://h/d": true, " postgres://h/d": true, "postgres:h": true,
		"user=ana password=x": true, "lobstrail.db": false, "/var/lib/postgres.db": false, "postgres.db": false, "a=b.db": false, "": false,
	} {
		if IsURL(name) != want {
			t.Errorf("IsURL(%q) is not %v", name, want)
		}
	}
}

// TestRulesOfLibpq: what the environment, the service file and the password file say.
func TestRulesOfLibpq(t *testing.T) {
	clearEnvironment(t)
	home := os.Getenv("HOME")
	write := func(name, text string) string {
		path := filepath.Join(home, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write(".pgpass", "db.example.com:5432:shop:ana:from-pgpass\n")
	t.Setenv("PGSERVICEFILE", write("services", "[prod]\nhost=service.example.com\ndbname=shop\nuser=bob\n"))
	a, err := parse("postgres://ana@db.example.com/shop?pool_max_conns=7&statement_timeout=90s&lock_timeout=2500&connect_timeout=3&lease=45")
	if err != nil {
		t.Fatal(err)
	}
	a.configure(time.Minute)
	if a.config.Password != "from-pgpass" || a.maxConns != 7 || a.statement != 90*time.Second || a.lock != 2500*time.Millisecond || a.lease != 45*time.Second || a.config.ConnectTimeout != 3*time.Second {
		t.Errorf("got %q, %d connections, %v, %v, %v, %v", a.config.Password, a.maxConns, a.statement, a.lock, a.lease, a.config.ConnectTimeout)
	}
	if given := a.config.RuntimeParams; len(given) != 3 || given["application_name"] != "lobstrail" || given["client_encoding"] != "UTF8" {
		t.Errorf("the server gets %v", given)
	}
	t.Setenv("PGSERVICE", "prod")
	t.Setenv("PGPASSWORD", "from-environment")
	t.Setenv("PGAPPNAME", "mine")
	t.Setenv("PGSSLMODE", "verify-full")
	if a, err = parse("postgres://"); err != nil {
		t.Fatal(err)
	}
	a.configure(time.Minute)
	c := a.config
	if a.name != "postgres://bob@service.example.com:5432/shop" || c.Password != "from-environment" || c.RuntimeParams["application_name"] != "mine" || c.TLSConfig.ServerName != "service.example.com" {
		t.Errorf("got %s, %q, %v", a.name, c.Password, c.RuntimeParams)
	}
}
