package notify

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/report/alert"
	"github.com/lobstrail/lobstrail/store"
)

// The certificate that the test servers use. TestMain has this process trust it, in the way
// in which a user makes a private authority known.
var certFile, keyFile string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "notify-test-")
	if err == nil {
		certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
		err = writeCertificate(certFile, keyFile)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Setenv("SSL_CERT_FILE", certFile)
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// writeCertificate makes a certificate for localhost and 127.0.0.1, which is its own
// authority.
func writeCertificate(certFile, keyFile string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		return err
	}
	return os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600)
}

func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// received is a mail that the SMTP server took.
type received struct {
	From string
	To   []string
	TLS  bool
	User string
	Data []byte
}

// mailServers are the SMTP servers of Debian's package python3-aiosmtpd.
type mailDaemon struct {
	port  int
	mails chan received
}

// startMail starts an SMTP server. Where the package is not installed the test is skipped;
// who sets CI wants it to be looked at.
func startMail(t *testing.T, kind string, login ...string) mailDaemon {
	t.Helper()
	python := ""
	for _, name := range []string{"/usr/bin/python3", "python3"} {
		if exec.Command(name, "-c", "import aiosmtpd").Run() == nil {
			python = name
			break
		}
	}
	if python == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("Debian's python3-aiosmtpd is missing, and CI is set")
		}
		t.Skip("Debian's python3-aiosmtpd is not installed: no mail is sent to a real server")
	}
	cmd := exec.Command(python, append([]string{"testdata/smtpd.py", kind, certFile, keyFile}, login...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }) // it has done its work
	lines := bufio.NewReader(out)
	first, err := lines.ReadString('\n')
	port, parseErr := strconv.Atoi(strings.TrimSpace(first))
	if err != nil || parseErr != nil {
		t.Fatalf("the SMTP server did not start: %q, %v", first, err)
	}
	d := mailDaemon{port, make(chan received, 10)}
	go func() {
		for decoder := json.NewDecoder(lines); ; {
			var mail received
			if decoder.Decode(&mail) != nil {
				return
			}
			d.mails <- mail
		}
	}()
	return d
}

// mail returns the one mail that was taken.
func (d mailDaemon) mail(t *testing.T) received {
	t.Helper()
	select {
	case mail := <-d.mails:
		return mail
	case <-time.After(10 * time.Second):
		t.Fatal("no mail arrived")
		return received{}
	}
}

// talk starts a TCP server that says something to each connection and then does as told.
func talk(t *testing.T, answer func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				answer(conn)
			}()
		}
	}()
	return listener.Addr().String()
}

// hangTimeout is the time-out of sinks whose server never answers.
const hangTimeout = 500 * time.Millisecond

// flood writes text until the other side has closed.
func flood(w io.Writer, text string) {
	for block := strings.Repeat(text, 1+4096/len(text)); ; {
		if _, err := io.WriteString(w, block); err != nil {
			return
		}
	}
}

var day = time.Date(2026, 11, 27, 8, 15, 0, 0, time.UTC)

// expiredBody is a message as an evaluation writes it.
func expiredBody() alert.Body {
	after, before, launch := day.Add(-15*time.Minute), day, day.Add(45*time.Minute)
	item := func(id, name, squid string, healthy int) alert.Item {
		return alert.Item{
			Account: id, Username: name, Type: "linkedin-sync", After: &after, Before: &before, HealthBefore: store.Healthy,
			HealthAfter: store.Expired, Info: "cookies_expired", Fix: "lobstr accounts sync linkedin-sync --account " + id + " --cookies-file cookies.json",
			Squids: []alert.SquidItem{{ID: "5e8b1cc11cf0487cafd1d3ebc0a5b38b", Name: squid, HealthyAccounts: healthy, NextLaunchAt: &launch}},
		}
	}
	return alert.Body{
		Version: 1, ID: "0123456789abcdef0123456789abcdef", Workspace: "acme", Event: alert.Fired, Condition: store.AccountExpired, Run: 42, At: day,
		Summary: "2 LinkedIn accounts expired between 08:00 and 08:15; 3 of 45 down", Fleet: alert.Fleet{Accounts: 45, Down: 3},
		Items: []alert.Item{
			item("d3e97f2cd33658f301bdbe807402ab30", "trendwatch_eu", "X Mentions", 0),
			item("a0b97f2cd33658f301bdbe807402ab31", "sales.lead", "Leads FR", 1),
		},
	}
}
