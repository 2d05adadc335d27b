package notify

import (
	"cmp"
	"context"
	"crypto/tls"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"net"
	netmail "net/mail"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/lobstrail/lobstrail/report/alert"
)

// The values of Settings.TLS.
const (
	startTLS = "starttls"
	fullTLS  = "tls"
	noTLS    = "none"
)

const (
	mailItems     = 50
	mailSubject   = 150     // characters
	maxMailAnswer = 1 << 20 // bytes that a server may send in one delivery
)

type emailSink struct {
	limits
	settings Settings
	from     *netmail.Address
	to       []string
	host     string
	port     int
}

func newEmail(l limits, s Settings) (Sink, error) {
	e := &emailSink{limits: l, settings: s}
	switch {
	case s.TLS != "" && s.TLS != startTLS && s.TLS != fullTLS && s.TLS != noTLS:
		return nil, fmt.Errorf("tls: %s, %s or %s is expected", startTLS, fullTLS, noTLS)
	case s.TLS == noTLS && s.Password != "":
		return nil, errors.New("tls: none would send the password unencrypted; take starttls or tls")
	case (s.User == "") != (s.Password == ""):
		return nil, errors.New("user and password belong together: one of them is missing")
	case len(s.To) == 0:
		return nil, errors.New("to: at least one address is needed")
	}
	var err error
	if e.host, e.port, err = mailServer(s); err != nil {
		return nil, err
	}
	if e.from, err = netmail.ParseAddress(s.From); err != nil {
		return nil, errors.New("from: no e-mail address")
	}
	e.from.Name = cmp.Or(e.from.Name, "lobstrail")
	for i, text := range s.To {
		to, err := netmail.ParseAddress(text)
		if err != nil {
			return nil, fmt.Errorf("to: element %d is no e-mail address", i+1)
		}
		e.to = append(e.to, to.String())
	}
	return e, nil
}

// mailServer takes host:port apart. The usual port of the kind of TLS is that of a server
// without one.
func mailServer(s Settings) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(s.Server)
	if err != nil {
		host = strings.Trim(s.Server, "[]")
		text = cmp.Or(map[string]string{fullTLS: "465", noTLS: "25"}[s.TLS], "587")
	}
	port, err = strconv.Atoi(text)
	if host == "" || strings.ContainsAny(host, "/@ ") || err != nil || port < 1 || port > 65535 {
		return "", 0, errors.New("server: HOST:PORT is expected, such as smtp.example.com:587")
	}
	return host, port, nil
}

// Send sends the message to all addresses in one mail.
func (s *emailSink) Send(ctx context.Context, body alert.Body) error {
	message, err := s.message(body)
	if err != nil {
		return err
	}
	client, done, err := s.client(ctx)
	if err != nil {
		return mailCause(ctx, err)
	}
	defer done()
	err = client.DialAndSendWithContext(ctx, message)
	if err == nil || message.IsDelivered() { // then only the good-bye went wrong
		return nil
	}
	return mailCause(ctx, err)
}

// client returns a client for one delivery. Once ctx is done, and at done, its connection
// is closed, whatever it waits for.
func (s *emailSink) client(ctx context.Context) (client *mail.Client, done func(), err error) {
	ctx, done = context.WithCancel(ctx)
	config := &tls.Config{ServerName: s.host, MinVersion: tls.VersionTLS12}
	dial := func(dialing context.Context, network, address string) (net.Conn, error) {
		plain, err := dialer{s.settings.AllowPrivate}.DialContext(dialing, network, address)
		if err != nil {
			return nil, err
		}
		context.AfterFunc(ctx, func() { plain.Close() })
		bounded := &boundedConn{plain, maxMailAnswer}
		if s.settings.TLS != fullTLS {
			return bounded, nil
		}
		encrypted := tls.Client(bounded, config)
		return encrypted, encrypted.HandshakeContext(dialing)
	}
	policy := mail.TLSMandatory
	if s.settings.TLS == noTLS || s.settings.TLS == fullTLS { // the latter is encrypted already
		policy = mail.NoTLS
	}
	// The longest time of the library is one that ctx ends before: it would be told apart
	// from a broken connection by nothing.
	options := []mail.Option{
		mail.WithPort(s.port), mail.WithTimeout(2 * maxTimeout), mail.WithTLSPolicy(policy), mail.WithTLSConfig(config),
		mail.WithDialContextFunc(dial), mail.WithoutNoop(),
	}
	if s.settings.User != "" {
		options = append(options, mail.WithUsername(s.settings.User), mail.WithPassword(s.settings.Password),
			mail.WithOpportunisticSMTPAuth(mail.SMTPAuthSCRAMSHA256, mail.SMTPAuthPlain, mail.SMTPAuthLogin))
	}
	client, err = mail.NewClient(s.host, options...)
	return client, done, err
}

