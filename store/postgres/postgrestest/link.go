package postgrestest

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
)

// link is a connection through a proxy. See "Message Formats" in the manual of
// PostgreSQL: a message is a byte for its type, four bytes for its length without the
// type, and a body. Only the first message of a client has no type.
type link struct {
	proxy          *Proxy
	client, server net.Conn
	once           sync.Once
	closed         chan struct{}

	// What the client has sent. Parse gives a statement a name, Bind gives a statement
	// with arguments (a portal) a name, Execute names a portal.
	statements map[string]bool // does it commit?
	portals    map[string]bool // does it commit?
	committing bool            // a COMMIT was executed, and no Sync came since

	// The server answers the first message, each Query and each Sync with messages that
	// end with one ReadyForQuery.
	mu       sync.Mutex
	asked    int // of these messages, sent
	answered int // of these messages, answered
	swallow  int // the answer that the client must not get: its number, or 0 for none
}

func newLink(p *Proxy, client, server net.Conn) *link {
	return &link{
		proxy: p, client: client, server: server, closed: make(chan struct{}),
		statements: map[string]bool{}, portals: map[string]bool{},
	}
}

func (l *link) close() {
	l.once.Do(func() {
		l.client.Close()
		l.server.Close()
		close(l.closed)
	})
}

// fromClient passes messages on to the server, until one side closes or a cut is due.
func (l *link) fromClient() {
	in := bufio.NewReader(l.client)
	if l.start(in) != nil {
		return
	}
	for {
		m, err := readMessage(in, 1)
		if err != nil || !l.pass(m) {
			return
		}
	}
}

// Codes of first messages that are no start of a session.
const (
	sslRequest = 80877103
	gssRequest = 80877104
)

// start passes the first message on. It refuses encryption, as a server may.
func (l *link) start(in *bufio.Reader) error {
	for {
		m, err := readMessage(in, 0)
		if err != nil {
			return err
		}
		if len(m) < 8 {
			return errors.New("the first message is too short")
		}
		if code := binary.BigEndian.Uint32(m[4:]); code == sslRequest || code == gssRequest {
			if _, err := l.client.Write([]byte("N")); err != nil {
				return err
			}
			continue
		}
		l.ask(false)
		_, err = l.server.Write(m)
		return err
	}
}

// ask counts a message that the server answers. swallow says that the client must not
// get the answer.
func (l *link) ask(swallow bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked++
	if swallow {
		l.swallow = l.asked
	}
}

// pass passes a message on to the server. It returns false if the connection ends here.
func (l *link) pass(m []byte) bool {
	kind, commits := m[0], l.commits(m)
	var c *cut
	if kind == 'Q' || kind == 'E' || kind == 'S' {
		c = l.proxy.count(kind, commits)
	}
	if c != nil && !c.after {
		return false
	}
	if kind == 'Q' || kind == 'S' {
		l.ask(c != nil)
	}
	if _, err := l.server.Write(m); err != nil {
		return false
	}
	if c != nil && kind != 'E' {
		<-l.closed // by fromServer, when the server has answered
	}
	return c == nil
}

// commits says whether a message commits, or is the Sync after the one that did.
func (l *link) commits(m []byte) (yes bool) {
	first, rest, _ := bytes.Cut(m[5:], []byte{0})
	second, _, _ := bytes.Cut(rest, []byte{0})
	switch m[0] {
	case 'P': // Parse: name of the statement, its text
		l.statements[string(first)] = isCommit(string(second))
	case 'B': // Bind: name of the portal, name of the statement
		l.portals[string(first)] = l.statements[string(second)]
	case 'E': // Execute: name of the portal
		yes = l.portals[string(first)]
		l.committing = l.committing || yes
	case 'S': // Sync
		yes = l.committing
		l.committing = false
	case 'Q': // Query: statements
		yes = isCommit(string(first))
	}
	return yes
}

// isCommit says whether the last of some statements is COMMIT.
func isCommit(text string) bool {
	text = strings.TrimRight(text, " \t\n;")
	return strings.EqualFold(strings.TrimSpace(text[strings.LastIndex(text, ";")+1:]), "commit")
}

// fromServer passes answers on to the client, until one side closes or the answer is
// complete that the client must not get.
func (l *link) fromServer() {
	in := bufio.NewReader(l.server)
	for {
		m, err := readMessage(in, 1)
		if err != nil {
			return
		}
		pass, last := l.answer(m[0] == 'Z')
		if last {
			return
		}
		if !pass {
			continue
		}
		if _, err := l.client.Write(m); err != nil {
			return
		}
	}
}

// answer counts a message of the server, which is ReadyForQuery or another. It says
// whether the client may get it, and whether the connection ends after it.
func (l *link) answer(ready bool) (pass, last bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	swallow := l.swallow > 0 && l.answered == l.swallow-1
	if ready {
		l.answered++
	}
	return !swallow, swallow && ready
}

// readMessage reads a whole message. typed is 1 if it begins with a type, else 0.
func readMessage(in *bufio.Reader, typed int) ([]byte, error) {
	head, err := in.Peek(typed + 4)
	if err != nil {
		return nil, err
	}
	length := binary.BigEndian.Uint32(head[typed:])
	if length < 4 || length > 1<<30 {
		return nil, errors.New("impossible length of a message")
	}
	m := make([]byte, typed+int(length))
	_, err = io.ReadFull(in, m)
	return m, err
}
