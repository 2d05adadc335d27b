// Package config reads the configuration of lobstrail: workspaces and their keys, alert
// rules, sinks, and the options of watch.
//
// It is strict: a key that it does not know, and a value that cannot be, is an error with
// the file, the line and the nearest key that exists. No error holds a secret.
package config

import (
	"time"

	"github.com/lobstrail/lobstrail/report/alert"
	"github.com/lobstrail/lobstrail/report/notify"
	"github.com/lobstrail/lobstrail/store"
)

// Config is what the configuration says, with the defaults of what it does not say. The
// zero value is no configuration; see Default.
type Config struct {
	Path       string // the file; "" when there is none
	Workspaces map[string]Workspace
	Rules      alert.Rules // without Every and Sinks: those are per workspace
	Sinks      []Sink
	Watch      Watch
}

// Workspace is one workspace and the key to it.
type Workspace struct {
	Token Reference     // token_file or token_env
	Every time.Duration // the expected interval; 0: not given
}

// Sink is a place that messages are sent to. A secret is never in the configuration: it
// names the variable or the file that has it.
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
	File string // or of a file with the secret and nothing else
}

// Watch has the options of the daemon.
type Watch struct {
	Every  time.Duration // where a workspace has none
	Jitter time.Duration
	Listen string // address and port of metrics and health; "": none
}
