package config

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// keyPath is a key with the tables it is in, as one text. The elements of an array of
// tables count from 0.
type keyPath string

func pathOf(keys ...string) keyPath { return keyPath(strings.Join(keys, "\x00")) }

func (p keyPath) below(key string) keyPath {
	if p == "" {
		return keyPath(key)
	}
	return p + keyPath("\x00"+key)
}

// maxDepth is how many keys a path has at most. No key of a configuration is as deep; what
// is below is known by the line of the key above it.
const maxDepth = 8

func (p keyPath) deep() bool { return strings.Count(string(p), "\x00") >= maxDepth }

// keyLines returns the line of each key and each table of a TOML document. The document
// has been parsed before, which reported its syntax errors.
func keyLines(text []byte) map[keyPath]int {
	l := lineReader{text: text, line: 1, lines: map[keyPath]int{}, elements: map[keyPath]int{}}
	l.parser.Reset(text)
	for l.parser.NextExpression() {
		switch e := l.parser.Expression(); e.Kind {
		case unstable.Table, unstable.ArrayTable:
			l.table = l.header(e)
		case unstable.KeyValue:
			l.keyValue(l.table, e)
		}
	}
	return l.lines
}

// lineReader counts lines while it goes through a document from its beginning to its end.
type lineReader struct {
	parser   unstable.Parser
	text     []byte
	offset   int // up to which lines are counted
	line     int
	table    keyPath         // which the next keys are in
	lines    map[keyPath]int // the answer
	elements map[keyPath]int // how many elements an array of tables has so far
}

// lineAt returns the line of an offset that is not before the one asked for last.
func (l *lineReader) lineAt(offset uint32) int {
	if end := int(offset); end > l.offset {
		l.line += bytes.Count(l.text[l.offset:end], []byte("\n"))
		l.offset = end
	}
	return l.line
}

// note keeps the first line that names a path.
func (l *lineReader) note(path keyPath, line int) {
	if l.lines[path] == 0 {
		l.lines[path] = line
	}
}

// header reads [a.b] or [[a.b]], and returns the path of the keys that follow.
func (l *lineReader) header(e *unstable.Node) (path keyPath) {
	for keys := e.Key(); keys.Next() && !path.deep(); {
		path = path.below(string(keys.Node().Data))
		line := l.lineAt(keys.Node().Raw.Offset)
		l.note(path, line)
		if e.Kind == unstable.ArrayTable && keys.IsLast() {
			l.elements[path]++
		}
		if n := l.elements[path]; n > 0 {
			path = path.below(strconv.Itoa(n - 1))
			l.note(path, line)
		}
	}
	return path
}

func (l *lineReader) keyValue(table keyPath, e *unstable.Node) {
	path := table
	for keys := e.Key(); keys.Next() && !path.deep(); {
		path = path.below(string(keys.Node().Data))
		l.note(path, l.lineAt(keys.Node().Raw.Offset))
	}
	l.value(path, e.Value())
}

func (l *lineReader) value(path keyPath, v *unstable.Node) {
	if path.deep() {
		return
	}
	switch v.Kind {
	case unstable.InlineTable:
		for pairs := v.Children(); pairs.Next(); {
			if pairs.Node().Kind == unstable.KeyValue {
				l.keyValue(path, pairs.Node())
			}
		}
	case unstable.Array:
		n := 0
		for elements := v.Children(); elements.Next(); {
			if elements.Node().Kind == unstable.Comment {
				continue
			}
			element := path.below(strconv.Itoa(n))
			l.note(element, l.line)
			l.value(element, elements.Node())
			n++
		}
	}
}
