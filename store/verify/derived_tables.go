package verify

import (
	"fmt"

	"github.com/lobstrail/lobstrail/store/fold"
)

// table is what is known of the rows of a derived table.
type table[Row any] struct {
	name string
	// key is the instant of a row, its account, and what else it takes to identify it.
	key func(Row) (at, account, more int64)
	// row names a row, fields are the other columns.
	row    func(Row) string
	fields func(Row) []field
}

var versionTable = table[Version]{
	"version",
	func(v Version) (at, account, more int64) { return v.At, v.Account, 0 },
	func(v Version) string { return fmt.Sprintf("account %d at %d", v.Account, v.At) },
	func(v Version) []field {
		f := &v.Facts
		var locked *int64
		if !f.LockedUntil.IsZero() {
			locked = new(f.LockedUntil.UnixMilli())
		}
		return []field{
			{"number", v.Number}, {"endpoint", int(v.Endpoint) + 1}, {"health", string(f.Health)}, {"status", f.Status},
			{"status_code_info", f.Info}, {"status_code_description", f.Description}, {"username", f.Username}, {"type", f.Type},
			{"last_synchronization_time", f.LastSync}, {"locked_until", locked}, {"squid_count", v.SquidCount},
		}
	},
}

var changeTable = table[fold.Change]{
	"change",
	func(c fold.Change) (at, account, more int64) { return c.At, c.Account, c.N },
	func(c fold.Change) string { return fmt.Sprintf("account %d at %d, %d", c.Account, c.At, c.N) },
	func(c fold.Change) []field {
		return []field{
			{"kind", string(c.Kind)}, {"path", c.Path}, {"old", []byte(c.Old)}, {"new", []byte(c.New)},
			{"health_before", string(c.HealthBefore)}, {"health_after", string(c.HealthAfter)}, {"after", c.After},
		}
	},
}

var stepTable = table[fold.Step]{
	"status_step",
	func(s fold.Step) (at, account, more int64) { return s.At, s.Account, 0 },
	func(s fold.Step) string { return fmt.Sprintf("account %d at %d", s.Account, s.At) },
	func(s fold.Step) []field {
		return []field{
			{"status_before", s.StatusBefore}, {"status_after", s.StatusAfter}, {"info_before", s.InfoBefore}, {"info_after", s.InfoAfter},
			{"health_before", string(s.HealthBefore)}, {"health_after", string(s.HealthAfter)}, {"after", s.After},
		}
	},
}

var nameTable = table[fold.SquidName]{
	"squid_name",
	func(n fold.SquidName) (at, account, more int64) { return n.At, n.Account, n.Squid },
	func(n fold.SquidName) string {
		return fmt.Sprintf("squid %d of account %d at %d", n.Squid, n.Account, n.At)
	},
	func(n fold.SquidName) []field { return []field{{"name", n.Name}} },
}

var assignmentTable = table[fold.Assignment]{
	"assignment",
	func(g fold.Assignment) (at, account, more int64) { return g.FromBefore, g.Account, g.Squid },
	func(g fold.Assignment) string {
		return fmt.Sprintf("squid %d, account %d, from %d", g.Squid, g.Account, g.FromBefore)
	},
	func(g fold.Assignment) []field { return []field{{"from_after", g.FromAfter}} },
}
