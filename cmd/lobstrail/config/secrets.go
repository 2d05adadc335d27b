package config

import (
	"net"
	"net/url"
	"regexp"
	"strings"

	"github.com/lobstrail/lobstrail/report/notify"
)

// variableName is the name of an environment variable.
var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// reference reads where a secret is kept: KEY_env or KEY_file, not both; the zero value
// if neither is given.
func (t *table) reference(key string) (r Reference) {
	env, file := key+"_env", key+"_file"
	_, hasEnv := t.value(env)
	_, hasFile := t.value(file)
	if hasEnv && hasFile {
		t.wrong(file, "%s is given too; give one of them", env)
		return r
	}
	if hasEnv {
		if text, ok := t.text(env); ok {
			r.Env = t.variable(env, text)
		}
	}
	if hasFile {
		if text, ok := t.text(file); ok {
			r.File = t.file(file, text)
		}
	}
	return r
}

func (t *table) variable(key, name string) string {
	if !variableName.MatchString(name) || mayBeSecret(name) {
		t.wrong(key, "the name of an environment variable is expected, and never the secret itself")
		return ""
	}
	t.set(key, name)
	return name
}

func (t *table) file(key, path string) string {
	if strings.Contains(path, "://") || !strings.ContainsAny(path, `/\.`) && mayBeSecret(path) {
		t.wrong(key, "the path of a file is expected, and never the secret itself")
		return ""
	}
	t.set(key, path)
	return path
}

// mayBeSecret reports whether somebody may have put a secret where the name of its place
// belongs: it has digits in a long word.
func mayBeSecret(text string) bool {
	for word := range strings.SplitSeq(text, "_") {
		if len(word) >= 20 && strings.ContainsAny(word, "0123456789") {
			return true
		}
	}
	return false
}

// url reads the URL of a sink: url, url_env or url_file. It is never told: whoever knows
// it can post there.
func (t *table) url(s *Sink) {
	_, plain := t.value("url")
	s.URL = t.reference("url")
	hasEnv, hasFile := t.has("url_env"), t.has("url_file")
	switch {
	case plain && (hasEnv || hasFile):
		t.wrong("url", "url_env or url_file is given too; give one of them")
		return
	case !plain && !hasEnv && !hasFile:
		t.wrong("url_env", "url_env or url_file is needed, which say where the URL is")
		return
	case !plain:
		return
	}
	text, ok := t.text("url")
	if !ok {
		return
	}
	if problem := CheckURL(text); problem != "" {
		t.wrong("url", "%s", problem)
		return
	}
	t.set("url", "given, not shown")
	t.warnURL(s.Settings.Type, text)
	s.Settings.URL = text
}

// CheckURL returns what is wrong with the URL of a sink; "" if nothing is. It repeats
// nothing of it.
func CheckURL(text string) string {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https":
		return "a URL is expected that begins with https:// or http://"
	case u.Hostname() == "":
		return "the URL has no host"
	case u.Fragment != "":
		return "the URL has a fragment (#...), which is never sent"
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		return "the URL has a space or a control character"
	}
	return ""
}

func (t *table) warnURL(kind, text string) {
	if LikeSecret(kind, text) {
		t.warn("url", "the URL is a secret: put it into a file (url_file) or a variable (url_env)")
	}
	if u, err := url.Parse(text); err == nil && u.Scheme == "http" && !privateHost(u.Hostname()) {
		t.warn("url", "http is not encrypted: everybody on the way can read the messages and post to this URL")
	}
}

// secretPart is a part of a URL that nobody can guess.
var secretPart = regexp.MustCompile(`[A-Za-z0-9_-]{16,}`)

// LikeSecret reports whether the URL of a sink may give power to those who know it.
func LikeSecret(kind, text string) bool {
	u, err := url.Parse(text)
	return err != nil || kind == notify.Slack || u.User != nil || u.RawQuery != "" || secretPart.MatchString(u.Path)
}

func privateHost(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && (ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast())
}
