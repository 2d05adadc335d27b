// Package lobstrtest is a fake lobstr.io: worlds whose accounts change by a
// script, a server that answers for them over real HTTP, and faults. It serves
// tests and the demo. It knows nothing of the packages it helps to test, and so
// can bear witness against them.
//
//	clock := lobstrtest.NewClock(time.Date(2026, 1, 5, 6, 0, 0, 0, time.UTC))
//	world := lobstrtest.NewWorld(clock)
//	ada := world.Add(lobstrtest.Account{Username: "ada", Type: lobstrtest.LinkedIn, Squids: []string{"Leads"}})
//	world.At(clock.Now().Add(time.Hour), lobstrtest.Expire(ada))
//	server := lobstrtest.New(t, world) // server.URL, lobstrtest.DefaultToken
//	server.Inject(lobstrtest.Truncated(), lobstrtest.When{Route: lobstrtest.List, Page: 2, Times: 1})
//	... snapshot, clock.Advance(2*time.Hour), snapshot ...
//	world.Net(ada, first, second) // what the two looks must differ in
//
// # Time
//
// A [Clock] stands still until it is moved: by the test, by each request
// ([Server.SetLatency]) and by [World.Apply]. A request is evaluated at one
// instant, strictly between the instants that the clock shows when it is sent
// and when its answer arrives ([Request].At, to find it afterwards). An event
// that happens then or before is seen.
//
// # Truth
//
// [World.Truth] tells what happened, each thing at its exact instant. Between a
// look evaluated at a and a later one evaluated at b lie the truths with
// a < At <= b ([World.TruthBetween]); what the two looks must differ in is
// [World.Net], which leaves out what was undone in between. A client that saw
// the looks in [sent, received] windows must report each difference with
// windows such that After < At <= Before, none missing, none invented.
//
// A truth is what an event really changed: expiring an expired account is none.
// Kind, Path, Old and New are those of design.md:
//
//   - appeared, gone, returned: path "", no values. An account that was added
//     rather than created has no appeared. Nothing else is told about an account
//     at the instant it appears or returns, or while it is gone.
//   - status: one for each of /status, /status_code_info and
//     /status_code_description.
//   - locked, unlocked: path /lock_time, with its values as served. When a lock
//     ends because its time passed, the truth is at that instant, and Old and
//     New are the same. Lock times that are over and null are the same. A lock
//     that is moved while it lasts is a field.
//   - synced: /last_synchronization_time moved forward; other changes of it are
//     a field.
//   - squid_assigned, squid_unassigned, squid_renamed: path /squids/ID; Old and
//     New are the squid's name as JSON, or nil.
//   - limit: one for each leaf under /params that is no counter; nil where there
//     was or is none.
//   - username, cookies (as a set, without values), icon (values as by
//     [IconDigest]).
//   - schema: a field of the account came, went (nil), or has another JSON type,
//     null being none. A status that goes from "200" to 200 is a schema and no
//     status; one that goes from "200" to 401 would be both. When a field comes or
//     goes, nothing is told of what is in it.
//   - field: any other leaf. Lists count as a whole.
//
// An instant, number or text in another spelling is no difference, nor is the
// order of squids, cookies and members. Counters (the volatile values of
// design.md) and resets_in never are. The truth is that of the complete object,
// which the list shows; what [World.Hide] hides from a view must be left out of
// account for who sees that view only.
//
// # Faults
//
// [AllFaults] is a table of what can go wrong with what a right client makes of
// it. Faults are put in force by [Server.Inject].
package lobstrtest
