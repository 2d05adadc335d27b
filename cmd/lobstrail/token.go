package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lobstrail/lobstrail/cmd/lobstrail/config"
	"github.com/lobstrail/lobstrail/fetcher"
)

const maxTokenBytes = 4 << 10

// token finds the API key of the workspace: in the file given; else where the
// configuration says, and nowhere else, for any other key may be that of another
// workspace; else, if the configuration does not have the workspace, where the key of a
// single workspace is. The error matches [fetcher.ErrNoToken] when there is none.
func (a *app) token(ctx context.Context, file string) (string, error) {
	if file != "" {
		return tokenFile(ctx, file)
	}
	c, err := a.config(ctx)
	if err != nil {
		return "", err
	}
	own := c.Workspaces[a.workspace]
	if own.Token != (config.Reference{}) {
		return a.configuredToken(ctx, c, own.Token)
	}
	if len(c.Workspaces) > 0 && a.workspace != config.DefaultWorkspace {
		return "", a.notConfigured(c)
	}
	return a.singleToken(ctx)
}

// tokenFile reads the key from the file of --token-file.
func tokenFile(ctx context.Context, file string) (string, error) {
	raw, err := readBounded(ctx, file, maxTokenBytes)
	if err != nil {
		return "", &usageError{"--token-file: " + err.Error(), "name a file that holds the API key and nothing else"}
	}
	if token := strings.TrimSpace(string(plainText(raw))); token != "" {
		return token, nil
	}
	return "", &hintedError{fmt.Errorf("%s is empty: %w", file, fetcher.ErrNoToken), "put the API key into it, and nothing else"}
}

func (a *app) configuredToken(ctx context.Context, c config.Config, r config.Reference) (string, error) {
	token, err := a.secret(ctx, c, r)
	if err != nil && ctx.Err() == nil {
		return "", &hintedError{fmt.Errorf("%w: %w", fetcher.ErrNoToken, err),
			fmt.Sprintf("put the API key there, and nothing else: %s names this place for the workspace %q", c.Path, a.workspace)}
	}
	return token, err
}

// notConfigured is wrong usage: a workspace that the configuration, which has others,
// does not have. A misspelled name never gets a key, so it never becomes a history.
func (a *app) notConfigured(c config.Config) error {
	err := unknown("workspace", a.workspace, slices.Sorted(maps.Keys(c.Workspaces)))
	return &usageError{fmt.Sprintf("%s in %s", err, c.Path), nextStep(err) + "; --token-file names the key of another one"}
}

// singleToken finds the key where it is if there is one workspace: in the environment, or
// where the vendor's tools keep it.
func (a *app) singleToken(ctx context.Context) (string, error) {
	token, _, err := a.findSingleToken(ctx)
	return token, err
}

// findSingleToken returns the key and the name of the variable or file that it is in.
func (a *app) findSingleToken(ctx context.Context) (token, place string, err error) {
	if token := strings.TrimSpace(a.env.getenv("LOBSTR_TOKEN")); token != "" {
		return token, "LOBSTR_TOKEN", nil
	}
	vendor, err := a.readVendorConfig(ctx)
	if err != nil {
		return "", "", err
	}
	if token := strings.TrimSpace(vendor.Auth.Token); token != "" {
		return token, a.vendorPath(), nil
	}
	return "", "", fetcher.ErrNoToken
}
