package notify

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

func TestPublicAddresses(t *testing.T) {
	for _, text := range []string{"1.1.1.1", "8.8.8.8", "100.63.255.255", "172.32.0.1", "192.0.1.1", "2606:4700:4700::1111", "2a00::1"} {
		if !public(netip.MustParseAddr(text)) {
			t.Errorf("%s is public", text)
		}
	}
	for _, text := range []string{
		"127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
		"192.0.0.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1",
		"fec0::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001::1",
	} {
		if public(netip.MustParseAddr(text)) {
			t.Errorf("%s is not public", text)
		}
	}
}

// useDNS has the names of this process looked up at a server of the test, which gives each
// question one more of the answers; the last one from then on.
func useDNS(t *testing.T, answers ...string) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int32
	go func() {
		for buffer := make([]byte, 1500); ; {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			var question dnsmessage.Message
			if question.Unpack(buffer[:n]) != nil || len(question.Questions) != 1 {
				continue
			}
			q := question.Questions[0]
			reply := dnsmessage.Message{Header: dnsmessage.Header{ID: question.ID, Response: true, Authoritative: true}, Questions: question.Questions}
			header := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 0}
			if q.Type == dnsmessage.TypeA {
				answer := answers[min(int(asked.Add(1))-1, len(answers)-1)]
				reply.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.AResource{A: netip.MustParseAddr(answer).As4()}}}
			}
			raw, err := reply.Pack()
			if err != nil {
				continue
			}
			_, _ = conn.WriteTo(raw, from)
		}
	}()
	before := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return net.Dial("udp", conn.LocalAddr().String())
	}}
	t.Cleanup(func() { net.DefaultResolver = before; conn.Close() })
}

// TestSinkRefusesNamesOfPrivateAddresses looks names up at a real DNS server, whose second
// answer is another one than the first.
func TestSinkRefusesNamesOfPrivateAddresses(t *testing.T) {
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests++ }))
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	to := func(host string, private bool) Sink {
		return webhookTo(t, "http://"+host+":"+port, func(s *Settings) { s.AllowPrivate, s.Timeout = private, time.Second })
	}
	useDNS(t, "127.0.0.1", "10.0.0.7")
	for _, want := range []string{"the name leads to 127.0.0.1, which is not a public address; allow_private = true", "the name leads to 10.0.0.7, which"} {
		if err := send(t, to("sink.example", false)); err == nil || !strings.HasPrefix(err.Error(), want) || requests > 0 {
			t.Errorf("%v, %d requests", err, requests)
		}
	}
	useDNS(t, "127.0.0.1")
	for _, sink := range []Sink{to("sink.example", true), to("127.0.0.1", false), to("localhost", false), to("LOCALHOST.", false)} {
		requests = 0
		if err := send(t, sink); err != nil || requests != 1 {
			t.Errorf("%v, %d requests", err, requests)
		}
	}
	mail, err := New(Settings{Name: "mail", Type: Email, Server: "sink.example:" + port, From: "a@example.com", To: []string{"b@example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := send(t, mail); err == nil || !strings.HasPrefix(err.Error(), "the name leads to 127.0.0.1") {
		t.Error(err)
	}
}
