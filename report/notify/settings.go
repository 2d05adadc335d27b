package notify

import (
	"cmp"
	"fmt"
	"time"
)

// The types of sinks.
const (
	Slack   = "slack"
	Webhook = "webhook"
	Email   = "email"
	Command = "command"
	Ping    = "ping" // is told of each complete run, and of each that failed; never of alerts
)

// Types lists every type of sink.
var Types = []string{Slack, Webhook, Email, Command, Ping}

// Settings are what a sink needs, secrets included. They are never stored or logged.
type Settings struct {
	Name string
	Type string
	// URL of slack, webhook and ping. It is a secret: who knows it can post there.
	URL string
	// Secret signs what a webhook gets; "" does not sign.
	Secret string
	// Server is host:port of an e-mail's SMTP server; without a port it is 587, 465 with
	// TLS from the first byte, and 25 without TLS. TLS is starttls (also where it is ""),
	// tls from the first byte, or none, which is refused when there is a password.
	Server, TLS    string
	User, Password string
	From           string
	To             []string
	// Command is a program and its arguments, run without a shell.
	Command []string
	// Environment is what the command sees of the environment, as name=value; nil:
	// nothing.
	Environment []string
	// Timeout is the longest that one attempt may take; 0: 10 s.
	Timeout time.Duration
	// PerMinute is how many messages are sent in a minute at most; 0: 10.
	PerMinute int
	// AllowPrivate allows a name that leads to a private, loopback or link-local address.
	// A URL that gives such an address itself, or localhost, is allowed anyhow. It also
	// allows the proxy of the environment, behind which no address can be checked.
	AllowPrivate bool
	// Zone is that of the times in texts for people; nil: UTC.
	Zone *time.Location
	// Agent is the User-Agent; "": lobstrail.
	Agent string
}

// Format writes the name and the type, whatever the verb: no message can hold a secret by
// accident.
func (s Settings) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "sink %q of type %q", s.Name, s.Type) }

// The defaults and bounds of what limits a sink.
const (
	defaultTimeout   = 10 * time.Second
	maxTimeout       = 10 * time.Second
	defaultPerMinute = 10
	maxPerMinute     = 600
)

// limits bound how a sink is used.
type limits struct {
	name      string
	timeout   time.Duration
	perMinute int
}

func newLimits(s Settings) (limits, error) {
	l := limits{s.Name, cmp.Or(s.Timeout, defaultTimeout), cmp.Or(s.PerMinute, defaultPerMinute)}
	switch {
	case l.name == "":
		return l, fmt.Errorf("a sink needs a name")
	case l.timeout < 0 || l.timeout > maxTimeout:
		return l, fmt.Errorf("timeout: from 1ns to %s is expected", maxTimeout)
	case l.perMinute < 0 || l.perMinute > maxPerMinute:
		return l, fmt.Errorf("per_minute: from 1 to %d is expected", maxPerMinute)
	}
	return l, nil
}

// Name is the name of the sink in the configuration.
func (l limits) Name() string { return l.name }

// Timeout is the longest that one attempt may take.
func (l limits) Timeout() time.Duration { return l.timeout }

// PerMinute is how many messages are sent in a minute at most.
func (l limits) PerMinute() int { return l.perMinute }
