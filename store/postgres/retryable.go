package postgres

import (
	"errors"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// passing are the codes of what may not happen the next time: the transaction lost
// against another one (40001, 40P01), waited too long for a lock (55P03) or was idle for
// too long (25P03), or the server has no connection left, is shutting down or starting.
var passing = []string{"40001", "40P01", "55P03", "25P03", "53300", "57P01", "57P02", "57P03"}

// retryable reports whether a transaction that failed with the error of the driver,
// before COMMIT was sent, may succeed when it is run again as a whole.
func retryable(err error) bool {
	var failed *pgconn.PgError
	if !errors.As(err, &failed) {
		return isLost(err)
	}
	// Two writers that are new number their workspaces at the same time.
	numbered := failed.Code == "23505" && failed.TableName == "workspace"
	return numbered || slices.Contains(passing, failed.Code) || isOfProxy(failed)
}

// inDoubt reports whether a transaction whose COMMIT failed with the error may have been
// committed nevertheless. A server that is shut down may have done it before it said
// anything; Citus says XX000 when one of its nodes failed.
func inDoubt(err error) bool {
	var failed *pgconn.PgError
	if !errors.As(err, &failed) {
		return !errors.Is(err, errNotCommitted)
	}
	return slices.Contains([]string{"57P01", "57P02", "XX000", "57014"}, failed.Code) || isOfProxy(failed)
}

// isHeld reports whether goose could not lock its table because another process holds
// it, for which goose has no code.
func isHeld(err error) bool {
	return strings.Contains(err.Error(), "already held by another instance")
}
