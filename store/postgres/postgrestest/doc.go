// Package postgrestest gives tests databases on a real PostgreSQL server.
//
// `.ci/postgres start DIR 15 18 pooler` starts servers and prints the variables below.
//
//   - LOBSTRAIL_TEST_POSTGRES: the URL of the server under test, as a superuser. Tests
//     that need a server are skipped without it, and fail if CI=true.
//   - LOBSTRAIL_TEST_VIA=pgbouncer: tests connect through the PgBouncer at the URL
//     LOBSTRAIL_TEST_PGBOUNCER, which stands in front of the server under test.
//     Databases are created and dropped directly.
//   - LOBSTRAIL_TEST_ISOLATION="serializable" or "read committed": the default isolation
//     level of the databases. The server's own default if it is not set.
//
// Names of databases are unique, so any number of test processes can share a server.
// What a process did not drop is dropped when a later process starts.
//
// A [Proxy] closes connections where a test wants it, for example after the server
// committed and before the client hears of it.
package postgrestest
