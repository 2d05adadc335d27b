// Package postgres keeps stores in a PostgreSQL database, or in one that speaks its
// protocol. One database holds one store, with any number of workspaces; any number of
// machines use it at once.
//
//   - One process writes to a workspace at a time: it holds the lease of the workspace, a
//     row with a token. Each write transaction checks the token first, so a process that
//     was paused and replaced writes nothing more. Only the clock of the database counts.
//   - A transaction that the database breaks off is run again, as a whole. When the
//     connection is lost at COMMIT, the row of the lease says whether it was committed.
//   - No session state is used, so that it works behind PgBouncer in transaction mode: no
//     prepared statements, SET, LISTEN, advisory locks or temporary tables. Time-outs are
//     set for each transaction.
//   - Every wait ends: for a connection, for a lock, for a server that says nothing.
//   - Messages name the server, the database and the user, and never the password.
package postgres
