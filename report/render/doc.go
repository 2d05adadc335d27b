// Package render writes rows, single objects and reports as a table for people,
// JSON, NDJSON, CSV or Markdown.
//
// It guarantees:
//   - Text is data. No control character, escape code, bidirectional override or
//     invisible character (see [Clean]) reaches any output, no text becomes
//     markup in Markdown, and no text becomes a formula in a spreadsheet. One
//     row is one line in every format, except in a table whose columns do not fit
//     side by side on the terminal: there a row is a block of lines.
//   - JSON values are exact: numbers in a json.RawMessage are written as they
//     were received, and characters that are unsafe on a terminal are written as
//     \u escapes, which are the same value.
//   - A table line is never wider than [Options].Width. What is cut ends in "…".
//     Instants and commands are never cut or wrapped: columns are dropped instead
//     (see [Column].Drop), and windows written by their end alone. Two lines may be
//     wider than the terminal: a command, and a row with a wider instant than the
//     first thousand rows had.
//   - Memory does not grow with the number of rows: a table buffers the rows that
//     decide its column widths, all other formats stream.
//   - An error in writing is returned, and returned again by all later calls.
//
// It refuses to look around: no clock, no environment, no terminal. Whether there
// is one, how wide it is and whether it shows colours is told by [Options].
//
//	w := render.New(out, render.Options{Format: render.Table, Width: 80, Zone: time.Local},
//		render.Column{Title: "Account", Key: "account"},
//		render.Column{Title: "Name", Key: "username", Flexible: 1},
//		render.Column{Title: "Health", Key: "health"},
//		render.Column{Title: "Seen", Key: "seen_at"})
//	for _, a := range accounts {
//		w.Row(a.DTO(), render.TextCell(a.ID), render.TextCell(a.Username),
//			render.HealthCell(a.Health), render.TimeCell(a.SeenAt))
//	}
//	return w.Close("Times in " + render.ZoneName(time.Local, now))
package render
