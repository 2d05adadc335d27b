package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pelletier/go-toml/v2"

	"github.com/lobstrail/lobstrail/cmd/lobstrail/config"
)

// vendorConfig is what the vendor's command line keeps in
// $XDG_CONFIG_HOME/lobstr/config.toml and we use too. Other keys are ignored.
type vendorConfig struct {
	Auth struct {
		Token string `toml:"token"`
	} `toml:"auth"`
	// Aliases map names, used as @name, to ids.
	Aliases map[string]string `toml:"aliases"`
}

// readVendorConfig reads the vendor's configuration. A missing file is an empty
// one.
func (a *app) readVendorConfig(ctx context.Context) (vendorConfig, error) {
	path := a.vendorPath()
	if path == "" {
		return vendorConfig{}, nil
	}
	raw, err := readBounded(ctx, path, config.MaxBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return vendorConfig{}, nil
	}
	if err != nil {
		return vendorConfig{}, err
	}
	vendor, err := parseVendorConfig(plainText(raw))
	if err != nil {
		return vendorConfig{}, fmt.Errorf("%s: %w", path, err)
	}
	return vendor, nil
}

// vendorPath is where the vendor's configuration is; "" where there is no home.
func (a *app) vendorPath() string {
	dir, err := a.env.configHome()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "lobstr", "config.toml")
}

// parseVendorConfig reads the TOML. Its errors give the place and never the text
// there, which may be the key.
func parseVendorConfig(raw []byte) (vendorConfig, error) {
	var config vendorConfig
	err := toml.Unmarshal(raw, &config)
	var wrong *toml.DecodeError
	switch {
	case errors.As(err, &wrong):
		line, column := wrong.Position()
		return vendorConfig{}, fmt.Errorf("line %d, column %d is not the expected TOML", line, column)
	case err != nil:
		return vendorConfig{}, errors.New("not the expected TOML")
	}
	return config, nil
}

// readBounded reads a file that is expected to be small. It may be a pipe or a
// terminal: who waits there can interrupt it.
func readBounded(ctx context.Context, path string, most int64) ([]byte, error) {
	return interruptibly(ctx, func() ([]byte, error) {
		f, err := os.Open(path) // of a pipe, this waits for a writer
		if err != nil {
			return nil, err
		}
		defer f.Close()
		raw, err := io.ReadAll(io.LimitReader(f, most+1))
		if err == nil && int64(len(raw)) > most {
			err = fmt.Errorf("%s: larger than %d bytes", path, most)
		}
		return raw, err
	})
}

// readInput is readBounded, and "-" is standard input.
func (a *app) readInput(ctx context.Context, path string, most int64) ([]byte, error) {
	if path != "-" {
		return readBounded(ctx, path, most)
	}
	raw, err := interruptibly(ctx, func() ([]byte, error) { return io.ReadAll(io.LimitReader(a.env.stdin, most+1)) })
	if err == nil && int64(len(raw)) > most {
		err = fmt.Errorf("standard input: larger than %d bytes", most)
	}
	return raw, err
}

// interruptibly returns what read returns, or as soon as the context is done its
// cause. Then read goes on until the process ends: nothing can stop it.
func interruptibly(ctx context.Context, read func() ([]byte, error)) ([]byte, error) {
	type result struct {
		raw []byte
		err error
	}
	done := make(chan result, 1)
	go func() {
		raw, err := read()
		done <- result{raw, err}
	}()
	select {
	case r := <-done:
		return r.raw, r.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
