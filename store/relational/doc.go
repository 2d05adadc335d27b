// Package relational keeps the history in the tables of a SQL database. What it does is
// the same whatever the database: it asks package fold what a response changes, and runs
// the statements that write it and those that read it again. An engine (packages sqlite
// and postgres) gives it a [Database]: connections, transactions, a lock, and the few
// things that only it can do.
//
// The texts of statements are in the SQL that SQLite 3.39 and PostgreSQL 15 have in common,
// with parameters ? or ?1, ?2, ..., and these words, which each engine spells its own way:
//
//	a ORDERED JOIN b ON ...   a join that SQLite makes in this order, whatever it estimates
//	LOOKUP (b ON ...)         a join that every engine makes by an index of b, for each row before
//	                          it; the condition has no parentheses
//	texts(?1)                 the rows (value) of a JSON list of texts
//	numbers(?1)               the rows (value) of a JSON list of integers
//	greatest(a, b) least(a, b)
//	instr(text, part)         where the part begins in the text; 0: nowhere
//	lowerhex(bytes)           hexadecimal digits
//	nocase(text)              for comparing and sorting without regard to ASCII case
//
// Flags are stored as 0 and 1, instants as Unix milliseconds.
package relational
