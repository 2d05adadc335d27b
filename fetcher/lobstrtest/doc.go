// Package lobstrtest is a fake lobstr.io for tests and demos. A [World] is a
// workspace whose accounts change by a script. A [Server] serves worlds over real
// HTTP in the vendor's format, and can be told to fail. The package imports nothing
// else of this module.
//
//	clock := lobstrtest.NewClock(time.Date(2026, 1, 5, 6, 0, 0, 0, time.UTC))
//	world := lobstrtest.NewWorld(clock)
//	ada := world.Add(lobstrtest.Account{Username: "ada", Type: lobstrtest.LinkedIn, Squids: []string{"Leads"}})
//	world.At(clock.Now().Add(time.Hour), lobstrtest.Expire(ada))
//	server := lobstrtest.New(t, world) // server.URL, lobstrtest.DefaultToken
//	server.Inject(lobstrtest.FaultNamed("truncated"), lobstrtest.When{Route: lobstrtest.List, Page: 2, Times: 1})
//	// take a snapshot, clock.Advance(2*time.Hour), take another
//
// # Time
//
// A [Clock] stands still until something moves it: the test, each request
// ([Server.SetLatency]) or [World.Apply]. A request is evaluated at one instant,
// which is later than the clock's time when the request is sent and earlier than its
// time when the answer arrives ([Request].At). The answer shows all events that
// happen at that instant or before.
//
// # Endpoints
//
// The server answers the calls that read accounts and what uses them: accounts,
// account types, squids with their schedule and chain, runs, crawlers, the owner of
// the key and the balance. It takes one write: POST /accounts/cookies, whose task is
// at GET /synchronize/{id}. Each answer has the X-RateLimit headers. Every other
// call is answered with 404 or 405 and recorded as [UnknownRoute].
//
// # Faults
//
// [AllFaults] is a table of what can go wrong with an answer and of what a right
// client makes of it. [Server.Inject] puts a fault in force.
package lobstrtest
