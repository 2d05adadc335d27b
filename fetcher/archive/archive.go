package archive

import (
	"context"
	"io"
	"iter"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// Item is something that was saved at one instant: a file, or a file as a commit
// has it.
type Item struct {
	// Name is what people know it by.
	Name string
	// At is when its answers were had from the API. It is not looked at when a
	// field tells the instants.
	At time.Time
	// Origin is where At comes from.
	Origin Origin
	// Lost is why it cannot even be looked at; nothing but the name is known then.
	Lost error
	// Fixed says that what is behind the name never changes, as with a commit. What
	// an earlier import of the workspace said of it is not said again.
	Fixed bool
	// Size is how many bytes Open's reader has, as far as that is known before.
	Size int64
	// Open begins to read the item. It is called at most once, unless Again says that
	// it can be called more often.
	Open  func() (io.ReadCloser, error)
	Again bool

	source  *source // it was sorted: see SortedFiles
	section bool    // it is a section of the source
	base    int64   // where the section stands in the text
}

// Items are yielded in the order of their instants. An error ends them.
type Items = iter.Seq2[Item, error]

// Origin is what an instant was taken from.
type Origin string

// The origins of instants.
const (
	Given    Origin = "given"  // the caller said so
	Field    Origin = "field"  // a member of the answer
	Name     Origin = "name"   // the name of the file
	Modified Origin = "mtime"  // when the file was last modified
	Commit   Origin = "commit" // when the commit was made
	Present  Origin = "now"    // when it was read: it came through a pipe
)

// Recorder is what an import writes to. All of it is called from one goroutine,
// except for Moment and Told.
type Recorder interface {
	// AppendAll stores what the responses show, all of it or nothing. Their bytes
	// are reused once it returned.
	AppendAll(ctx context.Context, responses []store.Response) (store.Appended, error)
	// Conclude ends a complete list whose last response is stored.
	Conclude(ctx context.Context, conclusion store.Conclusion) (store.Appended, error)
	// Known returns how many accounts the workspace knows: see store.RunWriter.
	Known(ctx context.Context, ids []string) (hits, total int, err error)
	// Fail stores failures that no response carried.
	Fail(ctx context.Context, requests int, failures ...store.Failure) error
	// Newest is the instant that the newest response of the workspace tells; zero
	// when there is none.
	Newest() time.Time
	// Moment is what the workspace had on record of an instant when the run began;
	// nil for nothing. It is called from another goroutine than the rest.
	Moment(ctx context.Context, at time.Time) (store.Moment, error)
	// Told reports whether an earlier import of the workspace failed with the
	// message. It is called from the goroutine of Moment.
	Told(ctx context.Context, message string) (bool, error)
}

// Options of an import. The zero value is usable.
type Options struct {
	// Field names the member of each answer that tells its instant; "" none. A
	// list of objects that have the member is a list of answers.
	Field string
	// ParseTime reads the value of the field. It must not be nil when Field is
	// given.
	ParseTime func(text string) (time.Time, error)
	// Complete says that each answer is a complete list: the known accounts that it
	// does not show become unlisted, unless it shows none that was known before, or
	// more than half of those known (and at least three) would. AcceptGone confirms
	// that.
	Complete, AcceptGone bool
	// ConfirmGone ends the messages about such a list: it tells the user of the program
	// how to confirm it. "" means to set AcceptGone.
	ConfirmGone string
	// MaxHeld is how many bytes of text SortedFiles and SortedItems hold in memory; 0
	// means 64 MiB.
	MaxHeld int
	// Token is an API key that must not be stored, should an object hold it.
	Token string
	// Now is the clock: what lies after it is refused. nil means time.Now.
	Now func() time.Time
}

// Progress is how far an import has come.
type Progress struct {
	Bytes    int64 // read so far
	Items    int   // read or left out so far
	Accounts int   // account objects stored so far, or found to be stored
}

// Result counts what became of what an import was given. An answer is what was
// saved at one instant: an item, or a part of it when a field tells the instants.
type Result struct {
	Items   int   // read, at least in part, and not skipped or refused as a whole
	Skipped int   // answers that the store has already
	Refused int   // answers that have no place in the store: see the failures
	Failed  int   // items that could not be read to their end, or have nothing in them
	Bytes   int64 // read, as they were saved
	// Unlisted is how many accounts became unlisted because a complete list lacked them.
	Unlisted int
	// Origins counts the answers stored, and those that show nobody, by where their
	// instants came from.
	Origins map[Origin]int
}
