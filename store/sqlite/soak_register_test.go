package sqlite_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/fetcher/lobstrtest/oracle"
	"github.com/lobstrail/lobstrail/store"
)

// register keeps on disk which account was looked at when, so that the memory of
// the test does not grow with what it measures.
type register struct {
	world   *lobstrtest.World
	server  *lobstrtest.Server
	file    *os.File
	out     *bufio.Writer
	numbers map[string]uint32 // of the accounts
	ids     []string
	looks   int64
	last    int64 // the instant of the newest response
}

func newRegister(t *testing.T, path string, world *lobstrtest.World, server *lobstrtest.Server) *register {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return &register{world: world, server: server, file: f, out: bufio.NewWriter(f), numbers: map[string]uint32{}}
}

// entry is one look as it stands in the register.
type entry struct {
	Account            uint32
	Detail             bool
	At, Sent, Received int64 // Unix nanoseconds, milliseconds, milliseconds
}

// clerk writes down what one run is given.
type clerk struct {
	store.RunWriter
	register *register
	pages    int
	listed   map[string]bool
}

func (l *register) of(run store.RunWriter) *clerk {
	return &clerk{RunWriter: run, register: l, listed: map[string]bool{}}
}

// AppendAll is for fetcher.Recorder.
func (c *clerk) AppendAll(ctx context.Context, responses []store.Response) (sum store.Appended, err error) {
	for _, r := range responses {
		done, err := c.append(ctx, r)
		if err != nil {
			return sum, err
		}
		sum.Add(done)
	}
	return sum, nil
}

func (c *clerk) append(ctx context.Context, r store.Response) (store.Appended, error) {
	ids := append([]string(nil), r.Absent...)
	if r.Source == store.List {
		c.pages++
	}
	var looked []string
	for _, o := range r.Accounts {
		ids = append(ids, o.ID)
	}
	for _, id := range ids {
		if again := r.Source == store.List && c.listed[id]; !again {
			looked = append(looked, id)
		}
		c.listed[id] = c.listed[id] || r.Source == store.List
	}
	at, err := c.evaluated(r, looked)
	if err != nil {
		return store.Appended{}, err
	}
	if err := c.honest(r, at); err != nil {
		return store.Appended{}, err
	}
	done, err := c.RunWriter.Append(ctx, r)
	if err != nil {
		return done, err
	}
	if got := done.Captured() + done.Gone + done.StillGone; got != len(looked) {
		return done, fmt.Errorf("%d accounts were looked at, and %+v", len(looked), done)
	}
	return done, c.register.write(r, at, looked)
}

// evaluated is when the fake worked out the answer.
func (c *clerk) evaluated(r store.Response, ids []string) (time.Time, error) {
	for _, request := range c.register.server.Requests() {
		if r.Source == store.List && request.Route == lobstrtest.List && request.Page == c.pages ||
			r.Source == store.Detail && len(ids) == 1 && request.Account == ids[0] {
			return request.At, nil
		}
	}
	if len(ids) == 0 {
		return time.Time{}, nil // it shows nobody new
	}
	return time.Time{}, errors.New("no request brought the answer")
}

// honest compares one account of each answer, byte for byte, with what is so.
func (c *clerk) honest(r store.Response, at time.Time) error {
	if len(r.Accounts) == 0 || at.IsZero() {
		return nil
	}
	view, one := lobstrtest.DetailView, r.Accounts[at.UnixNano()%int64(len(r.Accounts))]
	if r.Source == store.List {
		view = lobstrtest.ListView
	}
	if sent, _ := c.register.world.StateAt(one.ID, view, at); string(sent) != string(one.Raw) {
		return fmt.Errorf("%s came as\n%s\nand was\n%s", one.ID, one.Raw, sent)
	}
	return nil
}

func (l *register) write(r store.Response, at time.Time, looked []string) error {
	l.last = max(l.last+1, ceilMS(r.Received)) // no two responses have one instant
	for _, id := range looked {
		n, known := l.numbers[id]
		if !known {
			n = uint32(len(l.ids))
			l.numbers[id], l.ids = n, append(l.ids, id)
		}
		e := entry{Account: n, Detail: r.Source == store.Detail, At: at.UnixNano(), Sent: r.Sent.UnixMilli(), Received: l.last}
		if err := binary.Write(l.out, binary.LittleEndian, e); err != nil {
			return err
		}
		l.looks++
	}
	return nil
}

// replay derives from the looks, and from what truly happened between them, all
// that the store must say.
func (l *register) replay(t *testing.T, p *play) (*tale, map[string]*life) {
	t.Helper()
	if err := l.out.Flush(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.file.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	all, lives, in := &tale{}, map[string]*life{}, bufio.NewReaderSize(l.file, 1<<20)
	for {
		var e entry
		err := binary.Read(in, binary.LittleEndian, &e)
		if errors.Is(err, io.EOF) {
			return all, lives
		}
		if err != nil {
			t.Fatal(err)
		}
		id := l.ids[e.Account]
		if lives[id] == nil {
			lives[id] = &life{play: p, tale: all, id: id, sent: [2]int64{never, never}}
		}
		if err := lives[id].follow(e); err != nil {
			t.Fatal(err)
		}
	}
}

// follow takes a look of the register. Nearly all show what the last list showed:
// that one is then moved on, without reading the object.
func (a *life) follow(e entry) error {
	l := &look{account: a.id, at: time.Unix(0, e.At).UTC(), sent: e.Sent, received: e.Received}
	if e.Detail {
		l.view = lobstrtest.DetailView
	}
	last := a.last[lobstrtest.ListView]
	if last != nil && !e.Detail && a.any == last && string(last.doc["lock_time"]) == "null" &&
		len(oracle.Between(a.play.world, a.id, last.at, l.at)) == 0 {
		last.at, last.sent, last.received, a.sent[l.view] = l.at, l.sent, l.received, l.sent
		return nil
	}
	if object, there := a.play.world.StateAt(a.id, l.view, l.at); there {
		if err := json.Unmarshal(object, &l.doc); err != nil {
			return err
		}
	}
	a.take(l)
	return nil
}
