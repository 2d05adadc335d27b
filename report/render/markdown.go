package render

import (
	"bufio"
	"regexp"
	"strings"
)

// markdownRows writes the columns that have a title, row by row and so without
// padding.
type markdownRows struct {
	out     *bufio.Writer
	options Options
	columns []Column
	titled  []int // indexes of the columns that have a title
	begun   bool
}

func newMarkdownRows(out *bufio.Writer, options Options, columns []Column) *markdownRows {
	return &markdownRows{out: out, options: options, columns: columns, titled: titled(columns)}
}

// titled lists the indexes of the columns that people see.
func titled(columns []Column) []int {
	var at []int
	for i, column := range columns {
		if column.Title != "" {
			at = append(at, i)
		}
	}
	return at
}

func (m *markdownRows) row(_ any, cells []Cell) error {
	if !m.begun {
		m.begin()
	}
	return m.line(func(i int) string { return markdownText(cells[i].forPeople(m.options.Zone)) })
}

func (m *markdownRows) begin() {
	m.begun = true
	m.line(func(i int) string { return markdownText(m.columns[i].Title) }) // the error of a bufio.Writer stays
	m.line(func(i int) string {
		if m.columns[i].Right {
			return "---:"
		}
		return "---"
	})
}

func (m *markdownRows) line(text func(i int) string) error {
	m.out.WriteByte('|')
	for _, i := range m.titled {
		m.out.WriteByte(' ')
		m.out.WriteString(text(i))
		m.out.WriteString(" |")
	}
	return m.out.WriteByte('\n')
}

func (m *markdownRows) end(footer string) error {
	if footer == "" {
		return nil
	}
	if m.begun {
		m.out.WriteByte('\n')
	}
	return writeMarkdownParagraph(m.out, footer)
}

// writeMarkdownParagraph writes text that may have several lines. Lines of code (see
// codeIndent) become a block of code: there, nothing is markup.
func writeMarkdownParagraph(out *bufio.Writer, text string) error {
	code := false
	for i, line := range strings.Split(strings.Trim(text, "\n"), "\n") {
		before := code
		code = strings.HasPrefix(line, codeIndent)
		switch {
		case i == 0:
		case code && before:
			out.WriteString("\n")
		case code || before:
			out.WriteString("\n\n")
		default:
			out.WriteString("  \n") // two spaces: a line break
		}
		if code {
			out.WriteString(Clean(line))
		} else {
			out.WriteString(markdownLine(line))
		}
	}
	return out.WriteByte('\n')
}

var (
	markdownSpaces = strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ", "\t", " ")
	markdownMarks  = strings.NewReplacer(
		`\`, `\\`, "`", "\\`", `|`, `\|`, `<`, `&lt;`, `>`, `&gt;`, `&`, `&amp;`,
		`[`, `\[`, `]`, `\]`, `*`, `\*`, `_`, `\_`, `~`, `\~`, `#`, `\#`, `$`, `\$`,
		"://", `\://`, // GitHub makes links of bare addresses
	)
	bareDomain  = regexp.MustCompile(`(?i)\bwww\.`)
	mention     = regexp.MustCompile(`(^|[^0-9A-Za-z])@([0-9A-Za-z])`)
	listItem    = regexp.MustCompile(`^[-+=]`)
	orderedItem = regexp.MustCompile(`^([0-9]+)([.)])`)
)

// markdownText writes a text so that GitHub shows it as it is: on one line, and
// with nothing in it taken as markup, link or mention. A mention is parted by an
// empty comment, for GitHub knows no escape for it.
func markdownText(s string) string {
	s = Clean(markdownSpaces.Replace(s))
	s = markdownMarks.Replace(strings.TrimSpace(s))
	s = bareDomain.ReplaceAllStringFunc(s, func(www string) string { return www[:3] + `\.` })
	return mention.ReplaceAllString(s, "$1@<!-- -->$2")
}

// markdownLine writes a text outside a table, where the beginning of a line may
// be markup too.
func markdownLine(s string) string {
	s = markdownText(s)
	s = listItem.ReplaceAllString(s, `\$0`)
	return orderedItem.ReplaceAllString(s, `$1\$2`)
}
