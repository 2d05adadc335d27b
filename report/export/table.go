package export

import "strings"

// layout is the number of the columns and folders that this package writes. It is raised
// when they change: everything is written anew then.
const layout = 1

// kind is the type of a column.
type kind int

const (
	text    kind = iota // STRING
	integer             // INT64
	instant             // TIMESTAMP, milliseconds, UTC
	object              // STRING: JSON, nearly all rows of which differ
	other               // STRING: what is no 64-bit integer in the column before it
)

func (k kind) String() string {
	return [...]string{"STRING", "INT64", "TIMESTAMP", "STRING", "STRING"}[k]
}

// column is a column of a table. All may be NULL.
type column struct {
	name string
	kind kind
	sql  string // what it is read from; "": the column of the view that has its name
	// shared says that the column after it has those values that are no integers.
	shared bool
}

// period is how long the time is whose rows are one partition.
type period string

const (
	whole   period = "" // the table has no periods
	daily   period = "day"
	monthly period = "month"
)

// layoutOf is how the period of an instant is written.
var layoutOf = map[period]string{daily: "2006-01-02", monthly: "2006-01"}

// table is a table of the export: a view of the store, cut into periods by one of its
// instants. The column workspace is not in the files: it is the name of a folder.
type table struct {
	name    string
	view    string
	period  period
	at      string // the column of the view that the period is taken from; "" if there are none
	order   string // puts the rows in an order that never changes
	columns []column
	// open is a column that is NULL as long as the row can still change; "" where rows
	// do not change, or all partitions are looked at each time.
	open string
	// looked says that rows of any period can change at any time, and that there are
	// few enough to read all of them each time.
	looked bool
}

var tables = []*table{
	{
		name: "accounts", view: "account_current", order: "account", looked: true,
		columns: columns(`account, username, type, health, status, status_code_info, status_code_description,
			last_synchronization_time, squid_count int, seen_at time, unlisted_since time, document json`),
	},
	{
		name: "versions", view: "account_versions", period: monthly, at: "valid_from", order: "valid_from, account", open: "valid_to",
		// last_seen of a current version moves with every snapshot: all files would be written anew each time.
		columns: columns(`account, version int, valid_from time, valid_to time,
			last_seen time = CASE WHEN valid_to IS NOT NULL THEN last_seen END, username, type, health, status,
			status_code_info, status_code_description, last_synchronization_time, squid_count int, document json`),
	},
	{
		name: "changes", view: "changes", period: monthly, at: "before", order: "before, account, kind, path",
		columns: columns(`account, username, type, kind, path, old, new, after time, before time, run int, version int, health_before, health_after`),
	},
	{
		name: "status_changes", view: "status_changes", period: monthly, at: "before", order: "before, account",
		columns: columns(`account, username, type, status_before, status_after, info_before, info_after, health_before, health_after,
			became, after time, before time, run int`),
	},
	{
		// The names are the current ones.
		name: "assignments", view: "squid_assignments", period: monthly, at: "from_before", order: "from_before, squid, account", looked: true,
		columns: columns(`squid, squid_name, account, username, type, from_after time, from_before time, to_after time, to_before time`),
	},
	{
		name: "usage", view: "limit_usage", period: daily, at: "seen_at", order: "seen_at, account, limit_name",
		columns: columns(`account, limit_name, value int, value_text other = value, max int, max_text other = max,
			resets_at time, seen_at time, run int`),
	},
	{
		name: "runs", view: "runs", period: monthly, at: "started_at", order: "run",
		columns: columns(`run int, started_at time, finished_at time, state, complete int, requested int, captured int, changed int,
			unchanged int, gone int, failed int, requests int, warnings json, failures json`),
	},
	{
		name: "snapshots", view: "snapshots", period: daily, at: "taken_at", order: "taken_at, account",
		columns: columns(`account, taken_at time, sent_at time, run int, source, version int`),
	},
}

// columns reads a list of names, each with a kind unless it is text, and with what it is
// read from unless that is the column of the view with its name.
func columns(list string) (all []column) {
	kinds := map[string]kind{"": text, "int": integer, "time": instant, "json": object, "other": other}
	for entry := range strings.SplitSeq(list, ",") {
		head, sql, _ := strings.Cut(strings.TrimSpace(entry), " = ")
		name, k, _ := strings.Cut(head, " ")
		if kinds[k] == other {
			all[len(all)-1].shared = true
		}
		all = append(all, column{name: name, kind: kinds[k], sql: sql})
	}
	return all
}

// query reads the rows of a period, or all if it has none, in their order.
func (t *table) query() string {
	q := "SELECT " + t.selected() + " FROM " + t.view + " WHERE workspace = :workspace"
	if t.period != whole {
		q += " AND " + t.at + " >= :from AND " + t.at + " < :until"
	}
	return q + " ORDER BY " + t.order
}

// selected is the list of what the columns are read from.
func (t *table) selected() string {
	list := make([]string, len(t.columns))
	for i, c := range t.columns {
		list[i] = c.name
		if c.sql != "" {
			list[i] = c.sql + " AS " + c.name
		}
	}
	return strings.Join(list, ", ")
}

// position is the number of a column.
func (t *table) position(name string) int {
	for i, c := range t.columns {
		if c.name == name {
			return i
		}
	}
	panic("export: table " + t.name + " has no column " + name)
}

// TableInfo tells of a table of the export.
type TableInfo struct {
	Name    string
	Columns []ColumnInfo
	Query   string // reads the rows of all workspaces from the views, in the columns of the file
}

// ColumnInfo tells of a column in the files: TIMESTAMP, INT64 or STRING.
type ColumnInfo struct{ Name, Type string }

// Tables lists the tables of an export.
func Tables() (all []TableInfo) {
	for _, t := range tables {
		info := TableInfo{Name: t.name, Query: "SELECT " + t.selected() + " FROM " + t.view + " ORDER BY " + t.order}
		for _, c := range t.columns {
			info.Columns = append(info.Columns, ColumnInfo{c.name, c.kind.String()})
		}
		all = append(all, info)
	}
	return all
}
