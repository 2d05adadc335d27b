package render

import (
	"bufio"
	"fmt"
	"io"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// group is what the rows of a Writer have in common until the next group begins.
type group struct {
	key    string // of the column, and of the JSON member
	name   string
	has    bool // the JSON of the rows has the member already
	looked bool // whether has is known
}

// NewGrouped is [New] for rows in groups, such as those of several workspaces. The first
// column says which group a row belongs to; it needs a key. In JSON it is the first member
// of each object, unless the objects have such a member themselves. [Writer.Group] must be
// called before the first row. Rows are given without the cell of the group.
func NewGrouped(out io.Writer, options Options, by Column, columns ...Column) *Writer {
	options, err := options.checked()
	w := newWriter(bufio.NewWriterSize(out, 32<<10), options, slices.Concat([]Column{by}, columns))
	w.err = err
	w.blank = w.blank[1:]
	w.group = &group{key: by.Key}
	return w
}

// Group begins a group. It does nothing for a writer that New has made.
func (w *Writer) Group(name string) {
	if w.group != nil {
		w.group.name = name
	}
}

// begin puts the name of the group in front of a row.
func (g *group) begin(value any, cells []Cell, valued bool) (any, []Cell, error) {
	cells = slices.Concat([]Cell{TextCell(g.name)}, cells)
	if !valued {
		return value, cells, nil
	}
	text, err := encodeJSON(value)
	if err != nil {
		return nil, nil, err
	}
	if !g.looked {
		if err := g.look(text); err != nil {
			return nil, nil, err
		}
	}
	if g.has {
		return value, cells, nil
	}
	member, err := encodeJSON(map[string]string{g.key: g.name})
	if err != nil {
		return nil, nil, err
	}
	member = member[:len(member)-1] // without its brace
	if len(text) > len("{}") {
		member = append(member, ',')
	}
	return jsontext.Value(append(member, text[1:]...)), cells, nil
}

// look finds out whether objects as this one have the member. All rows of an answer are
// alike.
func (g *group) look(text []byte) error {
	var members map[string]jsontext.Value
	if err := json.Unmarshal(text, &members, asEncodingJSON); err != nil {
		return fmt.Errorf("a row in a group is no object: %w", err)
	}
	_, g.has = members[g.key]
	g.looked = true
	return nil
}
