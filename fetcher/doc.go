// Package fetcher asks the lobstr.io API for accounts, one on demand or all of a
// workspace in a batch, and hands on what was understood as responses of package
// store. A [Job] takes snapshots into a store, once or at an interval; a [Client] is
// what it asks the API with.
//
// It guarantees that
//
//   - an account's bytes are handed on as received, unless a secret had to be
//     withheld from them, which is then said;
//   - the API key goes to the origin of the base URL only, never to where a
//     redirect or a next link leads elsewhere, and is in no error, message or
//     account that comes out;
//   - every wait is bounded: by the timeout of a request, the number of tries, the
//     longest wait that is obeyed, and the context;
//   - memory does not grow with the number of accounts: one page at a time, and as
//     many details as are asked for at once;
//   - nothing leaves before a Retry-After or the reset of a used budget has passed.
//
// It refuses to conclude anything from what it did not understand. An account
// whose bytes make no sense is a failure that says why. A list that was cut, that
// moved while it was read, or that broke off says nothing about the accounts it
// did not show. A refused key, a redirect or the 404 page of a proxy says nothing
// about any account.
//
// All of an account but its id, its "object" and its squids is taken as it is:
// what it means is the business of package report.
//
// Of squids a Client reads a few named fields and never hands on the document, for it
// holds secrets; nothing of them is stored.
//
// All methods of a [Client] may be called concurrently. A [Job] is for one goroutine at a
// time. The package knows a store by its interfaces only, and links no engine.
package fetcher
