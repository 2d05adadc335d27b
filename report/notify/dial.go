package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"syscall"
)

// dialer connects to public addresses only, unless private ones are allowed or the
// address itself was given. It looks at the address that a name has led to, at the moment
// it connects: a name that leads elsewhere a moment later is of no use to anybody.
type dialer struct{ allowPrivate bool }

// DialContext connects to host:port.
func (d dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, errors.New("the address is not host:port")
	}
	var plain net.Dialer
	if !d.allowPrivate && !givenAddress(host) {
		plain.Control = func(_, address string, _ syscall.RawConn) error { return refusePrivate(address) }
	}
	return plain.DialContext(ctx, network, address)
}

// givenAddress reports whether a host is an address, or this machine by its own name: then
// whoever wrote the configuration meant it.
func givenAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil || strings.EqualFold(strings.TrimSuffix(host, "."), "localhost")
}

// privateError is the error for a name that leads to a private address.
type privateError struct{ address netip.Addr }

func (e *privateError) Error() string {
	return fmt.Sprintf("the name leads to %s, which is not a public address; allow_private = true allows it", e.address)
}

func refusePrivate(address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return errors.New("the name leads to no address")
	}
	if !public(at.Addr()) {
		return &privateError{at.Addr().Unmap()}
	}
	return nil
}

// notPublic are the special networks that netip does not know about
// (https://www.iana.org/assignments/iana-ipv4-special-registry, -ipv6-), among them
// those that wrap an IPv4 address.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("::/96"), netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("2001::/32"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("fec0::/10"),
}

func public(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	for _, prefix := range notPublic {
		if prefix.Contains(a) {
			return false
		}
	}
	return a.IsGlobalUnicast() && !a.IsPrivate()
}

// boundedConn is a connection that hands out so many bytes and then fails: a server that
// never stops talking fills no memory.
type boundedConn struct {
	net.Conn
	left int
}

func (c *boundedConn) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}
