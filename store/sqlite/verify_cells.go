package sqlite

import (
	"context"
	"encoding/binary"

	"github.com/lobstrail/lobstrail/store/relational"
)

// checkCells looks at the one thing in rows that SQLite keeps and never reads. What
// is INTEGER PRIMARY KEY is the number of the row, and NULL stands in its place among
// the values (https://sqlite.org/fileformat.html, section 2.3): it is the first
// column of all our tables that have one, and no table of SQLite begins with a
// number.
func (v *fileVerifier) checkCells(ctx context.Context, tx relational.Tx) error {
	return relational.Each(ctx, tx, `
		SELECT t.name, p.data
		FROM sqlite_schema t
		JOIN dbstat s ON s.name = t.name
		JOIN sqlite_dbpage p ON p.pgno = s.pageno
		WHERE t.type = 'table' AND t.sql LIKE '%INTEGER PRIMARY KEY%' AND s.pagetype = 'leaf'`, nil, func(scan func(...any) error) error {
		var table string
		var page []byte
		if err := scan(&table, &page); err != nil {
			return err
		}
		for row, kind := range firstValues(page) {
			if kind != 0 {
				v.find(table, row, "stores a second value for its number, where NULL is expected")
			}
		}
		return nil
	})
}

// firstValues are the rows on a leaf page of a table, by number, each with the
// serial type of its first value (section 2.1). What makes no sense is left out:
// SQLite's own check tells of it.
func firstValues(page []byte) func(yield func(row int64, kind byte) bool) {
	return func(yield func(int64, byte) bool) {
		if len(page) < 8 || page[0] != 13 {
			return
		}
		pointers := page[8:]
		for range binary.BigEndian.Uint16(page[3:]) {
			if len(pointers) < 2 {
				return
			}
			at := int(binary.BigEndian.Uint16(pointers))
			pointers = pointers[2:]
			cell := page[min(at, len(page)):]
			_, cell = cutVarint(cell) // how long it is
			row, cell := cutVarint(cell)
			_, cell = cutVarint(cell) // how long the types are
			if len(cell) > 0 && !yield(int64(row), cell[0]) {
				return
			}
		}
	}
}

// cutVarint reads a number of one to nine bytes, the high ones first (section 1.6).
func cutVarint(b []byte) (value uint64, rest []byte) {
	for i, c := range b {
		if i == 8 {
			return value<<8 | uint64(c), b[9:]
		}
		if value = value<<7 | uint64(c&0x7f); c < 0x80 {
			return value, b[i+1:]
		}
	}
	return 0, nil
}
