// Command lobstrail keeps the audit trail of lobstr.io accounts: it takes
// snapshots of them, keeps every one in a SQLite file, and reports what changed.
//
//	lobstrail snapshot          take snapshots of all accounts now
//	lobstrail accounts          which accounts are healthy, now or at a moment
//	lobstrail changes           what changed, and when
//	lobstrail report            the status-change report of a period
//	lobstrail demo              all of it on a simulated workspace, no key needed
//
// "lobstrail help" lists the rest. What scripts may rely on (exit codes, JSON,
// views) is in the topics of the help, the files in the folder help.
package main
