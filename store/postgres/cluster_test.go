package postgres

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// cluster is a server of the test's own, which it may stop.
type cluster struct {
	t    *testing.T
	data string
	port int
}

// command runs a program of PostgreSQL, as a user that may run a server.
func command(t *testing.T, name string, args ...string) {
	t.Helper()
	if err := run(name, args...); errors.Is(err, exec.ErrNotFound) && os.Getenv("CI") != "true" {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
}

func run(name string, args ...string) error {
	path, err := exec.LookPath(name)
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name); len(found) > 0 {
		path, err = found[len(found)-1], nil
	}
	if err != nil {
		return err
	}
	if os.Getuid() == 0 {
		path, args = "runuser", append([]string{"-u", "postgres", "--", path}, args...)
	}
	program := exec.Command(path, args...)
	program.Dir = "/"
	if out, err := program.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return nil
}

// folder is an empty one that such a user may write to.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "lobstrail-cluster-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if os.Getuid() == 0 {
		if out, err := exec.Command("chown", "postgres", dir).CombinedOutput(); err != nil {
			t.Skipf("%v: %s", err, out)
		}
	}
	return filepath.Join(dir, "data")
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// newCluster makes a server, and starts it with settings.
func newCluster(t *testing.T, settings ...string) *cluster {
	t.Helper()
	c := &cluster{t: t, data: folder(t), port: freePort(t)}
	command(t, "initdb", "-D", c.data, "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
	c.start(settings...)
	return c
}

func (c *cluster) start(settings ...string) {
	c.t.Helper()
	c.t.Cleanup(c.stop)
	if err := c.tryStart(settings...); err != nil {
		c.t.Fatal(err)
	}
}

// tryStart starts the server. After it was stopped at once, what it leaves behind may be
// in the way for a moment.
func (c *cluster) tryStart(settings ...string) (err error) {
	options := fmt.Sprintf("-p %d -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off", c.port)
	for _, setting := range settings {
		options += " -c " + setting
	}
	for range 20 {
		if err = run("pg_ctl", "-D", c.data, "-l", c.data+".log", "-s", "-w", "-o", options, "start"); err == nil {
			return nil
		}
		time.Sleep(500 * time.Millisecond)
	}
	return err
}

// stop stops the server at once, unless it has been stopped.
func (c *cluster) stop() {
	if _, err := os.Stat(filepath.Join(c.data, "postmaster.pid")); err == nil {
		command(c.t, "pg_ctl", "-D", c.data, "-s", "-w", "-m", "immediate", "stop")
	}
}

func (c *cluster) url() string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", c.port)
}

// TestReplica: commands that read work on a hot standby, also where serializable is the
// default, and one that writes says what it is. Of several hosts, the primary is found.
func TestReplica(t *testing.T) {
	if testing.Short() {
		t.Skip("starts two servers")
	}
	t.Parallel()
	primary := newCluster(t, "default_transaction_isolation=serializable")
	p := open(t, primary.url())
	if _, err := p.migrate(t.Context(), current, false); err != nil {
		t.Fatal(err)
	}
	replica := &cluster{t: t, data: folder(t), port: freePort(t)}
	command(t, "pg_basebackup", "-D", replica.data, "-R", "-X", "stream", "-c", "fast", "--no-sync", "-d", primary.url())
	replica.start("default_transaction_isolation=serializable")
	s := open(t, replica.url())
	if err := s.checkSchema(t.Context(), current); err != nil {
		t.Errorf("reading: %v", err)
	}
	if held, err := s.held(t.Context(), 1); held || err != nil {
		t.Errorf("reading: %v", err)
	}
	if _, err := s.migrate(t.Context(), current, false); err != nil {
		t.Errorf("nothing is to be migrated: %v", err)
	}
	_, err := s.acquire(t.Context(), 1, time.Minute)
	var problem *store.ServerError
	if !errors.As(err, &problem) || !errors.Is(err, store.ErrReadOnly) || !contains(err.Error(), "it is a replica") || !contains(problem.Next, "target_session_attrs=read-write") {
		t.Errorf("writing: %v", err)
	}
	both := fmt.Sprintf("postgres://postgres@127.0.0.1:%d,127.0.0.1:%d/postgres?sslmode=disable&target_session_attrs=", replica.port, primary.port)
	acquired(t, open(t, both+"read-write"), 1)
	acquired(t, open(t, both+"primary"), 2)
	if _, err := connect(t.Context(), replica.url()+"&target_session_attrs=read-write"); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("no host can be written to: %v", err)
	}
}

