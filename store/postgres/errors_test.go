package postgres

import (
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/postgres/postgrestest"
)

// TestNoConnection: each reason why there is no connection has its own message, with the
// next step, and without the password.
func TestNoConnection(t *testing.T) {
	clearEnvironment(t)
	good := direct(t)
	admin := open(t, good)
	user := func(u *url.URL, name, password string) { u.User = url.UserPassword(name, password) }
	secret := with(t, role(t, admin, good, "careful", "LOGIN PASSWORD 'right-one' IN ROLE "+needsPassword(t, admin)), func(u *url.URL, _ url.Values) {
		u.User = url.UserPassword(u.User.Username(), "secret")
	})
	silent := listen(t, func(conn net.Conn) { time.Sleep(time.Minute) })
	closing := listen(t, func(conn net.Conn) { conn.Close() })
	for name, c := range map[string]struct {
		url        string
		kind       error
		said, next string
	}{
		"nothing listens":    {"postgres://ana:secret@127.0.0.1:1/shop", store.ErrUnreachable, "postgres://ana@127.0.0.1:1/shop: nothing listens there", "check host and port"},
		"an unknown host":    {"postgres://ana:secret@no-such-host.invalid/shop", store.ErrUnreachable, `"no-such-host.invalid" is not known`, "check host and port"},
		"a silent server":    {parameter(t, silent, "connect_timeout", "1"), store.ErrUnreachable, "did not answer in time", "firewall"},
		"not a server":       {closing, store.ErrUnreachable, "closed the connection at once", "check host and port"},
		"no socket":          {"postgres://ana:secret@/shop?host=/no/such/folder", store.ErrUnreachable, "there is no socket", "check host"},
		"two hosts":          {"postgres://ana:secret@127.0.0.1:1,no-such-host.invalid/shop?sslmode=disable", store.ErrUnreachable, "is not known", ""},
		"a wrong password":   {secret, store.ErrLogin, "wrong user or password", "PGPASSWORD"},
		"no password":        {with(t, secret, func(u *url.URL, _ url.Values) { u.User = url.User(u.User.Username()) }), store.ErrLogin, "none was given", "~/.pgpass"},
		"an unknown user":    {with(t, good, func(u *url.URL, _ url.Values) { user(u, "nobody", "secret") }), store.ErrLogin, "nobody", ""},
		"not for a login":    {role(t, admin, good, "nologin", "NOLOGIN"), store.ErrLogin, "", ""},
		"no encryption":      {parameter(t, good, "sslmode", "require"), store.ErrLogin, "does not encrypt", "ssl = on"},
		"no database":        {with(t, good, func(u *url.URL, _ url.Values) { u.Path = "/no such" }), store.ErrNoDatabase, "database", ""},
		"no replica":         {parameter(t, good, "target_session_attrs", "standby"), store.ErrUnreachable, "no host of the URL is a replica", "leave target_session_attrs out"},
		"too many":           {role(t, admin, good, "many", "LOGIN CONNECTION LIMIT 0"), store.ErrUnreachable, "", ""},
		"an unknown keyword": {parameter(t, good, "sslmod", "require"), store.ErrInvalid, `"sslmod" is not known`, "correct it"},
	} {
		t.Run(name, func(t *testing.T) {
			begun := time.Now()
			s, err := connect(t.Context(), c.url)
			if err == nil {
				s.Close()
				t.Fatal("it was connected")
			}
			var problem *store.ServerError
			if !errors.As(err, &problem) || !errors.Is(err, c.kind) || !contains(problem.Problem, c.said) || !contains(problem.Next, c.next) || problem.Next == "" {
				t.Errorf("got %#v", err)
			}
			if said := err.Error() + problem.Next; strings.Contains(said, "secret@") || strings.Contains(said, ":secret") {
				t.Errorf("the password is in: %s", said)
			}
			if took := time.Since(begun); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// TestLoginIsExplained: what to type is in the message. A proxy has words of its own.
func TestLoginIsExplained(t *testing.T) {
	clearEnvironment(t)
	good := direct(t)
	admin := open(t, good)
	locked := role(t, admin, good, "locked", "LOGIN")
	must(t, admin, "REVOKE CONNECT ON DATABASE "+admin.config.Database+" FROM public")
	for name, c := range map[string]struct{ url, next string }{
		"no database":     {with(t, good, func(u *url.URL, _ url.Values) { u.Path = "/it's new" }), `createdb -h 127.0.0.1 -p `},
		"quoted":          {with(t, good, func(u *url.URL, _ url.Values) { u.Path = "/it's new" }), `-O postgres -E UTF8 -T template0 'it'\''s new'`},
		"an unknown user": {with(t, good, func(u *url.URL, _ url.Values) { u.User = url.User("nobody") }), "createuser -h 127.0.0.1"},
		"not for a login": {role(t, admin, good, "nologin", "NOLOGIN"), "ALTER ROLE " + admin.config.Database + "_nologin LOGIN"},
		"no right":        {locked, "GRANT CONNECT ON DATABASE " + admin.config.Database + " TO " + admin.config.Database + "_locked"},
	} {
		_, err := connect(t.Context(), c.url)
		var problem *store.ServerError
		if !errors.As(err, &problem) || !contains(problem.Next, c.next) {
			t.Errorf("%s: %v, next %v", name, err, problem)
		}
	}
}

// TestProxyIsExplained: PgBouncer has one code for nearly all that goes wrong.
func TestProxyIsExplained(t *testing.T) {
	pooler := os.Getenv("LOBSTRAIL_TEST_PGBOUNCER")
	if pooler == "" {
		t.Skip("LOBSTRAIL_TEST_PGBOUNCER is not set")
	}
	clearEnvironment(t)
	good := at(t, postgrestest.Database(t), pooler)
	for name, c := range map[string]struct {
		url  string
		kind error
		next string
	}{
		"no database":     {with(t, good, func(u *url.URL, _ url.Values) { u.Path = "/no_such" }), store.ErrNoDatabase, "createdb -h "},
		"an unknown user": {with(t, good, func(u *url.URL, _ url.Values) { u.User = url.User("nobody") }), store.ErrLogin, "auth_file"},
		"a parameter":     {parameter(t, good, "options", "-c geqo=off"), store.ErrInvalid, "leave it out"},
	} {
		_, err := connect(t.Context(), c.url)
		var problem *store.ServerError
		if !errors.As(err, &problem) || !errors.Is(err, c.kind) || !contains(problem.Next, c.next) {
			t.Errorf("%s: %v, next %v", name, err, problem)
		}
	}
}

// needsPassword is the role whose members must give a password: see .ci/postgres.
func needsPassword(t *testing.T, admin *server) string {
	t.Helper()
	must(t, admin, `DO $$ BEGIN CREATE ROLE needs_password; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`)
	return "needs_password"
}

// TestInterpret: what the server says of statements.
func TestInterpret(t *testing.T) {
	t.Parallel()
	address := postgrestest.Database(t)
	admin := open(t, address)
	must(t, admin, "CREATE TABLE run (ws integer PRIMARY KEY, x json)", `CREATE TABLE "Odd name" (ws integer)`, "CREATE SCHEMA other", "CREATE TABLE other.t (x int)",
		"REVOKE ALL ON SCHEMA public FROM public", "GRANT USAGE ON SCHEMA public TO public")
	poor := open(t, role(t, admin, address, "poor", "LOGIN"))
	name := poor.config.User
	for what, c := range map[string]struct {
		s         *server
		doing     doing
		statement string
		kind      error
		next      string
	}{
		"no right to read":       {poor, reading, "SELECT * FROM run", store.ErrRights, "GRANT SELECT ON run TO " + name},
		"no right to write":      {poor, writing, "INSERT INTO run VALUES (1)", store.ErrRights, "GRANT SELECT, INSERT, UPDATE, DELETE ON run TO " + name},
		"quoted":                 {poor, reading, `SELECT * FROM "Odd name"`, store.ErrRights, `GRANT SELECT ON "Odd name" TO ` + name},
		"no right to a schema":   {poor, reading, "SELECT * FROM other.t", store.ErrRights, "GRANT USAGE ON SCHEMA other TO " + name},
		"no right to migrate":    {poor, migrating, "CREATE TABLE t (x int)", store.ErrRights, "GRANT USAGE, CREATE ON SCHEMA public TO " + name},
		"an unknown table":       {admin, reading, "SELECT * FROM no_such", store.ErrStatement, ""},
		"syntax":                 {admin, reading, "SELEC", store.ErrStatement, ""},
		"text that is no JSON":   {admin, reading, "SELECT '{'::json", store.ErrDamaged, ""},
		"a number too large":     {admin, reading, "SELECT 99999::smallint", store.ErrDamaged, ""},
		"an indexed value":       {admin, writing, "SELECT repeat('x', 2000000000)::text || repeat('x', 2000000000)", store.ErrTooLarge, ""},
		"data that is damaged":   {admin, reading, "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = 'XX001'; END $$", store.ErrDamaged, ""},
		"an index is damaged":    {admin, reading, "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = 'XX002'; END $$", store.ErrDamaged, ""},
		"the disk is full":       {admin, writing, "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '53100'; END $$", store.ErrFull, ""},
		"the disk fails":         {admin, reading, "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '58030'; END $$", store.ErrDisk, ""},
		"a deadlock":             {admin, writing, "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40P01'; END $$", store.ErrBusy, "run the command again"},
		"a statement too long":   {admin, reading, "BEGIN; SET LOCAL statement_timeout = 10; SELECT pg_sleep(5)", store.ErrUnreachable, "statement_timeout"},
		"only for reading":       {admin, writing, "BEGIN READ ONLY; INSERT INTO run VALUES (1)", store.ErrReadOnly, "target_session_attrs=read-write"},
		"a query that writes":    {admin, reading, "BEGIN READ ONLY; INSERT INTO run VALUES (1)", store.ErrReadOnly, ""},
		"values that do not fit": {admin, writing, "PREPARE x AS SELECT $1::int; EXECUTE x", store.ErrStatement, ""},
		"the server shuts down":  {admin, reading, "SELECT pg_terminate_backend(pg_backend_pid())", store.ErrUnreachable, "again"},
	} {
		conn, err := c.s.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, err = conn.ExecContext(t.Context(), c.statement)
		conn.ExecContext(t.Context(), "ROLLBACK")
		conn.Close()
		err = c.s.interpret(t.Context(), c.doing, err)
		var problem *store.ServerError
		if !errors.Is(err, c.kind) || c.next != "" && (!errors.As(err, &problem) || !contains(problem.Next, c.next) || !contains(problem.Problem, c.s.name)) {
			t.Errorf("%s: got %#v: %v", what, err, err)
		}
		if again := c.s.interpret(t.Context(), c.doing, err); again != err {
			t.Errorf("%s: interpreted again it is %v", what, again)
		}
	}
}

// TestStopped: a context that ends wins over what the driver makes of it, and cancels the
// statement at the server.
func TestStopped(t *testing.T) {
	t.Parallel()
	s := open(t, postgrestest.Database(t))
	stopped := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(200*time.Millisecond, func() { cancel(stopped) })
	begun := time.Now()
	_, err := s.ExecContext(ctx, "SELECT pg_sleep(30)")
	// Before the connection is given up, which would end the statement, too.
	if err = s.interpret(ctx, reading, err); err != stopped || time.Since(begun) > cancelTime {
		t.Errorf("got %v after %v", err, time.Since(begun))
	}
	running := 1
	for begun = time.Now(); running > 0 && time.Since(begun) < 5*time.Second; time.Sleep(50 * time.Millisecond) {
		const still = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE '%pg_sleep(30)%' AND pid <> pg_backend_pid()"
		if err := s.Get(&running, still); err != nil {
			t.Fatal(err)
		}
	}
	if running > 0 {
		t.Error("the server goes on with the statement")
	}
}
