package postgres

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lobstrail/lobstrail/store"
)

// address is what a URL, the environment, the service file and ~/.pgpass say about a
// database, by the rules of libpq.
type address struct {
	config *pgx.ConnConfig
	name   string // what messages call it; see Describe

	maxConns       int           // pool_max_conns
	lifetime, idle time.Duration // pool_max_conn_lifetime, pool_max_conn_idle_time
	statement      time.Duration // statement_timeout; 0: none, negative: not given
	lock           time.Duration // lock_timeout; 0: none
	lease          time.Duration // see defaultLease
	keepAlive      net.KeepAliveConfig
}

// What holds unless the URL says something else. The pool is small: of one process, one
// connection writes, one renews the lease, and readers need one each.
const (
	defaultMaxConns = 5
	leastMaxConns   = 3
	defaultLifetime = time.Hour
	defaultIdle     = time.Minute // less than firewalls take to forget an idle connection
	defaultLock     = 15 * time.Second
)

// IsURL reports whether the name of a store is the address of a database rather than
// the path of a file. It also does so for addresses that cannot be used, because they
// may hold a password, which must not be shown as the path of a file would be.
func IsURL(name string) bool {
	lower := strings.ToLower(strings.TrimSpace(name))
	if strings.HasPrefix(lower, "postgres:") || strings.HasPrefix(lower, "postgresql:") {
		return true
	}
	for _, word := range strings.Fields(lower) { // keyword/value, another form that libpq knows
		if keyword, _, ok := strings.Cut(word, "="); ok && slices.Contains(keywords, keyword) {
			return true
		}
	}
	return false
}

var keywords = []string{"password", "host", "hostaddr", "dbname", "user", "service", "passfile"}

// Describe is what may be shown of the address of a database: user, hosts, ports and
// database. Of an address that cannot be read, nothing may be shown.
func Describe(address string) string {
	a, err := parse(address)
	if err != nil {
		return unreadable
	}
	return a.name
}

const (
	unreadable = "the URL of the database"
	encode     = "in a URL, write the special characters of user and password as %40 for @, %2F for /, %3A for :, %3F for ?, %25 for %; or leave the password out and put it into ~/.pgpass or PGPASSWORD"
)

// parse reads a URL. It returns an ErrInvalid that shows nothing of what may be a
// password.
func parse(text string) (*address, error) {
	scheme, rest, ok := strings.Cut(strings.TrimSpace(text), "://")
	scheme = strings.ToLower(scheme)
	if !ok || scheme != "postgres" && scheme != "postgresql" {
		return nil, invalid("it is not of the form postgres://USER@HOST:PORT/DATABASE", "name the database as postgres://USER@HOST:PORT/DATABASE")
	}
	if misread(rest) {
		return nil, invalid("it has an @ where none can be", encode)
	}
	config, err := pgx.ParseConfig(scheme + "://" + rest)
	if err != nil {
		return nil, invalid(parseProblem(rest, err), encode)
	}
	a := &address{config: config, name: name(config)}
	if err := a.takeParameters(strings.Contains(queryOf(rest), "@")); err != nil {
		return nil, err
	}
	return a, nil
}

func invalid(problem, next string) error {
	return &store.ServerError{Kind: store.ErrInvalid, Problem: unreadable + " cannot be used: " + problem, Next: next}
}

// misread reports whether a part of what follows :// is likely to be read as something
// else than was meant: a password with an @ or a / in it would be looked up as a host, or
// asked for as a database, and so become part of messages.
func misread(rest string) bool {
	if i := strings.IndexAny(rest, "@/"); i >= 0 && rest[i] == '@' { // as libpq finds the end of the password
		rest = rest[i+1:]
	}
	rest, _, _ = strings.Cut(rest, "?")
	return strings.Contains(rest, "@")
}

// queryOf is what follows the question mark that begins the parameters.
func queryOf(rest string) string {
	if i := strings.IndexAny(rest, "@/"); i >= 0 && rest[i] == '@' {
		rest = rest[i+1:]
	}
	_, query, _ := strings.Cut(rest, "?")
	return query
}

// parseProblem is what pgx found wrong, without the URL. What it says about the form of
// the URL can quote a piece of a password; what it says about values cannot.
func parseProblem(rest string, err error) string {
	_, problem, ok := strings.Cut(err.Error(), "`: ")
	if !ok || strings.Contains(rest, "`") || strings.Contains(queryOf(rest), "@") || strings.HasPrefix(problem, "failed to parse as") {
		return "it is not a well-formed URL"
	}
	return problem
}

