package fetcher

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestNewRefusesAConfigThatCannotWork(t *testing.T) {
	good := Config{Token: canary, UserAgent: "test"}
	tests := map[string]struct {
		change  func(*Config)
		message string // "" is taken
	}{
		"nothing but what must be set":    {func(*Config) {}, ""},
		"no token":                        {func(c *Config) { c.Token = "" }, "no API key"},
		"a token with a line end":         {func(c *Config) { c.Token += "\n" }, "white space"},
		"a token with a space":            {func(c *Config) { c.Token += " x" }, "white space"},
		"a token with a control byte":     {func(c *Config) { c.Token += "\x00" }, "control"},
		"a token beyond ASCII":            {func(c *Config) { c.Token += "é" }, "non-ASCII"},
		"no user agent":                   {func(c *Config) { c.UserAgent = " " }, "User-Agent"},
		"a user agent with a line end":    {func(c *Config) { c.UserAgent = "a\r\nX: y" }, "User-Agent"},
		"http to loopback":                {func(c *Config) { c.BaseURL = "http://127.0.0.1:8080/v1" }, ""},
		"http to loopback by IPv6":        {func(c *Config) { c.BaseURL = "http://[::1]:8080/v1/" }, ""},
		"http to localhost":               {func(c *Config) { c.BaseURL = "http://LocalHost:1" }, ""},
		"http to a host":                  {func(c *Config) { c.BaseURL = "http://api.lobstr.io/v1" }, "in the clear"},
		"http to a host named like local": {func(c *Config) { c.BaseURL = "http://localhost.evil.example" }, "in the clear"},
		"another scheme":                  {func(c *Config) { c.BaseURL = "ftp://api.lobstr.io" }, "https"},
		"no scheme":                       {func(c *Config) { c.BaseURL = "api.lobstr.io/v1" }, "https"},
		"no host":                         {func(c *Config) { c.BaseURL = "https:///v1" }, "no host"},
		"a password":                      {func(c *Config) { c.BaseURL = "https://me:" + "CANARY" + "@api.lobstr.io" }, "password"},
		"a query":                         {func(c *Config) { c.BaseURL = "https://api.lobstr.io?key=CANARY" }, "query"},
		"no URL":                          {func(c *Config) { c.BaseURL = "https://[CANARY" }, "parsed"},
		"negative retries":                {func(c *Config) { c.Retries = new(-1) }, "negative"},
		"a negative timeout":              {func(c *Config) { c.Timeout = -time.Second }, "negative"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			config := good
			test.change(&config)
			_, err := New(config)
			if test.message == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.message) {
				t.Fatalf("got %v, want %s", err, test.message)
			}
			mustNotLeak(t, fmt.Sprintf("%v %#v", err, err))
			if errors.Is(err, ErrNoToken) != (config.Token == "") {
				t.Errorf("ErrNoToken: %v", err)
			}
		})
	}
}
