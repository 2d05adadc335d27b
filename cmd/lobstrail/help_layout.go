package main

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// maxTextWidth bounds the lines of a topic: longer ones are hard to read.
const maxTextWidth = 88

const (
	// codeMargin stands before lines that are not wrapped.
	codeMargin = "    "
	// leastCell is how narrow the last column of a table may be.
	leastCell = 30
)

var (
	listItem = regexp.MustCompile(`^( *)(- |[0-9]+\. )(.*)$`)
	mdLink   = regexp.MustCompile(`\[([^\]]*)\]\(([^)]*)\)`)
	mdBreak  = regexp.MustCompile(`^(#|\||` + "```" + `| *- | *[0-9]+\. )`)
)

// markdownLayout lays out the Markdown of topics for a terminal: headings, paragraphs,
// lists, tables and code.
type markdownLayout struct {
	out   strings.Builder
	lines []string // what is left
	width int
	color bool
}

// layMarkdown returns the text wrapped to the width.
func layMarkdown(text string, width int, color bool) string {
	l := &markdownLayout{lines: strings.Split(strings.TrimRight(text, "\n"), "\n"), width: width, color: color}
	for len(l.lines) > 0 {
		switch line := l.lines[0]; {
		case strings.TrimSpace(line) == "":
			l.put(l.next())
		case strings.HasPrefix(line, "```"):
			l.fence()
		case strings.HasPrefix(line, codeMargin):
			l.put(l.next())
		case strings.HasPrefix(line, "#"):
			l.put(l.bold(strings.TrimLeft(l.next(), "# ")))
		case strings.HasPrefix(line, "|"):
			l.table()
		default:
			l.paragraph()
		}
	}
	return l.out.String()
}

func (l *markdownLayout) next() string {
	line := l.lines[0]
	l.lines = l.lines[1:]
	return line
}

func (l *markdownLayout) put(line string) { l.out.WriteString(line + "\n") }

func (l *markdownLayout) bold(text string) string {
	if text = plainInline(text); l.color {
		return "\x1b[1m" + text + "\x1b[0m"
	}
	return text
}

func (l *markdownLayout) fence() {
	for l.next(); len(l.lines) > 0; {
		line := l.next()
		if strings.HasPrefix(line, "```") {
			return
		}
		l.put(strings.TrimRight(codeMargin+line, " "))
	}
}

// paragraph lays out a paragraph or an item of a list.
func (l *markdownLayout) paragraph() {
	text, first, rest := l.next(), "", ""
	if m := listItem.FindStringSubmatch(text); m != nil {
		first, text = m[1]+m[2], m[3]
		rest = strings.Repeat(" ", len(first))
	}
	for len(l.lines) > 0 && strings.TrimSpace(l.lines[0]) != "" && !mdBreak.MatchString(l.lines[0]) {
		text += " " + strings.TrimSpace(l.next())
	}
	l.wrapped(plainInline(text), first, rest)
}

// wrapped writes words in lines that begin with first, then with rest.
func (l *markdownLayout) wrapped(text, first, rest string) {
	line := first
	empty := true
	for word := range strings.FieldsSeq(text) {
		if !empty && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > l.width {
			l.put(line)
			line, empty = rest, true
		}
		if !empty {
			line += " "
		}
		line, empty = line+word, false
	}
	l.put(line)
}

// table lays out a table in columns of which the last is wrapped; or, where that would be
// too narrow, row by row.
func (l *markdownLayout) table() {
	var rows [][]string
	for len(l.lines) > 0 && strings.HasPrefix(l.lines[0], "|") {
		cells := strings.Split(strings.Trim(strings.ReplaceAll(l.next(), `\|`, "\x00"), "| "), " |")
		for i := range cells {
			cells[i] = plainInline(strings.ReplaceAll(strings.TrimSpace(cells[i]), "\x00", "|"))
		}
		if !strings.HasPrefix(cells[0], "---") {
			rows = append(rows, cells)
		}
	}
	widths := columnWidths(rows)
	before := 0
	for _, w := range widths[:len(widths)-1] {
		before += w + 2
	}
	if l.width-before < min(leastCell, widths[len(widths)-1]) {
		l.rowByRow(rows)
		return
	}
	for i, row := range rows {
		first := ""
		for j, cell := range row[:len(row)-1] {
			first += cell + strings.Repeat(" ", widths[j]-utf8.RuneCountInString(cell)+2)
		}
		if i == 0 {
			row[len(row)-1] = strings.ToUpper(row[len(row)-1])
			first = strings.ToUpper(first)
		}
		l.wrapped(row[len(row)-1], first, strings.Repeat(" ", before))
	}
}

func columnWidths(rows [][]string) []int {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for j, cell := range row[:min(len(row), len(widths))] {
			widths[j] = max(widths[j], utf8.RuneCountInString(cell))
		}
	}
	return widths
}

// rowByRow writes the first cell of each row, and the others below it.
func (l *markdownLayout) rowByRow(rows [][]string) {
	for _, row := range rows[1:] {
		l.wrapped(row[0], "", "")
		for j, cell := range row[1:] {
			if len(rows[0]) > 2 { // a cell alone needs no name
				cell = rows[0][j+1] + ": " + cell
			}
			l.wrapped(cell, codeMargin, codeMargin+"  ")
		}
	}
}

// plainInline takes the marks of Markdown out of a text.
func plainInline(text string) string {
	text = mdLink.ReplaceAllString(text, "$1 ($2)")
	return strings.NewReplacer("**", "", "`", "").Replace(text)
}
