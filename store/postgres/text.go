package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"reflect"
	"strings"

	"github.com/jackc/pgx/v5/stdlib"
)

// PostgreSQL stores no text with the character NUL in it, which JSON may have, and so may a
// username. It is written as two characters 1, and 1 as 1 and 2: texts stay in their order,
// and equal only to themselves.
var (
	withoutNUL = strings.NewReplacer("\x00", "\x01\x01", "\x01", "\x01\x02")
	withNUL    = strings.NewReplacer("\x01\x01", "\x00", "\x01\x02", "\x01")
)

// texts makes connections of pgx that write and read all texts.
type texts struct{ driver.Connector }

func (c texts) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	made, ok := conn.(*stdlib.Conn)
	if !ok {
		return nil, errors.Join(errors.New("postgres: not a connection of pgx"), conn.Close())
	}
	return &textConn{made}, nil
}

// textConn is a connection that writes and reads all texts.
type textConn struct{ *stdlib.Conn }

// CheckNamedValue makes the value of a parameter one that can be stored.
func (c *textConn) CheckNamedValue(v *driver.NamedValue) error {
	v.Value = storable(v.Value)
	return nil
}

func storable(value any) any {
	var text string
	switch v := value.(type) {
	case string:
		text = v
	case sql.NullString:
		if !v.Valid {
			return nil
		}
		text = v.String
	default:
		r := reflect.ValueOf(value)
		if r.Kind() != reflect.String {
			return value
		}
		text = r.String()
	}
	if strings.IndexByte(text, 0) < 0 && strings.IndexByte(text, 1) < 0 {
		return text
	}
	return withoutNUL.Replace(text)
}

// storables are values of parameters, each as one that can be stored.
func storables(values []any) []any {
	for i, value := range values {
		values[i] = storable(value)
	}
	return values
}

// QueryContext returns rows whose texts are as they were before they were stored.
func (c *textConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := c.Conn.QueryContext(ctx, query, args)
	if err != nil {
		return nil, err
	}
	return textRows{rows.(*stdlib.Rows)}, nil
}

// textRows forward what package sql asks of rows.
type textRows struct{ rows *stdlib.Rows }

func (r textRows) Columns() []string { return r.rows.Columns() }
func (r textRows) Close() error      { return r.rows.Close() }
func (r textRows) ColumnTypeDatabaseTypeName(i int) string {
	return r.rows.ColumnTypeDatabaseTypeName(i)
}

func (r textRows) Next(row []driver.Value) error {
	if err := r.rows.Next(row); err != nil {
		return err
	}
	for i, value := range row {
		if text, ok := value.(string); ok && strings.IndexByte(text, 1) >= 0 {
			row[i] = withNUL.Replace(text)
		}
	}
	return nil
}
