package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/lobstrail/lobstrail/cmd/lobstrail/config"
)

// secretHint is for a sink whose URL or password cannot be read.
const secretHint = `put the URL or the password there, and nothing else ("lobstrail help sinks")`

const configHint = `"lobstrail help config" lists every key; "lobstrail config check" shows all values`

// config returns the configuration, which is read once. Without a file it is
// [config.Default]. What is wrong with the file is wrong usage.
func (a *app) config(ctx context.Context) (config.Config, error) {
	if a.loaded == nil {
		loaded, err := a.loadConfig(ctx)
		if err != nil {
			return config.Config{}, err
		}
		for _, warning := range loaded.Warnings {
			a.note("warning: %s: %s", loaded.Path, warning)
		}
		a.loaded = &loaded
	}
	return *a.loaded, nil
}

// loadConfig reads the configuration again, whatever was read before.
func (a *app) loadConfig(ctx context.Context) (config.Config, error) {
	path, source := a.configPath()
	if path == "" {
		return config.Default(), nil
	}
	if err := notURL("the configuration", path); err != nil {
		return config.Config{}, err
	}
	raw, err := readBounded(ctx, path, config.MaxBytes)
	switch {
	case errors.Is(err, fs.ErrNotExist) && source == fromDefault:
		return config.Default(), nil
	case err != nil && ctx.Err() != nil:
		return config.Config{}, err
	case err != nil:
		return config.Config{}, &usageError{"the configuration: " + err.Error(), "name a file with --config or LOBSTRAIL_CONFIG; it is TOML, see \"lobstrail help config\""}
	}
	loaded, err := config.Parse(path, plainText(raw))
	if err != nil {
		return config.Config{}, &usageError{err.Error(), configHint}
	}
	if othersMayRead(path) && holdsURL(loaded) {
		loaded.Warnings = append(loaded.Warnings, "others may read this file, which holds a URL that may be a secret; \"chmod 600\" it")
	}
	return loaded, nil
}

// The sources of a value.
const (
	fromFlag        = "flag"
	fromEnvironment = "environment"
	fromFile        = "file"
	fromDefault     = "default"
)

// configPath is where the configuration is, and what says so; "" if there is no place.
func (a *app) configPath() (path, source string) {
	if a.configFile != "" {
		return a.configFile, fromFlag
	}
	if path := a.env.variable("LOBSTRAIL_CONFIG"); path != "" {
		return path, fromEnvironment
	}
	dir, err := a.env.configHome()
	if err != nil {
		return "", fromDefault // no home, no configuration
	}
	return filepath.Join(dir, "lobstrail", "config.toml"), fromDefault
}

// othersMayRead reports whether more users than its owner can read a file.
func othersMayRead(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o044 != 0 && runtime.GOOS != "windows"
}

// holdsURL reports whether a URL stands in the configuration itself that gives power to
// those who know it.
func holdsURL(c config.Config) bool {
	return slices.ContainsFunc(c.Sinks, func(sink config.Sink) bool {
		return sink.Settings.URL != "" && config.LikeSecret(sink.Settings.Type, sink.Settings.URL)
	})
}
