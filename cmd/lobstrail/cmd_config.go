package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lobstrail/lobstrail/cmd/lobstrail/config"
	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/render"
)

func (a *app) newConfigCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Check the configuration",
		Long: `Check the configuration. "lobstrail help config" describes it.

Exit codes: 0 done; 2 wrong usage.`,
		Example: `  lobstrail config check`,
		Args:    takes(0, 0, "", `"lobstrail config check" shows all values`),
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.newConfigCheckCmd())
	return cmd
}

func (a *app) newConfigCheckCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Show every value, where it comes from, and which secrets are missing",
		Long: `Check the configuration: show every value and where it comes from: a flag, an
environment variable, a line of the file, or the default. Secrets are looked for
and never printed. A missing secret is only a warning on stderr, because it may
be there when another command runs. So is a value that is allowed but unwise.

Exit codes: 0 the configuration is valid; 2 it is not, or wrong usage.`,
		Example: `  lobstrail config check
  lobstrail config check --config new.toml --quiet && mv new.toml ~/.config/lobstrail/config.toml
  lobstrail config check --json | jq '.settings[] | select(.secret == "missing")'`,
		Args:              takes(0, 0, "", `--config names the file`),
		RunE:              func(cmd *cobra.Command, _ []string) error { return a.runConfigCheck(cmd) },
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	return coversWorkspaces(cmd)
}

// configJSON is what holds, for programs.
type configJSON struct {
	Path     report.Text   `json:"path"`  // null: there is no place for a file
	Found    bool          `json:"found"` // whether the file was there
	Settings []settingJSON `json:"settings"`
	Warnings []string      `json:"warnings"`
}

// settingJSON is one value that holds. A value that may be a secret is described instead.
type settingJSON struct {
	Key   string      `json:"key"`
	Value report.Text `json:"value"` // null: none
	From  string      `json:"from"`  // flag, environment, file or default
	Name  report.Text `json:"name"`  // of the flag or variable; null for a file and the default
	Line  *int        `json:"line"`  // of the file; null elsewhere
	// Secret is found or missing where the value says where a secret is; else null.
	Secret  report.Text `json:"secret"`
	Problem report.Text `json:"problem"` // why it is missing; else null
}

// The states of secrets.
const (
	secretFound   = "found"
	secretMissing = "missing"
)

func (a *app) runConfigCheck(cmd *cobra.Command) error {
	ctx := cmd.Context()
	c, err := a.config(ctx)
	if err != nil {
		return err
	}
	path, _ := a.configPath()
	answer := configJSON{Path: report.Text(path), Found: c.Path != "", Warnings: append([]string{}, c.Warnings...)}
	answer.Settings = slices.Concat(a.surroundings(cmd), a.singleKey(ctx, c), a.configured(ctx, c))
	for _, warning := range a.secretWarnings(c, answer.Settings) {
		a.note("warning: %s", warning)
		answer.Warnings = append(answer.Warnings, warning)
	}
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	return a.report(false, func() error { return a.printConfig(answer) })
}

// surroundings are the values that come from flags and variables.
func (a *app) surroundings(cmd *cobra.Command) []settingJSON {
	origin := func(key, value, flag, variable string) settingJSON {
		s := settingJSON{Key: key, Value: report.Text(value), From: fromDefault}
		switch {
		case flag != "" && cmd.Flags().Changed(flag):
			s.From, s.Name = fromFlag, report.Text("--"+flag)
		case a.env.variable(variable) != "":
			s.From, s.Name = fromEnvironment, report.Text(variable)
		}
		return s
	}
	path, _ := a.configPath()
	return []settingJSON{
		origin("config", path, "config", "LOBSTRAIL_CONFIG"), a.storeOrigin(origin),
		origin("workspace", a.workspace, "workspace", "LOBSTRAIL_WORKSPACE"),
		origin("api_base", originOf(a.env.variable("LOBSTR_API_BASE")), "", "LOBSTR_API_BASE"),
	}
}

// storeOrigin is where the store is, without a password.
func (a *app) storeOrigin(origin func(key, value, flag, variable string) settingJSON) settingJSON {
	flag := "db"
	if a.dbFile != "" {
		flag = "db-file"
	}
	return origin("db", a.storeName(), flag, "LOBSTRAIL_DB")
}

