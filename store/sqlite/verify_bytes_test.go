package sqlite_test

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// usedBytes marks the bytes of a SQLite file that mean something
// (https://sqlite.org/fileformat.html). The others are free space: between the cell
// pointers of a page and its cells, in freeblocks and between cells, behind the end
// of an overflow chain, and the pages of the freelist.
type usedBytes struct {
	file    []byte
	used    []bool
	numbers []bool // of rows
}

const filePage = 4096

// use marks n bytes from an offset within a page on.
func (u *usedBytes) use(page uint32, at, n int) {
	for i := range n {
		u.used[(int(page)-1)*filePage+at+i] = true
	}
}

// number marks the number of a row.
func (u *usedBytes) number(page uint32, at, n int) {
	for i := range n {
		u.numbers[(int(page)-1)*filePage+at+i] = true
	}
}

func (u *usedBytes) page(page uint32) []byte {
	return u.file[(int(page)-1)*filePage : int(page)*filePage]
}

// varint reads a variable-length integer: its value and its length.
func varint(b []byte) (value uint64, n int) {
	for n = 0; n < 8; n++ {
		value = value<<7 | uint64(b[n]&0x7f)
		if b[n] < 0x80 {
			return value, n + 1
		}
	}
	return value<<8 | uint64(b[8]), 9
}

// tree marks the b-tree that begins on the page.
func (u *usedBytes) tree(page uint32) {
	b, header := u.page(page), 0
	if page == 1 {
		header = 100
	}
	kind, cells := b[header], int(binary.BigEndian.Uint16(b[header+3:]))
	size, interior := 8, kind == 2 || kind == 5
	if interior {
		size = 12
		u.tree(binary.BigEndian.Uint32(b[header+8:]))
	}
	u.use(page, header, size+2*cells)
	for i := range cells {
		at := int(binary.BigEndian.Uint16(b[header+size+2*i:]))
		u.cell(page, kind, at)
	}
	for block := int(binary.BigEndian.Uint16(b[header+1:])); block > 0; block = int(binary.BigEndian.Uint16(b[block:])) {
		u.use(page, block, 4)
	}
}

func (u *usedBytes) cell(page uint32, kind byte, at int) {
	b, n := u.page(page)[at:], 0
	if kind == 2 || kind == 5 {
		u.tree(binary.BigEndian.Uint32(b))
		n = 4
	}
	if kind == 5 {
		_, key := varint(b[4:])
		u.use(page, at, 4+key)
		u.number(page, at+4, key)
		return
	}
	payload, length := varint(b[n:])
	n += length
	most := (filePage-12)*64/255 - 23
	if kind == 13 {
		_, key := varint(b[n:])
		u.number(page, at+n, key)
		n += key
		most = filePage - 35
	}
	local := int(payload)
	if local > most {
		least := (filePage-12)*32/255 - 23
		if local = least + (int(payload)-least)%(filePage-4); local > most {
			local = least
		}
		u.overflow(binary.BigEndian.Uint32(b[n+local:]), int(payload)-local)
		n += 4
	}
	u.use(page, at, n+local)
}

func (u *usedBytes) overflow(page uint32, left int) {
	for ; page != 0; page = binary.BigEndian.Uint32(u.page(page)) {
		u.use(page, 0, 4+min(left, filePage-4))
		left -= filePage - 4
	}
}

// usedIn returns the offsets of all bytes that mean something, and marks those of
// them that are the numbers of rows of sqlite_schema and sqlite_stat1.
func usedIn(t testing.TB, path string) (file []byte, offsets []int, renumbered []bool) {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	u := usedBytes{file, make([]bool, len(file)), make([]bool, len(file))}
	u.use(1, 0, 100)
	u.tree(1)
	db := second(t, path)
	defer db.Close()
	roots, err := db.Query(`SELECT rootpage FROM sqlite_schema WHERE rootpage > 0 ORDER BY tbl_name <> 'sqlite_stat1', rootpage`)
	if err != nil {
		t.Fatal(err)
	}
	defer roots.Close()
	for roots.Next() {
		var root uint32
		if err := roots.Scan(&root); err != nil {
			t.Fatal(err)
		}
		if u.tree(root); renumbered == nil { // the first is sqlite_stat1
			renumbered = slices.Clone(u.numbers)
		}
	}
	for trunk := binary.BigEndian.Uint32(file[32:]); trunk != 0; trunk = binary.BigEndian.Uint32(u.page(trunk)) {
		u.use(trunk, 0, 8+4*int(binary.BigEndian.Uint32(u.page(trunk)[4:])))
	}
	for at, used := range u.used {
		if used {
			offsets = append(offsets, at)
		}
	}
	return file, offsets, renumbered
}

