package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
)

// The causes of a failed attempt, in words that hold nothing of what was sent or received.
// The errors of net/url, net and TLS name URLs, hosts and answers.
var (
	errNoAnswer    = errors.New("no answer in time")
	errClosed      = errors.New("the connection was closed before the answer")
	errUnknownName = errors.New("the name of the server is not known")
	errLookup      = errors.New("the name of the server could not be looked up")
	errWrongName   = errors.New("the certificate of the server is for another name")
	errUnknownCA   = errors.New("the certificate of the server is signed by an unknown authority")
	errCertificate = errors.New("the certificate of the server is expired or not valid")
	errNoTLS       = errors.New("the server does not speak TLS")
	errConnection  = errors.New("the connection failed, or the answer was not understood")
)

// networkCause returns the cause of an error of the network; errConnection if it is none
// that is known.
func networkCause(err error) error {
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return errNoAnswer
	case errors.Is(err, context.Canceled):
		return context.Canceled
	}
	if private, ok := errors.AsType[*privateError](err); ok {
		return private
	}
	if lookup, ok := errors.AsType[*net.DNSError](err); ok {
		if lookup.IsNotFound {
			return errUnknownName
		}
		return errLookup
	}
	if cause := tlsCause(err); cause != nil {
		return cause
	}
	if number, ok := errors.AsType[syscall.Errno](err); ok && number != syscall.ECONNRESET && number != syscall.EPIPE {
		return errors.New(number.Error())
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return errNoAnswer
	}
	// net/http has no name for the error of a server that closes before it is asked.
	if strings.Contains(err.Error(), "server closed idle connection") {
		return errClosed
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		return errClosed
	}
	return errConnection
}

func tlsCause(err error) error {
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return errWrongName
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return errUnknownCA
	}
	if _, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		return errCertificate
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok || errors.Is(err, http.ErrSchemeMismatch) {
		return errNoTLS
	}
	if refused, ok := errors.AsType[tls.AlertError](err); ok {
		return errors.New("TLS: " + refused.Error())
	}
	return nil
}
