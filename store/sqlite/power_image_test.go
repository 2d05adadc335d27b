//go:build unix

package sqlite_test

import (
	"maps"
	"math/rand/v2"
	"slices"
)

// sector is how much a disk writes at once: what was not synced may be there or
// not, sector by sector.
const sector = 512

// node is a file without its name: what has been synced, and what has not.
type node struct {
	durable []byte
	pending []event
}

// platter is a disk that may lose power. It keeps apart what was synced and what
// only the kernel knew of, for the files and for the names in the folder.
type platter struct {
	nodes   map[string]*node // by name, as processes see it
	durable map[string]*node // by name, as synced
	pending []func(map[string]*node)
}

// newPlatter begins with files that have been there for long.
func newPlatter(before map[string][]byte) *platter {
	p := &platter{nodes: map[string]*node{}, durable: map[string]*node{}}
	for name, data := range before {
		p.nodes[name] = &node{durable: data}
		p.durable[name] = p.nodes[name]
	}
	return p
}

// take lets an event happen.
func (p *platter) take(e event) {
	switch e.op {
	case "dirsync":
		for _, change := range p.pending {
			change(p.durable)
		}
		p.pending = nil
	case "delete":
		delete(p.nodes, e.name)
		p.rename(func(names map[string]*node) { delete(names, e.name) })
	case "rename":
		moved := p.node(e.name)
		p.nodes[e.to] = moved
		delete(p.nodes, e.name)
		p.rename(func(names map[string]*node) {
			names[e.to] = moved
			delete(names, e.name)
		})
	case "sync":
		n := p.node(e.name)
		for _, done := range n.pending {
			n.durable = apply(n.durable, done, nil)
		}
		n.pending = nil
	case "create":
		p.node(e.name)
	case "write", "truncate":
		n := p.node(e.name)
		n.pending = append(n.pending, e)
	}
}

func (p *platter) rename(change func(map[string]*node)) { p.pending = append(p.pending, change) }

// node is the file of that name, which is made when there is none.
func (p *platter) node(name string) *node {
	n := p.nodes[name]
	if n == nil {
		n = &node{}
		p.nodes[name] = n
		p.rename(func(names map[string]*node) { names[name] = n })
	}
	return n
}

// apply does to data what the event says; of a write only the sectors that kept
// says were written (nil: all).
func apply(data []byte, e event, kept func() bool) []byte {
	data = slices.Clone(data)
	if e.op == "truncate" {
		if int64(len(data)) > e.at {
			return data[:e.at]
		}
		return append(data, make([]byte, e.at-int64(len(data)))...)
	}
	for from := int64(0); from < int64(len(e.data)); {
		until := min(int64(len(e.data)), (e.at+from)/sector*sector+sector-e.at)
		if kept == nil || kept() {
			if end := e.at + until; int64(len(data)) < end {
				data = append(data, make([]byte, end-int64(len(data)))...)
			}
			copy(data[e.at+from:], e.data[from:until])
		}
		from = until
	}
	return data
}

// crash is what is found after power loss: what was synced, and by chance some of
// the rest. share is how likely each sector and name is to have made it.
func (p *platter) crash(rng *rand.Rand, share float64) map[string][]byte {
	kept := func() bool { return rng.Float64() < share }
	names := maps.Clone(p.durable)
	for _, change := range p.pending {
		if kept() {
			change(names)
		}
	}
	image := map[string][]byte{}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		data := names[name].durable
		for _, e := range names[name].pending {
			if e.op == "write" || kept() {
				data = apply(data, e, kept)
			}
		}
		image[name] = slices.Clone(data)
	}
	return image
}
