package notify

import "time"

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
	// Server is host:port of an e-mail's SMTP server. TLS is starttls (also where it is
	// ""), tls from the first byte, or none, which is refused when there is a password.
	Server, TLS    string
	User, Password string
	From           string
	To             []string
	// Command is a program and its arguments, run without a shell.
	Command []string
	// Timeout is the longest that one attempt may take; 0: 10 s.
	Timeout time.Duration
	// PerMinute is how many messages are sent in a minute at most; 0: 10.
	PerMinute int
	// AllowPrivate allows a name that leads to a private, loopback or link-local address.
	// A URL that gives such an address itself, or localhost, is allowed anyhow.
	AllowPrivate bool
}
