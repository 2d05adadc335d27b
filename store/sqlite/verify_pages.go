package sqlite

import (
	"context"
	"database/sql"
	"regexp"
	"strconv"

	"github.com/lobstrail/lobstrail/store/relational"
)

// btreeMessage is how messages of SQLite begin that are about a page of a b-tree.
var btreeMessage = regexp.MustCompile(`^(?:On tree page|Tree) (\d+)`)

// checkIntegrity lets SQLite look at each page and each row.
//
// Its check of a whole database takes itself for that of one table when the first of
// the tables that it has in mind is a view, and then leaves out the list of free pages
// and those that nothing uses. That of the schema looks at the list in any case.
func (v *fileVerifier) checkIntegrity(ctx context.Context, tx relational.Tx) error {
	roots := map[int64]string{}
	err := relational.Each(ctx, tx, `SELECT tbl_name, rootpage FROM sqlite_schema ORDER BY name`, nil, func(scan func(...any) error) error {
		var name string
		var root sql.NullInt64
		err := scan(&name, &root)
		roots[root.Int64] = name
		return err
	})
	if err != nil {
		return err
	}
	told := map[string]bool{"ok": true}
	for _, check := range []string{`PRAGMA integrity_check(1000)`, `PRAGMA integrity_check(sqlite_schema)`} {
		err := relational.Each(ctx, tx, check, nil, func(scan func(...any) error) error {
			var message string
			if err := scan(&message); err != nil || told[message] {
				return err
			}
			told[message] = true
			v.find(tableOf(message, roots), "", "SQLite: %s", message)
			return nil
		})
		if err != nil {
			return err
		}
	}
	if len(told) > 1 {
		return nil // who counts pages needs them whole
	}
	return v.checkLostPages(ctx, tx)
}

// columnMessage is how messages of SQLite are that are about a value in a row.
var columnMessage = regexp.MustCompile(`^[A-Za-z-]+ value in (\w+)\.|^CHECK constraint failed in (\w+)$`)

// tableOf is the table that a message of SQLite is about; "" for the file.
func tableOf(message string, roots map[int64]string) string {
	if column := columnMessage.FindStringSubmatch(message); column != nil {
		return column[1] + column[2]
	}
	tree := btreeMessage.FindStringSubmatch(message)
	if tree == nil {
		return ""
	}
	root, _ := strconv.ParseInt(tree[1], 10, 64) // 0 is no tree
	return roots[root]
}

// checkLostPages compares the pages of tables and indexes, and those that are free,
// with those of the file. Beyond a gibibyte SQLite leaves one out, for its locks
// (https://sqlite.org/fileformat.html, section 1.4).
func (v *fileVerifier) checkLostPages(ctx context.Context, tx relational.Tx) error {
	var lost int64
	err := tx.GetContext(ctx, &lost, `
		SELECT pages.page_count - free.freelist_count - (pages.page_count > 0x40000000 / size.page_size)
			- (SELECT sum(pageno) FROM dbstat WHERE aggregate = TRUE)
		FROM pragma_page_count pages, pragma_freelist_count free, pragma_page_size size`)
	if err == nil && lost != 0 {
		v.find("", "", "the file has %d pages that are neither used nor free", lost)
	}
	return err
}
