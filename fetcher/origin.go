package fetcher

import (
	"errors"
	"net/url"
	"strings"
)

// origin is what must be the same wherever the key is sent.
type origin struct{ scheme, host, port string }

func originOf(u *url.URL) origin {
	o := origin{scheme: strings.ToLower(u.Scheme), host: strings.ToLower(u.Hostname()), port: u.Port()}
	if o.port == "" {
		o.port = map[string]string{"http": "80", "https": "443"}[o.scheme]
	}
	return o
}

// follow resolves a link that the API sent against the URL it was asked at. The
// link must stay at the origin of that URL. Errors do not repeat the link.
func follow(from *url.URL, link string) (*url.URL, error) {
	to, err := from.Parse(link)
	if err != nil {
		return nil, errors.New("the link cannot be parsed")
	}
	if to.User != nil || originOf(to) != originOf(from) {
		return nil, errors.New("the link leads to another origin, and the API key is not sent there")
	}
	return to, nil
}
