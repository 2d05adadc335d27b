// Package archive imports history: it reads account objects that were saved before
// there was a store, and appends them as snapshots of the instants at which they
// were saved.
//
// It reads JSON texts, one or several after the other (so also one a line): account
// objects, lists of them, and envelopes as the API answers, alone or compressed
// with gzip or Zstandard, in UTF-8 or in UTF-16 with a byte order mark. They come
// from files and folders ([Files]) or from the history of a file in a git
// repository ([Git]).
//
// Different answers that tell one instant are stored in the order of the input, a
// millisecond apart. An answer that the store has is recognised by what it shows,
// so that an import can be run again and goes on where it stopped; an answer for
// an older instant that differs is refused, each time.
//
// An import concludes nothing from what an answer does not show, unless
// [Options].Complete says that each answer is a complete list.
//
// Memory does not grow with the number of answers or of commits. It grows with the
// accounts that are shown at one instant, by about 100 bytes each. Answers whose
// instants a field tells are sorted by [SortedFiles] and [SortedItems] within the
// bounds that these state; nothing is written to disk for that.
package archive