//go:embed email.html
var emailHTML string

var emailTemplate = template.Must(template.New("email").Parse(emailHTML))

func (s *emailSink) message(body alert.Body) (*mail.Msg, error) {
	v := newView(body, s.settings.Zone, mailItems)
	message := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := message.From(s.from.String()); err != nil {
		return nil, errors.New("from: no e-mail address")
	}
	if err := message.To(s.to...); err != nil {
		return nil, errors.New("to: no e-mail address")
	}
	message.Subject(cut("["+shown(body.Workspace, maxName)+"] "+v.Summary, mailSubject))
	// The same for every try, so that a mail program can tell that it is the same message.
	_, domain, _ := strings.Cut(s.from.Address, "@")
	message.SetMessageIDWithValue(mailID(body.ID) + "@" + domain)
	message.SetDateWithValue(time.Now())
	message.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no out-of-office answers
	message.SetGenHeader("X-Mailer", cutAgent(s.settings.Agent))
	message.SetBodyString(mail.TypeTextPlain, mailText(v))
	if err := message.AddAlternativeHTMLTemplate(emailTemplate, v); err != nil {
		return nil, errors.New("the HTML part could not be written")
	}
	return message, nil
}

func cutAgent(agent string) string {
	if agent == "" {
		return "lobstrail"
	}
	return shown(agent, maxName)
}

// mailID makes an id fit for a header.
func mailID(id string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-' {
			return r
		}
		return '-'
	}, cut(id, maxName))
}

// mailText is the plain-text part.
func mailText(v view) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n%s\n", v.Summary, strings.Join(v.Facts, ", "))
	if v.PlatformEvent != "" {
		fmt.Fprintf(&b, "\n%s\n", v.PlatformEvent)
	}
	for _, item := range v.Items {
		b.WriteString("\n" + item.Name)
		if item.Type != "" {
			b.WriteString(" (" + item.Type + ")")
		}
		b.WriteByte('\n')
		write := func(label, text string) {
			if text != "" {
				fmt.Fprintf(&b, "  %-8s%s\n", label, text)
			}
		}
		write("health", strings.TrimSpace(item.Change+" "+item.Info))
		write("when", item.When)
		for _, squid := range item.Squids {
			write("squid", squid.Name+": "+squid.State)
		}
		write("", item.MoreSquids)
		write("fix", item.Fix)
	}
	if v.More != "" {
		fmt.Fprintf(&b, "\n%s; \"lobstrail alerts\" lists all\n", v.More)
	}
	return b.String()
}

// mailCause returns the cause of a failed delivery, with the code that the server
// answered and nothing of its text.
func mailCause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return networkCause(ctx.Err())
	}
	if answer, ok := errors.AsType[*textproto.Error](err); ok {
		return mailCode(answer.Code)
	}
	if failed, ok := errors.AsType[*mail.SendError](err); ok {
		if failed.ErrorCode() == 0 {
			return fmt.Errorf("%s: %w", failed.Reason, errClosed)
		}
		return fmt.Errorf("%s: %w", failed.Reason, mailCode(failed.ErrorCode()))
	}
	switch text := err.Error(); {
	case strings.Contains(text, "does not support STARTTLS"):
		return errors.New(`the server does not offer STARTTLS; tls = "tls" encrypts from the first byte`)
	case strings.Contains(text, "not support SMTP AUTH"), errors.Is(err, mail.ErrNoSupportedAuthDiscovered):
		return errors.New("the server offers no way to log in that is supported: SCRAM-SHA-256, PLAIN, LOGIN")
	}
	return networkCause(err)
}

func mailCode(code int) error {
	switch code {
	case 530:
		return fmt.Errorf("the server answered %d: it wants a user and a password", code)
	case 534, 535:
		return fmt.Errorf("the server answered %d: it refused the user or the password", code)
	}
	return fmt.Errorf("the server answered %d", code)
}
