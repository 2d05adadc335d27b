package lobstrtest

import "strings"

// scanner finds the parts of JSON that is known to be valid, without copying.
// (Package encoding/json takes fifty times as long, which a page of a hundred
// accounts would feel.) Of other texts it makes something, but never panics.
type scanner struct {
	text string
	next int
}

// parseObject reads a JSON object; ok is false when raw is something else.
func parseObject(raw string) (o object, ok bool) {
	s := scanner{text: raw}
	if !s.take('{') {
		return nil, false
	}
	o = make(object, 0, 8)
	for !s.take('}') {
		name, isText := unquote(s.value())
		if !isText || !s.take(':') {
			return nil, false
		}
		o = append(o, field{name, s.value()})
		if !s.take(',') && s.peek() != '}' {
			return nil, false
		}
	}
	return o, true
}

// parseList reads a JSON array; ok is false when raw is something else.
func parseList(raw string) (list []string, ok bool) {
	s := scanner{text: raw}
	if !s.take('[') {
		return nil, false
	}
	for !s.take(']') {
		list = append(list, s.value())
		if !s.take(',') && s.peek() != ']' {
			return nil, false
		}
	}
	return list, true
}

// peek skips white space and returns the byte after it; 0 at the end.
func (s *scanner) peek() byte {
	for s.next < len(s.text) {
		if c := s.text[s.next]; c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c
		}
		s.next++
	}
	return 0
}

// take skips c, and reports whether it was there.
func (s *scanner) take(c byte) bool {
	if s.peek() != c {
		return false
	}
	s.next++
	return true
}

// value skips a value and returns it.
func (s *scanner) value() string {
	s.peek()
	start, depth := s.next, 0
	for s.next < len(s.text) {
		switch s.text[s.next] {
		case '"':
			s.skipText()
		case '{', '[':
			depth++
			s.next++
		case '}', ']':
			if depth--; depth < 0 {
				return s.text[start:s.next]
			}
			s.next++
		default:
			s.skipPlain(depth)
		}
		if depth == 0 {
			break
		}
	}
	return s.text[start:s.next]
}

// skipText skips a string, from its first quote to its last.
func (s *scanner) skipText() {
	for s.next++; s.next < len(s.text); s.next++ {
		switch s.text[s.next] {
		case '\\':
			s.next++
		case '"':
			s.next++
			return
		}
	}
	s.next = len(s.text)
}

// skipPlain skips a number or word, or what stands between the values inside
// of an array or object.
func (s *scanner) skipPlain(depth int) {
	stop := `"{}[]`
	if depth == 0 {
		stop = ",]} \n\t\r"
	}
	if n := strings.IndexAny(s.text[s.next:], stop); n > 0 {
		s.next += n
		return
	} else if n == 0 {
		s.next++ // never for valid JSON
		return
	}
	s.next = len(s.text)
}
