package lobstrtest

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// exchange is one request on its way to an answer.
type exchange struct {
	server  *Server
	request *http.Request
	record  Request
	token   string // as sent, whether known or not
	world   *World // nil: the key is unknown
	limit   int
	answer  func() // evaluates the request
	reply   reply
}

// reply is an answer before it is sent. Faults change it.
type reply struct {
	status int
	header http.Header
	// envelope is the answer of a call that was understood; its data is empty
	// and stands for rows. When it is nil, body is the answer.
	envelope object
	rows     [][]byte
	body     []byte
	mangle   []func([]byte) []byte // what happens to the bytes at last
	send     func(w http.ResponseWriter, x *exchange, body []byte)
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.enter() {
		return
	}
	defer s.handlers.Done()
	x := &exchange{server: s, request: r, reply: reply{header: http.Header{}}}
	x.record = Request{Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Page: 1}
	endpoint, id := endpointOf(r)
	x.record.Route = endpoint.route
	if endpoint.route == Detail {
		x.record.Account = id
	}
	x.answer = func() { endpoint.answer(x, id) }
	x.record.At = s.pass(&s.before)
	x.serve()
	s.pass(&s.after)
	x.finish(w)
}

// serve works out the answer, true or false.
func (x *exchange) serve() {
	x.authorize()
	x.setDate(x.record.At)
	if !x.server.admit(x) {
		return
	}
	switch {
	case x.world == nil:
		x.fail(http.StatusUnauthorized, olderShape, "Invalid token.")
		return
	case !x.pageAsked():
		x.fail(http.StatusBadRequest, currentShape, "page and limit must be positive numbers.")
	default:
		x.answer()
	}
	x.server.applyFaults(x)
}

func (x *exchange) authorize() {
	token, ok := strings.CutPrefix(x.request.Header.Get("Authorization"), "Token ")
	x.server.mu.Lock()
	defer x.server.mu.Unlock()
	if ok {
		x.token, x.world = token, x.server.worlds[token]
	}
	x.record.Authorized = x.world != nil
}

func (x *exchange) setDate(t time.Time) {
	x.reply.header.Set("Date", t.UTC().Format(http.TimeFormat))
}

// pageAsked reads page and limit; it reports whether they make sense.
func (x *exchange) pageAsked() bool {
	x.server.mu.Lock()
	defer x.server.mu.Unlock()
	x.limit = x.server.defaultLimit
	query := x.request.URL.Query()
	ok := positive(query.Get("page"), &x.record.Page) && positive(query.Get("limit"), &x.limit)
	x.limit = min(x.limit, x.server.maxLimit)
	return ok
}

// positive reads a positive number into n, which stays when text is empty.
func positive(text string, n *int) bool {
	if text == "" {
		return true
	}
	value, err := strconv.Atoi(text)
	if err != nil || value < 1 || value > math.MaxInt32 {
		return false
	}
	*n = value
	return true
}

// fail answers with an error.
func (x *exchange) fail(status int, shape errorShape, message string) {
	x.reply.status, x.reply.envelope = status, nil
	x.reply.body = shape.body(status, message)
	x.reply.header.Set("Content-Type", shape.contentType())
}

// finish encodes the answer, keeps the record and sends.
func (x *exchange) finish(w http.ResponseWriter) {
	body := x.reply.body
	if x.reply.envelope != nil {
		body = x.reply.envelope.append(nil)
		if x.reply.envelope.index("data") >= 0 {
			body = encodeEnvelope(x.reply.envelope, x.reply.rows)
		}
	}
	for _, mangle := range x.reply.mangle {
		body = mangle(body)
	}
	x.record.Status = x.reply.status
	x.server.record(x.record)
	for name, values := range x.reply.header {
		w.Header()[name] = values
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	if x.reply.send != nil {
		x.reply.send(w, x, body)
		return
	}
	w.WriteHeader(x.reply.status)
	w.Write(body) // a client that hangs up is no concern
}
