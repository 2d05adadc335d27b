// Package localtime finds the instants that a local date or time of day means.
//
// Where clocks change, this needs care: a local time may come twice or not at
// all, a day may begin later than midnight, and a zone that crossed the date
// line has skipped a whole day. [time.Date] picks an instant in silence then;
// this package says so.
//
//	berlin, _ := time.LoadLocation("Europe/Berlin")
//	wall := time.Date(2026, 10, 25, 2, 30, 0, 0, time.UTC)
//	_, err := localtime.Resolve(wall, berlin) // an *UnclearError with both instants
//
// The package is pure: it reads no clock and no environment.
package localtime
