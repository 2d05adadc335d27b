package lobstrtest

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
)

// errorShape is one of the shapes of error bodies.
type errorShape int

// The shapes of error bodies.
const (
	currentShape errorShape = iota // {"errors":{"message","type","code"}}
	olderShape                     // {"detail"}
	flatShape                      // {"error","type","code"}
	htmlShape                      // a proxy's page
	emptyShape                     // nothing
)

func (s errorShape) body(status int, message string) []byte {
	kind := quote(errorType(status))
	switch s {
	case currentShape:
		inner := object{{"message", quote(message)}, {"type", kind}, {"code", number(status)}}
		return object{{"errors", inner.String()}}.append(nil)
	case olderShape:
		return object{{"detail", quote(message)}}.append(nil)
	case flatShape:
		return object{{"error", quote(message)}, {"type", kind}, {"code", number(status)}}.append(nil)
	case htmlShape:
		return fmt.Appendf(nil, "<html>\r\n<head><title>%d %s</title></head>\r\n<body>\r\n<center><h1>%[1]d %[2]s</h1>"+
			"</center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n", status, http.StatusText(status))
	}
	return nil
}

func (s errorShape) contentType() string {
	if s == htmlShape {
		return "text/html"
	}
	return "application/json"
}

// String names the shape.
func (s errorShape) String() string {
	return [...]string{"current", "older", "flat", "html", "empty"}[s]
}

func errorType(status int) string {
	switch status {
	case http.StatusTooManyRequests:
		return "Throttled"
	case http.StatusUnauthorized:
		return "AuthenticationFailed"
	case http.StatusForbidden:
		return "PermissionDenied"
	case http.StatusBadRequest:
		return "ValidationError"
	case http.StatusNotFound:
		return "NotFound"
	}
	return "ServerError"
}

// listEnvelope is the envelope of a page with so many entries. base is the
// absolute URL of the list ("": no links) and filters the rest of its query. As
// in the vendor's own examples, result_to is one too high.
func listEnvelope(base, filters string, total, page, limit, entries int) object {
	pages := (total + limit - 1) / limit
	from := (page-1)*limit + 1
	link := func(to int, there bool) string {
		if !there || base == "" {
			return "null"
		}
		return quote(strings.TrimSuffix(fmt.Sprintf("%s?limit=%d&page=%d&%s", base, limit, to, filters), "&"))
	}
	return object{
		{"total_results", number(total)}, {"limit", number(limit)}, {"page", number(page)},
		{"total_pages", number(max(1, pages))}, {"result_from", number(from)}, {"result_to", number(from + entries)},
		{"data", "[]"}, {"next", link(page+1, page < pages)}, {"previous", link(page-1, page > 1)},
	}
}

// encodeEnvelope writes an envelope with rows in place of an empty data.
func encodeEnvelope(envelope object, rows [][]byte) []byte {
	size := 512
	for _, row := range rows {
		size += len(row) + 1
	}
	data := envelope.index("data")
	if envelope[data].raw != "[]" {
		return envelope.append(make([]byte, 0, size))
	}
	var b bytes.Buffer
	b.Grow(size)
	head := envelope[:data].append(nil)
	b.Write(head[:len(head)-1])
	if data > 0 {
		b.WriteByte(',')
	}
	b.WriteString(`"data":[`)
	for i, row := range rows {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(row)
	}
	b.WriteByte(']')
	if rest := envelope[data+1:].append(nil); len(rest) > 2 {
		b.WriteByte(',')
		b.Write(rest[1:])
		return b.Bytes()
	}
	b.WriteByte('}')
	return b.Bytes()
}
