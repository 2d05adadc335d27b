package archive

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// The bounds of sorting. Nothing is written to disk for it: what was saved may hold
// cookies.
const (
	defaultMaxHeld = 64 << 20 // bytes of text
	maxAnswers     = 1 << 20  // in the index, at 32 bytes each
)

var errTooMany = fmt.Errorf("the answers are not in the order of their instants, and there are more than %d: "+
	"sort them by instant, or import one part after the other", maxAnswers)

// tooLarge says why an item cannot be sorted.
func (s *sorter) tooLarge() error {
	return fmt.Errorf("its answers are not in the order of their instants, and it is too large to be sorted in memory "+
		"(more than %d bytes): save it as a file of UTF-8 that is not compressed, and import that", s.maxHeld)
}

// SortedFiles yields the items so that their answers come in the order of the
// instants that a field tells, across all items. Answers of one instant keep the
// order of the input.
//
// Everything is read twice. Answers that are out of order are sorted by an index. A
// file of plain text is then read where its answers stand, however large it is;
// what is compressed or comes through a pipe is held in memory, up to 64 MiB of
// text. What has more is read as it comes if it is in order, and else is lost; of
// a pipe only the first 64 MiB are looked at for that.
func SortedFiles(ctx context.Context, items []Item, o Options) Items {
	return func(yield func(Item, error) bool) {
		s := newSorter(ctx, o)
		for _, item := range items {
			s.add(item)
		}
		s.yield(yield)
	}
}

// SortedItems yields the items in their order, and the answers of each in the
// order of the instants that a field tells, as [SortedFiles] does.
func SortedItems(ctx context.Context, items Items, o Options) Items {
	return func(yield func(Item, error) bool) {
		for item, err := range items {
			if err != nil {
				yield(item, err)
				return
			}
			s := newSorter(ctx, o)
			s.add(item)
			if !s.yield(yield) {
				return
			}
		}
	}
}

// sorter sorts the answers of items.
type sorter struct {
	ctx     context.Context
	options Options
	maxHeld int
	sources []*source
	held    int // bytes of text
}

func newSorter(ctx context.Context, o Options) *sorter {
	return &sorter{ctx: ctx, options: o, maxHeld: cmp.Or(o.MaxHeld, defaultMaxHeld)}
}

// source is an item whose answers are sorted.
type source struct {
	item        Item
	text        []byte // if it is held in memory; not nil then
	broken      error  // why the text ends where it does
	size        int64  // of what was read to sort it, as it was saved
	direct      bool   // it is a file that can be read from any place
	ordered     bool   // its answers are in order
	first, last int64  // instants, in Unix nanoseconds, if it is ordered
	counted     bool   // see reader.count
}

// section is an answer, or something that stands between answers.
type section struct {
	source   int32
	at       int64 // Unix nanoseconds; what tells none has that of the section before
	from, to int64 // where it stands in the text
}

// add looks at an item. What is wrong with it is told when it is read.
func (s *sorter) add(item Item) {
	src := &source{item: item, ordered: true, first: math.MinInt64, last: math.MinInt64}
	s.sources = append(s.sources, src)
	if item.Lost != nil {
		return
	}
	in, err := item.Open()
	if err == nil {
		err = s.look(src, in)
	}
	if err != nil {
		src.item.Lost = err
	}
}

// look finds out how the item can be read again, and whether its answers are in
// order.
func (s *sorter) look(src *source, in io.ReadCloser) (err error) {
	_, file := in.(io.ReaderAt)
	text, err := openText(&counting{ctx: s.ctx, in: in, n: &src.size})
	if err != nil {
		in.Close()
		return err
	}
	if src.direct = file && text.raw && src.item.Again; src.direct {
		defer in.Close()
		return s.index(src, text, nil)
	}
	head, err := io.ReadAll(io.LimitReader(text, int64(s.maxHeld-s.held)+1))
	switch {
	case err == nil && s.held+len(head) > s.maxHeld && src.item.Again:
		defer in.Close()
		err = s.index(src, io.MultiReader(bytes.NewReader(head), text), nil)
	case err == nil && s.held+len(head) > s.maxHeld:
		err = s.index(src, bytes.NewReader(head), nil)
		rest := struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(head), text), in}
		src.item.Open = func() (io.ReadCloser, error) { return rest, nil }
	default:
		defer in.Close()
		src.text, src.broken = head[:len(head):len(head)], err // io.ReadAll never returns nil
		s.held += len(head)
		src.item.Open = func() (io.ReadCloser, error) { return src.open(section{to: math.MaxInt64}) }
		return s.index(src, bytes.NewReader(head), nil)
	}
	if err == nil && !src.ordered {
		err = s.tooLarge()
	}
	return err
}

// whole reports whether the source can only be read as a whole.
func (src *source) whole() bool { return !src.direct && src.text == nil }

// yield yields the sources, or sections of them.
func (s *sorter) yield(yield func(Item, error) bool) bool {
	if cause := context.Cause(s.ctx); cause != nil {
		return yield(Item{}, cause)
	}
	sorted := slices.Clone(s.sources)
	slices.SortStableFunc(sorted, func(a, b *source) int { return cmp.Compare(a.first, b.first) })
	inOrder, last := true, int64(math.MinInt64)
	for _, src := range sorted {
		inOrder = inOrder && src.ordered && src.first >= last
		last = max(last, src.last)
	}
	if !inOrder {
		return s.yieldSections(yield)
	}
	for _, src := range sorted {
		src.item.source = src
		if !yield(src.item, nil) {
			return false
		}
	}
	return true
}

// yieldSections yields the answers one by one.
func (s *sorter) yieldSections(yield func(Item, error) bool) bool {
	sections, err := s.sections()
	if err != nil {
		return yield(Item{}, err)
	}
	slices.SortStableFunc(sections, func(a, b section) int { return cmp.Compare(a.at, b.at) })
	for i, sec := range sections {
		src := s.sources[sec.source]
		item := src.item
		item.source = src
		if src.whole() {
			if item.Lost == nil && i+1 < len(sections) && sections[i+1].at < src.last {
				item.Lost = s.tooLarge()
			}
		} else {
			item.section, item.base = true, sec.from
			item.Open = func() (io.ReadCloser, error) { return src.open(sec) }
		}
		if !yield(item, nil) {
			return false
		}
	}
	return true
}

// sections are the answers of all sources.
func (s *sorter) sections() (all []section, err error) {
	for n, src := range s.sources {
		if src.item.Lost != nil || src.whole() {
			all = append(all, section{source: int32(n), at: src.first})
			continue
		}
		in, err := src.item.Open()
		if err != nil {
			return nil, err
		}
		err = s.index(src, &counting{ctx: s.ctx, in: in, n: new(int64)}, func(sec section) error {
			if sec.source = int32(n); len(all) == maxAnswers {
				return errTooMany
			}
			all = append(all, sec)
			return nil
		})
		if err = errors.Join(err, in.Close()); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// open begins to read a section.
func (src *source) open(sec section) (io.ReadCloser, error) {
	if src.text != nil {
		end := min(sec.to, int64(len(src.text)))
		in := io.Reader(bytes.NewReader(src.text[sec.from:end]))
		if end < sec.to && src.broken != nil {
			in = io.MultiReader(in, failing{src.broken})
		}
		return io.NopCloser(in), nil
	}
	in, err := src.item.Open()
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{io.NewSectionReader(in.(io.ReaderAt), sec.from, sec.to-sec.from), in}, nil
}

// failing is a reader of nothing but an error.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
