// Package archive brings the past along: it reads account objects that were
// saved before there was a store, and appends them as snapshots of the instants
// at which they were saved.
//
// What it reads are JSON texts, one or several after the other (so also a line
// each): account objects, lists of them, and envelopes as the API answers, alone
// or compressed with gzip or Zstandard. They come from files and folders
// ([Files]) or from the history of a file in a git repository ([Git]).
//
// An import concludes nothing from what an answer does not show: an account that
// is missing from it may have been gone, or on another page.
//
// Memory does not grow with the number of accounts, of answers or of commits.
package archive
