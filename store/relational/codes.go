package relational

import (
	"database/sql"
	"errors"

	"github.com/lobstrail/lobstrail/store"
)

// The sources as tables have them.
const (
	sourceList = iota + 1
	sourceDetail
	sourceImport
)

var sources = []store.Source{sourceList: store.List, sourceDetail: store.Detail, sourceImport: store.Import}

func sourceID(s store.Source) int64 {
	switch s {
	case store.List:
		return sourceList
	case store.Detail:
		return sourceDetail
	}
	return sourceImport
}

// sourceName is the inverse of sourceID. It returns ErrDamaged for any other number.
func sourceName(id int64) (store.Source, error) {
	if id < sourceList || id > sourceImport {
		return "", Damaged("response", errors.New("of no source"))
	}
	return sources[id], nil
}

var errNoEndpoint = errors.New("of no endpoint")

// orNull binds a number that may be missing.
func orNull(n *int64) any {
	if n == nil {
		return nil
	}
	return *n
}

// zeroIsNull binds a number; 0 is NULL.
func zeroIsNull(n int64) sql.NullInt64 { return sql.NullInt64{Int64: n, Valid: n != 0} }

// textOrNull binds text; the empty one is NULL.
func textOrNull(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

// jsonOrNull binds JSON as text; nil is NULL.
func jsonOrNull(raw []byte) sql.NullString {
	return sql.NullString{String: string(raw), Valid: raw != nil}
}

// orByte binds bytes, and one byte where there are none: the driver of SQLite may bind no
// bytes as NULL. Whoever writes no bytes takes it away afterwards.
func orByte(raw []byte) []byte {
	if len(raw) == 0 {
		return []byte{0}
	}
	return raw
}
