package render

import (
	"bufio"
	"encoding/csv"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// csvRows writes the columns that have a key. Cells are cleaned (see [Clean]) and
// neutralised (see neutral). Lines end in LF.
type csvRows struct {
	out    *bufio.Writer
	csv    *csv.Writer
	keyed  []int // indexes of the columns that have a key
	header []string
	begun  bool
}

func newCSVRows(out *bufio.Writer, columns []Column) *csvRows {
	c := &csvRows{out: out, csv: csv.NewWriter(out)} // which writes straight to a bufio.Writer
	for i, column := range columns {
		if column.Key != "" {
			c.keyed = append(c.keyed, i)
			c.header = append(c.header, neutral(column.Key))
		}
	}
	return c
}

func (c *csvRows) row(_ any, cells []Cell) error {
	if err := c.begin(); err != nil {
		return err
	}
	record := make([]string, len(c.keyed))
	for i, at := range c.keyed {
		record[i] = neutral(cells[at].forPrograms())
	}
	return c.write(record)
}

func (c *csvRows) begin() error {
	if c.begun {
		return nil
	}
	c.begun = true
	return c.write(c.header)
}

func (c *csvRows) write(record []string) error {
	if len(record) == 1 && record[0] == "" { // encoding/csv writes a blank line, which readers skip
		_, err := c.out.WriteString("\"\"\n")
		return err
	}
	return c.csv.Write(record)
}

func (c *csvRows) end(string) error { return c.begin() }

var plainNegative = regexp.MustCompile(`^-[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// neutral cleans a cell and puts an apostrophe before what a spreadsheet would
// run as a formula. A cell that already has apostrophes before such text gets
// one more, so that taking one away gives back every cell:
//
//	=1+1   '=1+1
//	'=1+1  ''=1+1
//	-12.5  -12.5
func neutral(s string) string {
	s = Clean(s)
	if formula(strings.TrimLeft(s, "'")) {
		return "'" + s
	}
	return s
}

// formula reports whether a spreadsheet may take a clean cell as a formula: it
// begins, after white space, with = + - @ or their full-width forms. A plain
// negative number is none. (A tab or carriage return at the beginning is
// dangerous too, but [Clean] leaves none.)
func formula(s string) bool {
	if plainNegative.MatchString(s) {
		return false
	}
	s = strings.TrimLeftFunc(s, unicode.IsSpace)
	first, _ := utf8.DecodeRuneInString(s)
	return s != "" && strings.ContainsRune("=+-@＝＋－＠", first)
}
