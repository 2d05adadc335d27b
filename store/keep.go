package store

import "time"

// Keep says which of the responses that show nothing new are kept by a prune. The
// counts are per page of the list, and per account for details: one response, the
// newest, of each of the last hours, days, ISO weeks and months, in UTC, in which
// there is any. [Unlimited] keeps all of them. The zero value keeps none.
type Keep struct {
	// Within keeps what is no older than that, counted back from the newest response
	// of the workspace: a workspace that is no longer watched loses nothing by it.
	Within                         time.Duration
	Hourly, Daily, Weekly, Monthly int
}

// Unlimited is a count without an end.
const Unlimited = -1

// KeepReason says why snapshots are kept.
type KeepReason string

// Why snapshots are kept, in the order in which the rules are tried: the first one
// that fits counts. The first three do not depend on the policy.
const (
	KeepNews    KeepReason = "news"   // the response showed something new of an account
	KeepWindow  KeepReason = "window" // it is the last one before news: the window of a change rests on it
	KeepNewest  KeepReason = "newest" // it is the newest of its page
	KeepWithin  KeepReason = "within"
	KeepHourly  KeepReason = "hourly"
	KeepDaily   KeepReason = "daily"
	KeepWeekly  KeepReason = "weekly"
	KeepMonthly KeepReason = "monthly"
)

// KeepReasons lists all of them, in their order.
var KeepReasons = []KeepReason{
	KeepNews, KeepWindow, KeepNewest, KeepWithin, KeepHourly, KeepDaily, KeepWeekly, KeepMonthly,
}

// Pruned is what a prune did, or would do.
type Pruned struct {
	Snapshots int64                // in the workspace before
	Thinned   int64                // of those, how many were dropped
	Responses int64                // that were dropped
	Kept      map[KeepReason]int64 // snapshots
	// The size of the store before and after, in bytes; zero when nothing had to be
	// done to it.
	BytesBefore, BytesAfter int64
}
