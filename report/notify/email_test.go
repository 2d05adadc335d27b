package notify

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/report/alert"
)

const mailPassword = "canary-mail-password"

func emailTo(t *testing.T, port int, change func(*Settings)) Sink {
	t.Helper()
	s := Settings{
		Name: "mail", Type: Email, Server: fmt.Sprintf("localhost:%d", port), From: "alerts@example.com", To: []string{"Ops <ops@example.com>"},
		User: "alerts", Password: mailPassword, Timeout: 5 * time.Second,
	}
	change(&s)
	sink, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	return sink
}

// parts takes a mail apart: its header, and its text and HTML.
func parts(t *testing.T, raw []byte) (header netmail.Header, text, html string) {
	t.Helper()
	message, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	kind, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatal(kind, err)
	}
	reader := multipart.NewReader(message.Body, params["boundary"])
	var found []string
	for {
		part, err := reader.NextRawPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if encoding := part.Header.Get("Content-Transfer-Encoding"); encoding != "quoted-printable" {
			t.Fatalf("encoding %q", encoding)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, part.Header.Get("Content-Type")+"\n"+strings.ReplaceAll(string(body), "\r\n", "\n"))
	}
	if len(found) != 2 || !strings.HasPrefix(found[0], "text/plain; charset=UTF-8\n") || !strings.HasPrefix(found[1], "text/html; charset=UTF-8\n") {
		t.Fatalf("parts: %q", found)
	}
	return message.Header, found[0], found[1]
}

// TestEmailReachesARealServer sends with each kind of encryption.
func TestEmailReachesARealServer(t *testing.T) {
	for kind, change := range map[string]func(*Settings){
		"starttls": func(*Settings) {},
		"tls":      func(s *Settings) { s.TLS = "tls" },
		"none":     func(s *Settings) { s.TLS, s.User, s.Password = "none", "", "" },
	} {
		t.Run(kind, func(t *testing.T) {
			var login []string
			if kind != "none" {
				login = []string{"alerts", mailPassword}
			}
			daemon := startMail(t, kind, login...)
			sink := emailTo(t, daemon.port, change)
			if err := send(t, sink); err != nil {
				t.Fatal(err)
			}
			mail := daemon.mail(t)
			if mail.From != "alerts@example.com" || fmt.Sprint(mail.To) != "[ops@example.com]" || mail.TLS != (kind != "none") ||
				(mail.User == "alerts") != (kind != "none") {
				t.Errorf("%+v", mail)
			}
			header, text, html := parts(t, mail.Data)
			for name, want := range map[string]string{
				"Subject": "[acme] 2 LinkedIn accounts expired between 08:00 and 08:15; 3 of 45 down", "From": `"lobstrail" <alerts@example.com>`,
				"To": `"Ops" <ops@example.com>`, "Message-Id": "<0123456789abcdef0123456789abcdef@example.com>", "Auto-Submitted": "auto-generated",
			} {
				if got := header.Get(name); got != want {
					t.Errorf("%s: %s", name, got)
				}
			}
			for _, want := range []string{
				"workspace acme", "run 42", "2026-11-27 08:15 UTC", "3 of 45 accounts down", "trendwatch_eu", "linkedin-sync", "healthy → expired",
				"cookies_expired", "2026-11-27 08:00 … 08:15", "X Mentions", "no healthy account left, next launch 2026-11-27 09:00", "1 healthy account left",
				"lobstr accounts sync linkedin-sync --account d3e97f2cd33658f301bdbe807402ab30 --cookies-file cookies.json",
			} {
				if !strings.Contains(text, want) || !strings.Contains(html, want) {
					t.Errorf("%q is not in both parts:\n%s\n%s", want, text, html)
				}
			}
		})
	}
}

