package export

import (
	"fmt"
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/lobstrail/lobstrail/store"
)

// schema is the Parquet schema of the table, with the columns in their order.
func (t *table) schema() *parquet.Schema {
	group := orderedGroup{Group: parquet.Group{}}
	for _, c := range t.columns {
		group.Group[c.name] = parquet.Optional(c.node())
		group.names = append(group.names, c.name)
	}
	return parquet.NewSchema(t.name, group)
}

// node is the type of a column. Dictionaries make a hundred equal instants, ids or words of
// a page nearly free.
func (c column) node() parquet.Node {
	switch c.kind {
	case integer:
		return parquet.Encoded(parquet.Int(64), &parquet.RLEDictionary)
	case instant:
		return parquet.Encoded(parquet.Timestamp(parquet.Millisecond), &parquet.RLEDictionary)
	case object:
		// Not the type JSON: some readers do not know it, and all have functions for JSON in
		// a text.
		return parquet.Encoded(parquet.String(), &parquet.Plain)
	}
	return parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
}

// orderedGroup is a group whose fields are in the order of names instead of the alphabet's.
type orderedGroup struct {
	parquet.Group
	names []string
}

// Fields are the columns in their order.
func (g orderedGroup) Fields() []parquet.Field {
	byName := map[string]parquet.Field{}
	for _, f := range g.Group.Fields() {
		byName[f.Name()] = f
	}
	fields := make([]parquet.Field, len(g.names))
	for i, name := range g.names {
		fields[i] = byName[name]
	}
	return fields
}

// converter makes values of one column from what a query gives.
type converter struct {
	column column
	number int // of the column
	// The last instant is the same as this one in most rows.
	lastText string
	lastMS   int64
}

func (c *converter) value(v any) (parquet.Value, error) {
	if v == nil {
		return c.null(), nil
	}
	switch c.column.kind {
	case integer:
		if n, ok := v.(int64); ok {
			return parquet.Int64Value(n).Level(0, 1, c.number), nil
		}
		if c.column.shared {
			return c.null(), nil
		}
	case instant:
		if s, ok := v.(string); ok {
			ms, err := c.instant(s)
			return parquet.Int64Value(ms).Level(0, 1, c.number), err
		}
	case text, object:
		switch s := v.(type) {
		case string:
			return c.text(s), nil
		case []byte:
			return c.text(string(s)), nil
		}
	case other:
		switch s := v.(type) {
		case int64:
			return c.null(), nil
		case float64:
			return c.text(strconv.FormatFloat(s, 'g', -1, 64)), nil
		case string:
			return c.text(s), nil
		}
	}
	return parquet.Value{}, fmt.Errorf("%w: column %s is %T instead of %s", store.ErrDamaged, c.column.name, v, c.column.kind)
}

func (c *converter) null() parquet.Value { return parquet.NullValue().Level(0, 0, c.number) }

func (c *converter) text(s string) parquet.Value {
	return parquet.ByteArrayValue([]byte(s)).Level(0, 1, c.number)
}

// instant is the milliseconds of what the views write.
func (c *converter) instant(s string) (int64, error) {
	if s == c.lastText {
		return c.lastMS, nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return 0, fmt.Errorf("%w: column %s is no instant: %q", store.ErrDamaged, c.column.name, s)
	}
	c.lastText, c.lastMS = s, t.UnixMilli()
	return c.lastMS, nil
}
