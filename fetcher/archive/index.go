package archive

import (
	"context"
	"io"
	"math"
)

// index reads the text of a source, notes whether its answers are in order, and
// calls each, unless it is nil, with every section in the order of the text. What
// is wrong with the text becomes a section: it is told when that is read.
func (s *sorter) index(src *source, text io.Reader, each func(section) error) error {
	x := &indexer{options: s.options, source: src, each: each, at: math.MinInt64}
	src.ordered, src.first, src.last = true, math.MinInt64, math.MinInt64
	x.splitter = splitter{field: s.options.Field, sink: x}
	err := x.splitter.split(text, 0)
	if cause := context.Cause(s.ctx); cause != nil {
		return cause
	}
	if err != nil && err != errTooMany && each != nil {
		err = each(section{at: x.at, from: x.done, to: math.MaxInt64})
	}
	if err == errTooMany {
		return err
	}
	return nil
}

// indexer is the sink of a splitter that only notes where answers stand.
type indexer struct {
	options  Options
	source   *source
	each     func(section) error
	splitter splitter
	at       int64 // the instant of the last answer that told one
	told     bool  // the answer that is being read told it
	done     int64 // where the sections end
}

// instant takes what the answer tells, if it can be read.
func (x *indexer) instant(value []byte) error {
	at, err := x.options.ParseTime(plainText(value))
	if err != nil || x.told {
		return nil
	}
	x.told = true
	now := at.UnixNano()
	if x.source.first == math.MinInt64 {
		x.source.first = now
	}
	x.source.ordered = x.source.ordered && now >= x.source.last
	x.source.last = max(x.source.last, now)
	x.at = now
	return nil
}

// account takes an element of a list that is no object: it is a section too.
func (x *indexer) account(raw []byte) error {
	if len(raw) > 0 && raw[0] == '{' {
		return nil
	}
	return x.section(x.splitter.offset() - int64(len(raw)))
}

func (x *indexer) answered() error {
	x.told = false
	return x.section(x.splitter.began)
}

// section ends a section that began there.
func (x *indexer) section(from int64) error {
	if to := x.splitter.offset(); from >= x.done && to > x.done {
		x.done = to
		if x.each != nil {
			return x.each(section{at: x.at, from: from, to: to})
		}
	}
	return nil
}