// TestEmailFromHostileNames has names that try to be headers and markup.
func TestEmailFromHostileNames(t *testing.T) {
	daemon := startMail(t, "none")
	sink := emailTo(t, daemon.port, func(s *Settings) { s.TLS, s.User, s.Password = "none", "", "" })
	body := expiredBody()
	const hostile = "x\r\nBcc: evil@example.com\r\n\r\n<script>alert(1)</script>\u202e\x00é🎉"
	body.ID, body.Workspace, body.Summary = "id>\r\nX-Evil: 1", hostile, hostile+" expired"
	body.Items[0].Username, body.Items[0].Info, body.Items[0].Squids[0].Name, body.Items[0].Fix = hostile, hostile, hostile, hostile
	body.Items[0].Type = strings.Repeat("long ", 1<<20)
	if err := sink.Send(t.Context(), body); err != nil {
		t.Fatal(err)
	}
	mail := daemon.mail(t)
	header, text, html := parts(t, mail.Data)
	if fmt.Sprint(mail.To) != "[ops@example.com]" || header.Get("Bcc") != "" || header.Get("X-Evil") != "" || len(mail.Data) > 50_000 {
		t.Errorf("%v %v %d bytes", mail.To, header, len(mail.Data))
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(header.Get("Subject"))
	if err != nil || len([]rune(subject)) > 150 || !strings.HasPrefix(subject, `[x\r\nBcc: evil@example.com\r\n\r\n<script>alert(1)</script>\u202e\x00é🎉] `) {
		t.Errorf("%q, %v", subject, err)
	}
	for _, raw := range []string{"<script", "\u202e", "\x00"} {
		if strings.Contains(html, raw) {
			t.Errorf("%q in\n%s", raw, html)
		}
	}
	if strings.ContainsAny(text, "\u202e\x00\r") || !strings.Contains(text, `x\r\nBcc: evil`) {
		t.Errorf("%q", text)
	}
}

// TestEmailFailures has servers that refuse, and servers that are none.
func TestEmailFailures(t *testing.T) {
	plain := func(s *Settings) { s.TLS, s.User, s.Password = "none", "", "" }
	protected := startMail(t, "starttls", "alerts", mailPassword)
	open := startMail(t, "none")
	useDNS(t, "127.0.0.1")
	for name, test := range map[string]struct {
		port   int
		change func(*Settings)
		want   string
	}{
		"wrong password":   {protected.port, func(s *Settings) { s.Password += "-wrong" }, "the server answered 535: it refused the user or the password"},
		"no log-in":        {protected.port, func(s *Settings) { s.User, s.Password = "", "" }, "sending SMTP MAIL FROM command: the server answered 530: it wants a user and a password"},
		"no STARTTLS":      {open.port, func(s *Settings) { s.User, s.Password = "", "" }, "the server does not offer STARTTLS"},
		"unknown receiver": {open.port, func(s *Settings) { plain(s); s.To = []string{"unknown@example.com"} }, "sending SMTP RCPT TO command: the server answered 550"},
		"hangs":            {open.port, func(s *Settings) { plain(s); s.To, s.Timeout = []string{"hang@example.com"}, hangTimeout }, "no answer in time"},
		"no TLS at all":    {open.port, func(s *Settings) { s.TLS = "tls" }, "the server does not speak TLS"},
		"another name": {protected.port, func(s *Settings) {
			s.Server, s.AllowPrivate = strings.Replace(s.Server, "localhost", "mail.example", 1), true
		}, "the certificate of the server is for another name"},
		"silence":          {portOf(talk(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })), func(s *Settings) { s.Timeout = hangTimeout }, "no answer in time"},
		"closes at once":   {portOf(talk(t, func(net.Conn) {})), plain, "the connection was closed before the answer"},
		"endless greeting": {portOf(talk(t, func(c net.Conn) { flood(c, "220 and more ") })), plain, "the connection was closed before the answer"},
		"endless lines":    {portOf(talk(t, func(c net.Conn) { flood(c, "220-and more\r\n") })), plain, "the connection was closed before the answer"},
		"busy":             {portOf(talk(t, func(c net.Conn) { fmt.Fprint(c, "421 canary\r\n") })), plain, "the server answered 421"},
		"greeting only": {portOf(talk(t, func(c net.Conn) {
			fmt.Fprint(c, "220 hello\r\n")
			_, _ = io.CopyN(io.Discard, c, 1)
		})), plain, "the connection was closed before the answer"},
	} {
		t.Run(name, func(t *testing.T) {
			err := send(t, emailTo(t, test.port, test.change))
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

// A server that takes the mail and then breaks off has it: it is not sent twice.
func TestEmailIsDeliveredOnceItIsTaken(t *testing.T) {
	port := portOf(talk(t, func(c net.Conn) {
		fmt.Fprint(c, "220 hello\r\n")
		for _, answer := range []string{"250 hello", "250 ok", "250 ok", "354 go on"} {
			_, _ = c.Read(make([]byte, 4096))
			fmt.Fprint(c, answer+"\r\n")
		}
		var all []byte
		for buffer := make([]byte, 4096); !bytes.HasSuffix(all, []byte("\r\n.\r\n")); {
			n, err := c.Read(buffer)
			if err != nil {
				return
			}
			all = append(all, buffer[:n]...)
		}
		fmt.Fprint(c, "250 taken\r\n")
	}))
	if err := send(t, emailTo(t, port, func(s *Settings) { s.TLS, s.User, s.Password = "none", "", "" })); err != nil {
		t.Error(err)
	}
}

func portOf(address string) (port int) {
	_, text, _ := net.SplitHostPort(address)
	fmt.Sscan(text, &port)
	return port
}

func TestMailTextOfATest(t *testing.T) {
	got := mailText(newView(TestBody("id", "acme", "mail", day), time.FixedZone("CET", 3600), mailItems))
	if want := "This is a test of the sink mail. It works.\n\nworkspace acme, 2026-11-27 09:15 CET\n"; got != want {
		t.Errorf("%q", got)
	}
}

func TestViewLeavesOutAndSaysSo(t *testing.T) {
	body := expiredBody()
	for len(body.Items) < 60 {
		body.Items = append(body.Items, body.Items[0])
	}
	for len(body.Items[0].Squids) < 9 {
		body.Items[0].Squids = append(body.Items[0].Squids, alert.SquidItem{ID: "s", HealthyAccounts: 3})
	}
	body.PlatformEvent = true
	text := mailText(newView(body, nil, mailItems))
	for _, want := range []string{"and 4 more\n", "\nand 10 more; \"lobstrail alerts\" lists all\n", "the platform is the likely cause", "squid   s: 3 healthy accounts left"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}