// TestThePagesOfTheFileAreVerified: the list of free pages, and that each page is free or
// holds something.
func TestThePagesOfTheFileAreVerified(t *testing.T) {
	path := memoryPath(t)
	smallStore(t, path)
	none := changedAt(t, path, 32, []byte{0, 0, 0, 0, 0, 0, 0, 1})
	db := second(t, path)
	execute(t, db, `CREATE TABLE filler (x); INSERT INTO filler VALUES (zeroblob(20000)); DROP TABLE filler; PRAGMA wal_checkpoint(TRUNCATE)`)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	healthy(t, path)
	for what, changed := range map[string]string{
		"a free page where there is none": none,
		"pages that are lost":             changedAt(t, path, 32, make([]byte, 8)),
		"another first free page":         changedAt(t, path, 35, []byte{9}),
		"more free pages":                 changedAt(t, path, 39, []byte{99}),
	} {
		if findings, _ := verify(t, changed, store.VerifyOptions{}); len(findings) == 0 {
			t.Errorf("%s: not found", what)
		}
	}
}

// unprovable reports whether a changed byte of the header may have its new value as
// well. The four of the schema cookie: it counts the changes to the schema, so that
// connections know that they must read it again; VACUUM counts on, and nothing rests
// on it. And the last ones of the version of the library that wrote last, where the
// new value is a version too, x*1000000 + y*1000 + z: who writes may have any.
func unprovable(file []byte, at int) bool {
	by := binary.BigEndian.Uint32(file[96:])
	return at >= 40 && at < 44 || at >= 96 && at < 100 && by >= 3_037_000 && by < 4_000_000 && by%1000 < 100
}

// TestEveryByteOfTheFileIsVerified changes each byte of a store that is no free
// space: all bits of it, and one. Beside those that are unprovable, the numbers of rows
// of sqlite_schema and sqlite_stat1 may be others, in the same order: they mean nothing, and VACUUM gives
// new ones. The store was derived again, for the digests of objects as they were received
// cannot be checked, and no run goes on, of which not all is known.
func TestEveryByteOfTheFileIsVerified(t *testing.T) {
	t.Parallel()
	path := memoryPath(t)
	smallStore(t, path)
	s, _, err := sqlite.OpenWriter(t.Context(), path, writer(start))
	if err == nil {
		err = errors.Join(s.Rederive(t.Context(), nil), s.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	file, offsets, renumbered := usedIn(t, path)
	if !*long {
		rand.Shuffle(len(offsets), func(i, j int) { offsets[i], offsets[j] = offsets[j], offsets[i] })
		offsets = offsets[:fewer(200, 15)]
	}
	copied, exempt := memoryPath(t), 0
	for _, at := range offsets {
		for _, change := range []byte{0xff, 1 << rand.IntN(8)} {
			file[at] ^= change
			if err := os.WriteFile(copied, file, 0o600); err != nil {
				t.Fatal(err)
			}
			may := unprovable(file, at) || renumbered[at]
			file[at] ^= change
			switch findings, _ := verify(t, copied, store.VerifyOptions{}); {
			case len(findings) > 0:
			case may:
				exempt++
			default:
				t.Errorf("byte %d of page %d, changed by %#x, is not found", at%filePage, at/filePage+1, change)
			}
		}
	}
	t.Logf("%d bytes of %d changed, each in two ways; %d could not be found", len(offsets), len(file), exempt)
}