// singleKey says where the API key is, if the workspace has none in the configuration.
func (a *app) singleKey(ctx context.Context, c config.Config) []settingJSON {
	own, configured := c.Workspaces[a.workspace]
	if own.Token != (config.Reference{}) || len(c.Workspaces) > 0 && !configured {
		return nil
	}
	s := settingJSON{Key: "api_key", From: fromDefault, Secret: secretFound}
	_, place, err := a.findSingleToken(ctx)
	switch {
	case err != nil:
		s.Secret, s.Problem = secretMissing, report.Text(err.Error())
	case place == a.vendorPath():
		s.Value, s.From = report.Text(place), fromFile
	default:
		s.From, s.Name = fromEnvironment, report.Text(place)
	}
	return []settingJSON{s}
}

// originOf is the origin of a URL, which may have a password elsewhere; "" if it is none.
func originOf(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// configured are the values of the file, and its defaults.
func (a *app) configured(ctx context.Context, c config.Config) (settings []settingJSON) {
	for _, s := range c.Settings {
		row := settingJSON{Key: s.Key, Value: report.Text(s.Value), From: fromDefault}
		if s.Line > 0 {
			row.From, row.Line = fromFile, &s.Line
		}
		if r, ok := s.Reference(); ok {
			row.Secret = secretFound
			if problem := a.lookForSecret(ctx, c, r, strings.Contains(s.Key, ".url_")); problem != "" {
				row.Secret, row.Problem = secretMissing, report.Text(problem)
			}
		}
		settings = append(settings, row)
	}
	return settings
}

// lookForSecret returns why a secret cannot be used; "" if it can. A pipe is not read:
// whoever reads it next would get nothing.
func (a *app) lookForSecret(ctx context.Context, c config.Config, r config.Reference, isURL bool) string {
	if r.File != "" {
		if info, err := os.Stat(a.secretFile(c, r)); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
			return ""
		}
	}
	value, err := a.secret(ctx, c, r)
	if err != nil {
		return err.Error()
	}
	if problem := config.CheckURL(value); isURL && problem != "" {
		return a.placeOf(c, r) + ": " + problem
	}
	return ""
}

// secretWarnings are those about secrets that are missing, and about their files.
func (a *app) secretWarnings(c config.Config, settings []settingJSON) (warnings []string) {
	for _, s := range settings {
		if s.Problem != "" {
			warnings = append(warnings, fmt.Sprintf("%s: %s", s.Key, s.Problem))
		}
	}
	for _, s := range c.Settings {
		if r, ok := s.Reference(); ok && r.File != "" && othersMayRead(a.secretFile(c, r)) {
			warnings = append(warnings, fmt.Sprintf("%s: others may read %s; \"chmod 600\" it", s.Key, a.secretFile(c, r)))
		}
	}
	if _, ok := c.Workspaces[a.workspace]; !ok && len(c.Workspaces) > 0 && a.workspace != config.DefaultWorkspace && a.workspace != allWorkspaces {
		warnings = append(warnings, fmt.Sprintf("workspace %q is not configured: it has no key", a.workspace))
	}
	return warnings
}

var configColumns = []render.Column{
	{Title: "Setting", Key: "key", Flexible: 1}, {Title: "Value", Key: "value", Flexible: 2}, {Title: "From"},
	{Key: "from"}, {Key: "name"}, {Key: "line"}, {Title: "Secret", Key: "secret"}, {Key: "problem"},
}

func (a *app) printConfig(answer configJSON) error {
	if render.Format(a.format) == render.JSON {
		return render.Object(a.env.stdout, a.options(), answer)
	}
	out := a.list(configColumns...)
	for _, s := range answer.Settings {
		origin, line := s.From, ""
		switch {
		case s.Line != nil:
			line = strconv.Itoa(*s.Line)
			origin = "line " + line
		case s.From == fromEnvironment:
			origin = "$" + string(s.Name)
		case s.Name != "":
			origin = string(s.Name)
		}
		err := out.Row(s, render.TextCell(s.Key), render.TextCell(string(s.Value)), render.TextCell(origin), render.TextCell(s.From),
			render.TextCell(string(s.Name)), render.TextCell(line), render.TextCell(string(s.Secret)), render.TextCell(string(s.Problem)))
		if err != nil {
			return err
		}
	}
	footer := render.Count(len(answer.Warnings), "warning") + "."
	if !answer.Found {
		footer = "There is no file: these are the defaults. " + footer
	}
	return out.Close(footer)
}