// TestRestart: a server that restarts in the middle of a page, as after a crash, is waited
// for, and each page is stored once.
func TestRestart(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a server")
	}
	t.Parallel()
	c := newCluster(t)
	s := open(t, c.url())
	must(t, s, leaseTable, pageTable)
	l := acquired(t, s, 1)
	var starting sync.WaitGroup
	for n := range 4 {
		restarted := false
		err := s.write(t.Context(), writing, []*lease{l}, func(tx *txn) error {
			if err := insertPage(t.Context(), tx, n); err != nil {
				return err
			}
			if restarted {
				return nil
			}
			restarted = true
			if n%2 == 0 { // in the middle, else before the next statement
				if err := tx.flush(t.Context()); err != nil {
					return err
				}
			}
			c.stop()
			starting.Go(func() {
				time.Sleep(time.Second)
				if err := c.tryStart(); err != nil {
					t.Error(err)
				}
			})
			return nil
		})
		starting.Wait()
		if err != nil {
			t.Fatal(err)
		}
	}
	var stored []int
	if err := s.Select(&stored, `SELECT n FROM page ORDER BY n`); err != nil || fmt.Sprint(stored) != "[0 1 2 3]" {
		t.Errorf("stored are the pages %v (%v)", stored, err)
	}
}

// TestEncryption: certificates are checked as libpq does, and a password that is given by
// SCRAM is bound to the connection.
func TestEncryption(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a server")
	}
	clearEnvironment(t)
	c := newCluster(t)
	authority := c.encrypt()
	address := with(t, c.url(), func(_ *url.URL, query url.Values) { query.Del("sslmode") })
	must(t, open(t, address), "CREATE ROLE ana LOGIN PASSWORD 'pass word'")
	hba := "hostssl all ana 127.0.0.1/32 scram-sha-256\nhost all postgres 127.0.0.1/32 trust\n"
	if err := os.WriteFile(filepath.Join(c.data, "pg_hba.conf"), []byte(hba), 0o644); err != nil {
		t.Fatal(err)
	}
	must(t, open(t, address), "SELECT pg_reload_conf()")
	ana := with(t, address, func(u *url.URL, _ url.Values) { u.User = url.UserPassword("ana", "pass word") })
	for name, c := range map[string]struct {
		parameters, root string
		kind             error
		said             string
	}{
		"prefer":               {"", "", nil, ""},
		"require":              {"sslmode=require", "", nil, ""},
		"bound":                {"sslmode=require&channel_binding=require", "", nil, ""},
		"a known authority":    {"sslmode=verify-full", authority, nil, ""},
		"its file":             {"sslmode=verify-ca&sslrootcert=" + authority, "", nil, ""},
		"an unknown authority": {"sslmode=verify-full", "", store.ErrLogin, "is not trusted"},
		"the system's":         {"sslrootcert=system", "", store.ErrLogin, "is not trusted"},
		"no encryption":        {"sslmode=disable", "", store.ErrLogin, "no encryption"},
		"another host":         {"sslmode=verify-full&host=localhost", authority, store.ErrLogin, "is not trusted"},
	} {
		t.Setenv("PGSSLROOTCERT", c.root)
		s, err := connect(t.Context(), ana+"?"+c.parameters)
		if !errors.Is(err, c.kind) || c.kind != nil && !contains(err.Error(), c.said) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			var encrypted bool
			if err := s.Get(&encrypted, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"); err != nil || !encrypted {
				t.Errorf("%s: it is not encrypted (%v)", name, err)
			}
			s.Close()
		} else if strings.Contains(err.Error(), "pass word") {
			t.Errorf("%s: the password is in: %v", name, err)
		}
	}
}

// encrypt lets the server use a certificate for 127.0.0.1, and returns the file of the
// authority that signed it.
func (c *cluster) encrypt() (authority string) {
	c.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		c.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "127.0.0.1"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		c.t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		c.t.Fatal(err)
	}
	s := open(c.t, c.url())
	write := func(name, kind string, bytes []byte) string {
		path := filepath.Join(c.data, name)
		text := string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes}))
		// The server's own user must own the key, and nobody else may read it.
		must(c.t, s, `COPY (SELECT unnest(string_to_array(`+quote(strings.TrimSpace(text))+`, E'\n'))) TO `+quote(path))
		if err := os.Chmod(path, 0o600); err != nil {
			c.t.Fatal(err)
		}
		return path
	}
	path := write("server.crt", "CERTIFICATE", certificate)
	write("server.key", "PRIVATE KEY", secret)
	c.stop()
	c.start("ssl=on")
	// Where this process, too, may read it.
	public := filepath.Join(c.t.TempDir(), "root.crt")
	text, err := os.ReadFile(path)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(public, text, 0o600); err != nil {
		c.t.Fatal(err)
	}
	return public
}

func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