// name is the URL without what is secret, and without parameters.
func name(config *pgx.ConnConfig) string {
	var hosts []string
	add := func(host string, port uint16) {
		if strings.HasPrefix(host, "/") { // the folder of a socket
			host = url.PathEscape(host)
		} else if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		if text := host + ":" + strconv.Itoa(int(port)); !slices.Contains(hosts, text) {
			hosts = append(hosts, text)
		}
	}
	add(config.Host, config.Port)
	for _, f := range config.Fallbacks {
		add(f.Host, f.Port)
	}
	return fmt.Sprintf("postgres://%s@%s/%s", url.User(config.User), strings.Join(hosts, ","), url.PathEscape(database(config)))
}

// database is the name of the database, which is that of the user when none is given.
func database(config *pgx.ConnConfig) string {
	if config.Database == "" {
		return config.User
	}
	return config.Database
}

// passedOn are the parameters that the server gets when the connection begins. All but
// options and search_path are among those that PgBouncer keeps for each client.
var passedOn = []string{"application_name", "client_encoding", "datestyle", "timezone", "options", "search_path"}

// takeParameters reads what pgx does not know. Unknown parameters are refused, as libpq
// does: pgx would send them to the server. They are not named if they may be a piece of
// a password.
func (a *address) takeParameters(mayBePassword bool) error {
	given := a.config.RuntimeParams
	a.maxConns, a.lifetime, a.idle, a.lock, a.statement = defaultMaxConns, defaultLifetime, defaultIdle, defaultLock, -1
	a.lease = defaultLease
	a.keepAlive = net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3}
	enable := 1
	err := cmp.Or( // the first that is wrong
		takeNumber(given, "pool_max_conns", leastMaxConns, &a.maxConns),
		takeDuration(given, "pool_max_conn_lifetime", time.Second, &a.lifetime),
		takeDuration(given, "pool_max_conn_idle_time", time.Second, &a.idle),
		takeDuration(given, "statement_timeout", time.Millisecond, &a.statement),
		takeDuration(given, "lock_timeout", time.Millisecond, &a.lock),
		takeDuration(given, "lease", time.Second, &a.lease),
		takeNumber(given, "keepalives", 0, &enable),
		takeDuration(given, "keepalives_idle", time.Second, &a.keepAlive.Idle),
		takeDuration(given, "keepalives_interval", time.Second, &a.keepAlive.Interval),
		takeNumber(given, "keepalives_count", 0, &a.keepAlive.Count),
	)
	if err != nil {
		return err
	}
	if a.lease < leastLease || a.lease > mostLease {
		return invalid(fmt.Sprintf("lease is not from %v to %v", leastLease, mostLease), "correct it or leave it out")
	}
	a.keepAlive.Enable = enable != 0
	if name, ok := given["fallback_application_name"]; ok && given["application_name"] == "" {
		given["application_name"] = name
	}
	delete(given, "fallback_application_name")
	for name := range given {
		switch {
		case slices.Contains(passedOn, strings.ToLower(name)):
		case mayBePassword:
			return invalid("it has an unknown parameter", encode)
		default:
			return invalid(fmt.Sprintf("the parameter %q is not known", name), "correct it or leave it out")
		}
	}
	return nil
}

// takeNumber moves a parameter into *to, unless it is missing.
func takeNumber(given map[string]string, name string, least int, to *int) error {
	text, ok := given[name]
	delete(given, name)
	if !ok {
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > 1<<20 {
		return invalid(fmt.Sprintf("%s is not a number from %d on", name, least), "correct it or leave it out")
	}
	*to = n
	return nil
}

// takeDuration moves a parameter into *to, unless it is missing. A bare number has the
// unit that libpq or the server gives it.
func takeDuration(given map[string]string, name string, unit time.Duration, to *time.Duration) error {
	text, ok := given[name]
	delete(given, name)
	if !ok {
		return nil
	}
	text = strings.ReplaceAll(strings.TrimSpace(text), " ", "")
	if n, err := strconv.ParseInt(text, 10, 32); err == nil && n >= 0 {
		*to = time.Duration(n) * unit
		return nil
	}
	d, err := time.ParseDuration(strings.ReplaceAll(text, "min", "m"))
	if err != nil || d < 0 {
		return invalid(fmt.Sprintf("%s is not a duration like 30s or 5min", name), "correct it or leave it out")
	}
	*to = d
	return nil
}
