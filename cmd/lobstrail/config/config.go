package config

import (
	"strings"
	"time"

	"github.com/lobstrail/lobstrail/report/alert"
	"github.com/lobstrail/lobstrail/report/notify"
	"github.com/lobstrail/lobstrail/store"
)

// Config is what the configuration says, with the defaults of what it does not say. The
// zero value is not a configuration; see [Default].
type Config struct {
	Path       string // the file; "" when there is none
	Workspaces map[string]Workspace
	Rules      alert.Rules // without Every and Sinks: those are per workspace
	Sinks      []Sink      // in the order of the file; their names differ
	Watch      Watch
	Settings   []Setting // every value that holds, in the order of the reference
	Warnings   []string  // what is allowed and still unwise, with the line; never a secret
}

// Workspace is one workspace and the key to it.
type Workspace struct {
	// Token says where its key is. It is the zero value only for the workspace "default",
	// whose key may be the one that needs no configuration.
	Token Reference
	Every time.Duration // the expected interval; 0: not given
}

// Sink is a place that messages are sent to.
type Sink struct {
	Workspaces []string          // nil: all
	Conditions []store.Condition // nil: all
	// Settings are those of the sink, without what URL, Secret and Password refer to.
	Settings              notify.Settings
	URL, Secret, Password Reference
}

// Reference says where a secret is kept; the zero value: nowhere.
type Reference struct {
	Env  string // the name of a variable
	File string // or of a file with the secret and nothing else, as the configuration names it
}

// Watch has the options of the daemon.
type Watch struct {
	Every  time.Duration // where a workspace has none
	Jitter time.Duration
	Listen string // address and port of metrics and health; "": none
}

// Setting is one value that holds. A value that may be a secret is described instead.
type Setting struct {
	Key   string // such as "workspaces.acme.every"
	Value string
	Line  int // of the file; 0: it is the default
}

// Reference is where the secret is that the setting names, and whether it names one.
func (s Setting) Reference() (Reference, bool) {
	switch {
	case strings.HasSuffix(s.Key, "_env"):
		return Reference{Env: s.Value}, true
	case strings.HasSuffix(s.Key, "_file"):
		return Reference{File: s.Value}, true
	}
	return Reference{}, false
}

// DefaultWorkspace is the workspace that is meant where none is named.
const DefaultWorkspace = "default"

// The defaults of watch.
const (
	defaultEvery  = 15 * time.Minute
	defaultJitter = 30 * time.Second
)

// Default is the configuration where there is no file.
func Default() Config {
	c, err := Parse("", nil)
	if err != nil {
		panic("config: " + err.Error()) // an empty file has nothing wrong
	}
	return c
}
