package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"os"

	migrations "github.com/lobstrail/lobstrail/migrations/sqlite"
	"github.com/lobstrail/lobstrail/store/relational"
)

// fileVerifier checks the file, and the tables that belong to no workspace.
type fileVerifier struct {
	db       *database
	readable bool // the tables are those of a store
	find     relational.Find
}

// Schema compares the schema with that of a fresh store.
func (s *database) Schema(ctx context.Context, tx relational.Tx, find relational.Find) (readable bool, err error) {
	v := fileVerifier{db: s, find: find}
	return v.checkSchema(ctx, tx)
}

// Files checks the file, by itself and by SQLite's own check, and the tables that belong to
// no workspace.
func (s *database) Files(ctx context.Context, tx relational.Tx, readable bool, find relational.Find) error {
	v := fileVerifier{db: s, readable: readable, find: find}
	checks := []func(context.Context, relational.Tx) error{v.checkHeader, v.checkIntegrity, v.checkCells, v.checkSize}
	if readable {
		checks = append(checks, v.checkFresh, v.checkSettings, v.checkSequences, v.checkLitestream)
	}
	for _, check := range checks {
		if err := check(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

// findRows finds the rows that the query returns, each with its problem.
func (v *fileVerifier) findRows(ctx context.Context, tx relational.Tx, table, query string) error {
	return relational.Each(ctx, tx, query, nil, func(scan func(...any) error) error {
		var row, problem sql.NullString
		err := scan(&row, &problem)
		if err == nil {
			v.find(table, row.String, "%s", problem.String)
		}
		return err
	})
}

// headerField is a part of the header of a SQLite file
// (https://sqlite.org/fileformat.html, section 1.3) that has one right value.
type headerField struct {
	at   int
	what string
	want []byte
}

var headerFields = []headerField{
	{0, "magic text", []byte("SQLite format 3\x00")},
	{20, "reserved space and payload fractions", []byte{0, 64, 32, 32}},
	{44, "schema format", []byte{0, 0, 0, 4}},
	{48, "cache size", make([]byte, 4)},
	{52, "largest root page", make([]byte, 4)},
	{56, "text encoding", []byte{0, 0, 0, 1}},
	{60, "user version", make([]byte, 4)},
	{64, "incremental vacuum", make([]byte, 4)},
	{68, "application id", binary.BigEndian.AppendUint32(nil, migrations.ApplicationID)},
	{72, "reserved space", make([]byte, 20)},
}

// checkHeader checks what SQLite reads of the header and does not check, and what
// it does not read. The schema cookie (byte 40) is a count of changes to the schema
// by which connections know that they have to read it again: no value is wrong.
func (v *fileVerifier) checkHeader(ctx context.Context, tx relational.Tx) error {
	var page []byte
	if err := tx.GetContext(ctx, &page, `SELECT data FROM sqlite_dbpage WHERE pgno = 1`); err != nil {
		return err
	}
	wrong := func(at int, what string) { v.find("", "", "the %s in the header (byte %d) is wrong", what, at) }
	for _, f := range headerFields {
		if !bytes.Equal(page[f.at:f.at+len(f.want)], f.want) {
			wrong(f.at, f.what)
		}
	}
	if page[18] != page[19] || page[18] != 1 && page[18] != 2 {
		wrong(18, "version of the format") // 2: there may be a WAL
	}
	// Who counts a change notes the count again, and the version of his library,
	// x*1000000 + y*1000 + z. STRICT tables came with 3.37.
	if !bytes.Equal(page[24:28], page[92:96]) {
		wrong(24, "change counter")
	}
	if by := binary.BigEndian.Uint32(page[96:]); by < 3_037_000 || by >= 4_000_000 || by%1000 > 99 {
		wrong(96, "version of the library")
	}
	return nil
}

// checkSize compares the length of the file with the number of its pages. While
// there is something in the journal, or being put there, both are on their way.
func (v *fileVerifier) checkSize(ctx context.Context, _ relational.Tx) error {
	var problem string
	for range 3 {
		before, size, err := v.db.sizes()
		if err != nil {
			return err
		}
		var pages, pageSize int64
		err = v.db.ReadApart(ctx, func(tx relational.Tx) error {
			if err := tx.GetContext(ctx, &pages, `PRAGMA page_count`); err != nil {
				return err
			}
			return tx.GetContext(ctx, &pageSize, `PRAGMA page_size`)
		})
		if err != nil {
			return err
		}
		after, still, err := v.db.sizes()
		if err != nil || before+after > 0 || size == pages*pageSize {
			return err
		}
		if still == size {
			problem = fmt.Sprintf("the file has %d bytes, but %d pages of %d bytes", size, pages, pageSize)
		}
	}
	if problem != "" {
		v.find("", "", "%s", problem)
	}
	return nil
}

// sizes are those of the journal and of the file.
func (s *database) sizes() (journal, file int64, err error) {
	if info, err := os.Stat(s.path + "-wal"); err == nil {
		journal = info.Size()
	}
	info, err := os.Stat(s.path)
	if err != nil {
		return 0, 0, err
	}
	return journal, info.Size(), nil
}
