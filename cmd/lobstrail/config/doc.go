// Package config reads the configuration of lobstrail: workspaces and their keys, alert
// rules, sinks, and the options of watch.
//
// It is strict: a key that it does not know, and a value that cannot be, is an error with
// the file, the line and the nearest key that exists. No error holds a secret, and the
// configuration has none in it either: it says where each secret is kept.
package config
