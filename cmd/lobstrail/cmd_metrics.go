package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
	"github.com/spf13/cobra"

	"github.com/lobstrail/lobstrail/report/metrics"
	"github.com/lobstrail/lobstrail/store"
)

// dashboard is a dashboard for Grafana.
//
//go:embed help/dashboard.json
var dashboard []byte

type metricsOptions struct {
	textfile  string
	names     bool
	dashboard bool
}

func (a *app) newMetricsCmd() *cobra.Command {
	var o metricsOptions
	cmd := &cobra.Command{
		Use:   "metrics",
		Short: "Print metrics for Prometheus",
		Long: `Print the state of the store in the text format of Prometheus: accounts by
type and health, squids by healthy accounts, the age of the newest complete run,
runs, requests, failures, changes, alerts, deliveries and the size of the store.
The metrics cover all workspaces of the store, or the one of --workspace.

--textfile writes them to a file for the textfile collector of node_exporter,
which is replaced atomically, with mode 0644. "lobstrail watch" serves them over
HTTP.

No names of accounts or squids are in them. --names adds metrics of single
accounts and squids with their names: the first 1000 of each workspace.

Exit codes: 0 done; 1 failed; 2 wrong usage; 10 there is no store.`,
		Example: `  lobstrail metrics
  lobstrail metrics --textfile /var/lib/prometheus/node-exporter/lobstrail.prom
  lobstrail metrics --dashboard > dashboard.json`,
		Args:              takes(0, 0, "", ""),
		RunE:              func(cmd *cobra.Command, _ []string) error { return a.runMetrics(cmd.Context(), cmd, o) },
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	flags := cmd.Flags()
	flags.StringVar(&o.textfile, "textfile", "", "write to this `FILE` instead of stdout")
	flags.BoolVar(&o.names, "names", false, "also print metrics of single accounts and squids, with their names")
	flags.BoolVar(&o.dashboard, "dashboard", false, "print a dashboard for Grafana instead (JSON, to import)")
	cmd.MarkFlagsMutuallyExclusive("dashboard", "textfile")
	cmd.MarkFlagsMutuallyExclusive("dashboard", "names")
	return coversWorkspaces(cmd)
}

func (a *app) runMetrics(ctx context.Context, cmd *cobra.Command, o metricsOptions) error {
	if a.formatGiven {
		return usage("metrics have a format of their own\n\"lobstrail status --json\" and \"lobstrail check --json\" have the numbers for scripts")
	}
	if o.dashboard {
		_, err := a.env.stdout.Write(dashboard)
		return err
	}
	if err := notURL("the file", o.textfile); err != nil {
		return err
	}
	options := metrics.Options{Now: a.env.now, Names: o.names, Version: versionName()}
	named := cmd.Flags().Changed("workspace") || a.env.variable("LOBSTRAIL_WORKSPACE") != ""
	if named && a.workspace != allWorkspaces {
		options.Workspaces = []string{a.workspace}
	}
	return a.readingAll(ctx, func(s store.Store) error {
		gatherer := metrics.New(ctx, s, options)
		if o.textfile != "" {
			if err := writeTextfile(o.textfile, gatherer); err != nil {
				return err
			}
		} else if err := a.printMetrics(gatherer); err != nil {
			return err
		}
		if options.Workspaces == nil {
			return nil
		}
		return a.noteUnknownWorkspace(ctx, s)
	})
}

func writeTextfile(file string, from prometheus.Gatherer) error {
	write := prometheus.WriteToTextfile
	if isDevice(file) {
		write = func(file string, from prometheus.Gatherer) error {
			text, err := metricsText(from)
			if err != nil {
				return err
			}
			return writeToDevice(file, text)
		}
	}
	if err := write(file, from); err != nil {
		hint := ""
		if slices.ContainsFunc([]error{fs.ErrNotExist, fs.ErrPermission}, func(target error) bool { return errors.Is(err, target) }) {
			hint = "nothing was written; name a file in a folder that you may write to"
		}
		return &hintedError{fmt.Errorf("write %s: %w", filepath.Base(file), err), hint}
	}
	return nil
}

func (a *app) printMetrics(from prometheus.Gatherer) error {
	text, err := metricsText(from)
	if err != nil {
		return err
	}
	_, err = a.env.stdout.Write(text)
	return err
}

func metricsText(from prometheus.Gatherer) ([]byte, error) {
	families, err := from.Gather()
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(&text, family); err != nil {
			return nil, err
		}
	}
	return text.Bytes(), nil
}
