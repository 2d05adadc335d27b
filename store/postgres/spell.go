package postgres

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// spelled is a statement in the words of PostgreSQL.
type spelled struct {
	text    string
	pieces  []string // of the text, between which the parameters stand
	numbers []int    // of the parameters, from 1 on
	// What the statement changes, and whether it reads more than the rows that it changes
	// and bound values. The table is empty when it is not of the form INSERT INTO table,
	// UPDATE table or DELETE FROM table, or returns rows.
	table string
	reads bool
}

var spellings sync.Map // of string to *spelled: the statements of this program, which are few

// spell writes a statement of package relational in the words of PostgreSQL.
func spell(query string) *spelled {
	if known, ok := spellings.Load(query); ok {
		return known.(*spelled)
	}
	p := &speller{query: query}
	p.run()
	s := &spelled{pieces: append(p.pieces, p.text.String()), numbers: p.numbers}
	s.text = s.shifted(0)
	s.table, s.reads = touched(p.words)
	spellings.Store(query, s)
	return s
}

// shifted is the statement with the numbers of its parameters raised by n.
func (s *spelled) shifted(n int) string {
	var text strings.Builder
	for i, piece := range s.pieces {
		text.WriteString(piece)
		if i < len(s.numbers) {
			text.WriteString("$" + strconv.Itoa(s.numbers[i]+n))
		}
	}
	return text.String()
}

// calls are the functions that have another name here: what stands before and after
// their arguments. JSON lists of texts and numbers are rows with the column value.
// (SQLite's NOCASE knows ASCII only, and so does lower with the collation C.)
var calls = map[string][2]string{
	"texts":    {`json_array_elements_text(replace(replace(`, `::text, '\u0001', '\u0001\u0002'), '\u0000', '\u0001\u0001')::json)`}, // see type texts
	"numbers":  {"(SELECT value::bigint AS value FROM json_array_elements_text(", "::json)) numbers"},
	"instr":    {"strpos(", ")"},
	"lowerhex": {"encode(", ", 'hex')"},
	"nocase":   {"lower((", `) COLLATE "C")`},
}

// lookup is LOOKUP (table name ON condition): a join that reads the few rows of the table by
// an index, for each row that comes before it in the statement. The planner may think that
// to read all of the table costs less: when it does not know the table, or expects its pages
// on a slow disk. OFFSET 0 leaves it no choice.
var lookup = regexp.MustCompile(`^ \((\w+) (\w+) ON\b`)

// speller goes through a statement once. Literals and comments stay as they are.
type speller struct {
	query   string
	at      int
	text    strings.Builder // since the last parameter
	pieces  []string
	numbers []int
	last    int      // the largest number of a parameter so far
	closing []string // what each open parenthesis ends with
	words   []string // all words, in capitals; functions end with (
}

func (p *speller) run() {
	for p.at < len(p.query) {
		switch c := p.query[p.at]; {
		case c == '\'' || c == '"':
			p.copyUntil(p.query[p.at:p.at+1], 1)
		case strings.HasPrefix(p.query[p.at:], "--"):
			p.copyUntil("\n", 2)
		case strings.HasPrefix(p.query[p.at:], "/*"):
			p.copyUntil("*/", 2)
		case c == '?':
			p.parameter()
		case isLetter(c):
			p.word()
		case c == '(':
			p.open("(", ")")
			p.at++
		case c == ')' && len(p.closing) > 0:
			p.text.WriteString(p.closing[len(p.closing)-1])
			p.closing = p.closing[:len(p.closing)-1]
			p.at++
		default:
			p.text.WriteByte(c)
			p.at++
		}
	}
}

// copyUntil copies what begins here and goes to the end, which is looked for after skip
// bytes. (A doubled quotation mark ends a literal and begins the next one.)
func (p *speller) copyUntil(end string, skip int) {
	to := len(p.query)
	if i := strings.Index(p.query[p.at+skip:], end); i >= 0 {
		to = p.at + skip + i + len(end)
	}
	p.text.WriteString(p.query[p.at:to])
	p.at = to
}

// parameter reads ?, which has the next number, or ?N.
func (p *speller) parameter() {
	end := p.at + 1
	for end < len(p.query) && '0' <= p.query[end] && p.query[end] <= '9' {
		end++
	}
	number := p.last + 1
	if n, err := strconv.Atoi(p.query[p.at+1 : end]); err == nil {
		number = n
	}
	p.last = max(p.last, number)
	p.pieces, p.numbers = append(p.pieces, p.text.String()), append(p.numbers, number)
	p.text.Reset()
	p.at = end
}

func (p *speller) word() {
	end := p.at
	for end < len(p.query) && (isLetter(p.query[end]) || '0' <= p.query[end] && p.query[end] <= '9') {
		end++
	}
	word := p.query[p.at:end]
	p.at = end
	call, other := calls[word]
	switch {
	case word == "ORDERED" && strings.HasPrefix(strings.TrimLeft(p.query[end:], " \t\n"), "JOIN"):
		p.at = end + strings.Index(p.query[end:], "JOIN")
		return
	case word == "LOOKUP" && lookup.MatchString(p.query[end:]):
		table := lookup.FindStringSubmatch(p.query[end:])
		p.at = end + len(table[0])
		p.open("JOIN LATERAL (SELECT * FROM "+table[1]+" "+table[2]+" WHERE", " OFFSET 0) "+table[2]+" ON true")
		word = "JOIN"
	case other && strings.HasPrefix(p.query[end:], "("):
		p.open(call[0], call[1])
		p.at++
		word += "("
	default:
		p.text.WriteString(word)
	}
	p.words = append(p.words, strings.ToUpper(word))
}

func (p *speller) open(before, after string) {
	p.text.WriteString(before)
	p.closing = append(p.closing, after)
}

func isLetter(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c >= 0x80
}

// touched is the table that a statement changes, and whether it reads others: see
// spelled. In doubt it does.
func touched(words []string) (table string, reads bool) {
	switch {
	case len(words) > 2 && (words[0] == "INSERT" && words[1] == "INTO" || words[0] == "DELETE" && words[1] == "FROM"):
		table, words = words[2], words[3:]
	case len(words) > 1 && words[0] == "UPDATE":
		table, words = words[1], words[2:]
	default:
		return "", true
	}
	for i, word := range words {
		switch word {
		case "RETURNING":
			return "", true
		case "SELECT", "FROM", "JOIN", "USING":
			reads = reads || !ofValues(words, i)
		}
	}
	return table, reads
}

// ofValues reports whether the word at i is one of SELECT value FROM texts(...), which
// reads what was bound.
func ofValues(words []string, i int) bool {
	if words[i] == "FROM" {
		i -= 2
	}
	if i < 0 || i+3 >= len(words) || words[i] != "SELECT" || words[i+1] != "VALUE" || words[i+2] != "FROM" {
		return false
	}
	return words[i+3] == "TEXTS(" || words[i+3] == "NUMBERS("
}
