package main

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/lobstrail/lobstrail/cmd/lobstrail/config"
	"github.com/lobstrail/lobstrail/report/alert"
	"github.com/lobstrail/lobstrail/report/notify"
)

// rulesOf returns the rules of a workspace: its interval, and the sinks that get its
// messages. A ping gets none.
func (a *app) rulesOf(ctx context.Context, workspace string) (alert.Rules, error) {
	c, err := a.config(ctx)
	if err != nil {
		return alert.Rules{}, err
	}
	rules := c.Rules
	rules.Every = cmp.Or(a.every, c.Workspaces[workspace].Every)
	for _, sink := range sinksFor(c, workspace) {
		if sink.Settings.Type != notify.Ping {
			rules.Sinks = append(rules.Sinks, alert.Subscription{Sink: sink.Settings.Name, Conditions: sink.Conditions})
		}
	}
	return rules, nil
}

// sinksFor are the sinks of a workspace, pings included.
func sinksFor(c config.Config, workspace string) (sinks []config.Sink) {
	for _, sink := range c.Sinks {
		if sink.Workspaces == nil || slices.Contains(sink.Workspaces, workspace) {
			sinks = append(sinks, sink)
		}
	}
	return sinks
}

// settingsOf returns the settings of a sink with its secrets. The error names the
// variable or the file that has not what it should have.
func (a *app) settingsOf(ctx context.Context, c config.Config, sink config.Sink) (notify.Settings, error) {
	s := sink.Settings
	for _, secret := range []struct {
		reference config.Reference
		value     *string
	}{{sink.URL, &s.URL}, {sink.Secret, &s.Secret}, {sink.Password, &s.Password}} {
		if secret.reference == (config.Reference{}) {
			continue
		}
		value, err := a.secret(ctx, c, secret.reference)
		if err != nil {
			return notify.Settings{}, fmt.Errorf("sink %s: %w", s.Name, err)
		}
		*secret.value = value
	}
	if sink.URL != (config.Reference{}) {
		if problem := config.CheckURL(s.URL); problem != "" {
			return notify.Settings{}, fmt.Errorf("sink %s: %s: %s", s.Name, a.placeOf(c, sink.URL), problem)
		}
	}
	return s, nil
}

// secretWait is how long the file of a secret is waited for. It may be a pipe that nobody
// writes to, and nobody watches a job of cron.
const secretWait = 5 * time.Second

// secret reads the secret that a reference names. The error names the place, and tells
// nothing of what is in it.
func (a *app) secret(ctx context.Context, c config.Config, r config.Reference) (string, error) {
	place, value := a.placeOf(c, r), ""
	if r.Env != "" {
		value = a.env.getenv(r.Env)
		if isEmpty(value) {
			return "", fmt.Errorf("%s is not set", place)
		}
	} else {
		file := a.secretFile(c, r)
		ctx, cancel := context.WithTimeoutCause(ctx, secretWait, fmt.Errorf("%s: nothing to read within %s", file, secretWait))
		defer cancel()
		raw, err := readBounded(ctx, file, maxTokenBytes)
		if err != nil {
			return "", err
		}
		value = string(plainText(raw))
	}
	value = strings.TrimSpace(value)
	switch {
	case value == "":
		return "", fmt.Errorf("%s is empty", place)
	case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "", fmt.Errorf("%s has more than one line, or control characters; it holds the secret and nothing else", place)
	}
	return value, nil
}

// placeOf names where a secret is.
func (a *app) placeOf(c config.Config, r config.Reference) string {
	if r.Env != "" {
		return "the variable " + r.Env
	}
	return a.secretFile(c, r)
}

// secretFile is the path of a file that the configuration names: ~/ is the home folder,
// and any other relative path begins at the folder of the configuration.
func (a *app) secretFile(c config.Config, r config.Reference) string {
	file := a.homePath(r.File)
	if filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(filepath.Dir(c.Path), file)
}

// homePath is a path whose ~/ at the beginning is the home folder, if that is known.
func (a *app) homePath(path string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if home := a.env.userHome(); home != "" {
			return filepath.Join(home, rest)
		}
	}
	return path
}
