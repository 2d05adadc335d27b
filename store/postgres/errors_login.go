package postgres

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lobstrail/lobstrail/store"
)

// connectProblem explains why there is no connection. Several hosts, or several
// addresses of one, may have failed for different reasons; the first reason that is not
// just the network's decides what to do.
func (s *server) connectProblem(attempt *pgconn.ConnectError) error {
	var failed *pgconn.PgError
	if errors.As(attempt, &failed) {
		return s.serverProblem(reading, failed, failed)
	}
	attempts := []error{attempt.Unwrap()}
	if all, ok := attempts[0].(interface{ Unwrap() []error }); ok {
		attempts = all.Unwrap()
	}
	kind, next := store.ErrUnreachable, nextReach
	var reasons []string
	for _, one := range attempts {
		reason, oneNext, oneKind := connectReason(one)
		if next == nextReach {
			kind, next = oneKind, oneNext
		}
		if !slices.Contains(reasons, reason) {
			reasons = append(reasons, reason)
		}
	}
	return s.problem(kind, attempts[0], strings.Join(reasons, "; "), next)
}

const nextTLS = "see sslmode and sslrootcert in the documentation of libpq; sslrootcert=system trusts the authorities that this machine trusts"

// connectReason explains one attempt.
func connectReason(err error) (reason, next string, kind error) {
	var name *net.DNSError
	var network net.Error
	var certificate *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	switch {
	case errors.As(err, &certificate), errors.As(err, &authority):
		return "the certificate of the server is not trusted: " + last(err), nextTLS, store.ErrLogin
	case strings.Contains(err.Error(), "server refused TLS"):
		return "the server does not encrypt connections", "let the server use TLS (ssl = on), or allow sslmode=prefer on a network that you trust", store.ErrLogin
	case strings.Contains(err.Error(), "tls error"):
		return "no encrypted connection could be made: " + last(err), nextTLS, store.ErrLogin
	case errors.Is(err, pgconn.ErrStandbyConnection), errors.Is(err, pgconn.ErrReadOnlyConnection):
		return "no host of the URL can be written to", "add the primary to the hosts of the URL, or leave target_session_attrs out to read only", store.ErrReadOnly
	case errors.Is(err, pgconn.ErrPrimaryConnection), errors.Is(err, pgconn.ErrReadWriteConnection):
		return "no host of the URL is a replica", "leave target_session_attrs out of the URL", store.ErrUnreachable
	case errors.As(err, &name):
		return fmt.Sprintf("the name of the host %q is not known: %s", name.Name, name.Err), nextReach, store.ErrUnreachable
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens there: connection refused", nextReach, store.ErrUnreachable
	case errors.Is(err, fs.ErrNotExist):
		return "there is no socket of a server in that folder", nextReach, store.ErrUnreachable
	case errors.As(err, &network) && network.Timeout(), pgconn.Timeout(err):
		return "the server did not answer in time", nextReach, store.ErrUnreachable
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return "what listens there closed the connection at once", nextReach, store.ErrUnreachable
	}
	return last(err), nextReach, store.ErrUnreachable
}

// last is the text of the innermost error, without what the driver put around it.
func last(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}

// loginProblem explains why the server let nobody in.
func (s *server) loginProblem(failed *pgconn.PgError) error {
	said := failed.Message
	switch {
	case failed.Code == "3D000":
		return s.problem(store.ErrNoDatabase, failed, "the server has no such database", "create it: "+s.createdb())
	case failed.Code == "28P01" && s.config.Password == "":
		return s.problem(store.ErrLogin, failed, "the server wants a password, and none was given: "+said,
			"put it into ~/.pgpass, into PGPASSWORD, or into the URL (in a file named by --db-file, or in LOBSTRAIL_DB)")
	case failed.Code == "28P01":
		return s.problem(store.ErrLogin, failed, "wrong user or password: "+said, "correct it where it is given: the URL, PGPASSWORD, ~/.pgpass or the service file")
	case strings.Contains(said, "no pg_hba.conf entry") && strings.HasSuffix(said, "no encryption"):
		return s.problem(store.ErrLogin, failed, said, "add sslmode=require to the URL if the server wants encryption, or a line for this machine to its pg_hba.conf")
	case strings.Contains(said, "pg_hba.conf"):
		return s.problem(store.ErrLogin, failed, said, "add a line for this machine, user and database to pg_hba.conf of the server, and reload it")
	case strings.Contains(said, "does not exist"):
		return s.problem(store.ErrLogin, failed, said, "create the user: createuser "+s.where()+" --pwprompt "+shell(s.config.User))
	case strings.Contains(said, "log in"):
		return s.problem(store.ErrLogin, failed, said, "ALTER ROLE "+identifier(s.config.User)+" LOGIN")
	}
	return s.problem(store.ErrLogin, failed, said, "correct user and password where they are given")
}

// createdb is the command that creates the database for the user.
func (s *server) createdb() string {
	return "createdb " + s.where() + " -U postgres -O " + shell(s.config.User) + " -E UTF8 -T template0 " + shell(database(s.config))
}

func (s *server) where() string {
	return "-h " + shell(s.config.Host) + " -p " + strconv.Itoa(int(s.config.Port))
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./][-A-Za-z0-9_./:]*$`)

// shell quotes a word of a command.
func shell(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

var plainName = regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)

// identifier quotes a name of SQL where it must be.
func identifier(name string) string {
	if plainName.MatchString(name) {
		return name
	}
	return pgx.Identifier{name}.Sanitize()
}

var denied = regexp.MustCompile(`^permission denied for (table|view|relation|sequence|schema|database) "?(.*?)"?$`)

// rightsProblem names the GRANT that is missing, as far as the server says what it is
// for: it only does in English.
func (s *server) rightsProblem(what doing, failed *pgconn.PgError) error {
	next := `let the owner of the tables grant it: see "lobstrail help postgres"`
	if m := denied.FindStringSubmatch(failed.Message); m != nil {
		next = "let the owner say: GRANT " + grant(what, m[1], identifier(m[2])) + " TO " + identifier(s.config.User)
	}
	return s.problem(store.ErrRights, failed, "the user "+s.config.User+" lacks a right: "+failed.Message, next)
}

// grant is the right that is missing on an object.
func grant(what doing, kind, object string) string {
	switch {
	case kind == "database" && what == migrating:
		return "CREATE ON DATABASE " + object
	case kind == "database":
		return "CONNECT ON DATABASE " + object
	case kind == "schema" && what == migrating:
		return "USAGE, CREATE ON SCHEMA " + object
	case kind == "schema":
		return "USAGE ON SCHEMA " + object
	case what == reading:
		return "SELECT ON " + object
	}
	return "SELECT, INSERT, UPDATE, DELETE ON " + object
}
