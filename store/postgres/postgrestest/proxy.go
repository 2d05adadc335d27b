package postgrestest

import (
	"net"
	"net/url"
	"sync"
)

// Proxy passes connections on to a server, and closes one where a test wants it. It
// counts the messages that make the server work: Query, Execute and Sync, of all
// connections together. A statement without arguments is one Query; one with arguments
// is an Execute and a Sync; a batch is an Execute for each statement and one Sync.
type Proxy struct {
	listener net.Listener
	server   *url.URL

	mu      sync.Mutex
	links   map[*link]bool // nil after the test
	next    *cut           // nil: no cut is planned
	begun   int            // statements that were passed on
	counted int            // messages that were passed on
	running sync.WaitGroup
}

// cut is where a connection is to be closed.
type cut struct {
	left    int  // how many messages until there
	commits bool // count only those that commit
	after   bool // the server gets the message, and the client does not get the answer
}

// NewProxy returns a proxy in front of the server of a URL. It runs until the test ends.
// Connections through it are not encrypted.
func NewProxy(t TB, address string) *Proxy {
	t.Helper()
	server, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{listener: listener, server: server, links: map[*link]bool{}}
	p.running.Go(p.accept)
	t.Cleanup(func() {
		listener.Close()
		p.Cut()
		p.mu.Lock()
		p.links = nil
		p.mu.Unlock()
		p.running.Wait()
	})
	return p
}

// URL is the URL that NewProxy got, with the proxy as its host.
func (p *Proxy) URL() string {
	u := *p.server
	u.Host = p.listener.Addr().String()
	return u.String()
}

// CutBefore plans to close a connection when it sends the n-th message from now. The
// server does not get that message. A later plan replaces it; n = 0 cancels it.
func (p *Proxy) CutBefore(n int) { p.plan(cut{left: n}) }

// CutAfter plans to close a connection after it sent the n-th message from now. The
// server gets that message. If it is a Query or a Sync, the server has also done it when
// the connection closes, but the client gets nothing of the answer.
func (p *Proxy) CutAfter(n int) { p.plan(cut{left: n, after: true}) }

// CutBeforeCommit is CutBefore, and counts only messages that execute COMMIT.
func (p *Proxy) CutBeforeCommit(n int) { p.plan(cut{left: n, commits: true}) }

// CutAfterCommit is CutAfter, and counts only COMMIT: its Query, or the Sync after its
// Execute. So the transaction is committed, and the client does not hear of it.
func (p *Proxy) CutAfterCommit(n int) { p.plan(cut{left: n, commits: true, after: true}) }

func (p *Proxy) plan(c cut) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next = nil
	if c.left > 0 {
		p.next = &c
	}
}

// Statements is how many statements went through so far: Query and Execute. BEGIN, COMMIT
// and ROLLBACK are statements.
func (p *Proxy) Statements() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.begun
}

// Messages is how many messages went through so far, as CutBefore counts them.
func (p *Proxy) Messages() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counted
}

// Planned says whether a planned cut has not happened yet.
func (p *Proxy) Planned() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.next != nil
}

// Cut closes all connections now. New ones are accepted.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.close()
	}
}

// count counts a Query, Execute or Sync, which commits or does not. It returns the
// planned cut if this is the message.
func (p *Proxy) count(kind byte, commits bool) *cut {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counted++
	if kind != 'S' {
		p.begun++
	}
	c := p.next
	if c == nil {
		return nil
	}
	// The server commits when it gets the Execute. It tells the client after the Sync.
	if c.commits && (!commits || kind == 'E' && c.after || kind == 'S' && !c.after) {
		return nil
	}
	if c.left--; c.left > 0 {
		return nil
	}
	p.next = nil
	return c
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		server, err := net.Dial("tcp", p.server.Host)
		if err != nil { // then the client sees a closed connection
			client.Close()
			continue
		}
		p.start(newLink(p, client, server))
	}
}

func (p *Proxy) start(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.links == nil { // the test has ended
		l.close()
		return
	}
	p.links[l] = true
	p.running.Go(func() { l.fromServer(); l.close() })
	p.running.Go(func() { l.fromClient(); l.close(); p.forget(l) })
}

func (p *Proxy) forget(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
}
