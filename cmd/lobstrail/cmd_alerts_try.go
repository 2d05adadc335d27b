package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lobstrail/lobstrail/cmd/lobstrail/config"
	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/notify"
	"github.com/lobstrail/lobstrail/report/render"
)

func (a *app) newTestSinkCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "test SINK",
		Short: "Send a test message to a sink",
		Long: `Send one test message to a sink of the configuration, and say whether the sink
accepted it. A failed message is not tried again. No store is needed. A sink of
type ping gets the ping of a complete run.

Exit codes: 0 the sink accepted it; 1 it did not; 2 wrong usage, or the
configuration or a secret is wrong.`,
		Example: `  lobstrail alerts test ops
  lobstrail alerts test ops --config ./lobstrail.toml --json`,
		Args: takes(1, 1, "a SINK", `"lobstrail config check" lists the sinks`),
		RunE: func(cmd *cobra.Command, args []string) error { return a.runTestSink(cmd.Context(), args[0]) },
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return a.completeSinks(args), cobra.ShellCompDirectiveNoFileComp
		},
	}
}

// completeSinks proposes the sinks of the configuration.
func (a *app) completeSinks(args []string) []cobra.Completion {
	ctx, cancel := context.WithTimeout(context.Background(), completionTime)
	defer cancel()
	c, err := a.loadConfig(ctx)
	if err != nil || len(args) > 0 {
		return nil
	}
	return sinkNames(c)
}

func sinkNames(c config.Config) (names []string) {
	for _, sink := range c.Sinks {
		names = append(names, sink.Settings.Name)
	}
	return names
}

func (a *app) runTestSink(ctx context.Context, name string) error {
	c, err := a.config(ctx)
	if err != nil {
		return err
	}
	at := slices.Index(sinkNames(c), name)
	if at < 0 {
		return unknownSink(c, name)
	}
	sink, err := a.makeSink(ctx, c, c.Sinks[at])
	if err != nil {
		return &usageError{fmt.Sprintf("sink %s: %s", name, err), secretHint}
	}
	sending, cancel := context.WithTimeout(ctx, sink.Timeout())
	defer cancel()
	began := time.Now()
	err = sink.Send(sending, notify.TestBody(newMessageID(), a.workspace, name, a.env.now()))
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return a.printTest(testJSON{name, c.Sinks[at].Settings.Type, err == nil, report.Seconds(time.Since(began)), nil}, err)
}

func unknownSink(c config.Config, name string) error {
	if len(c.Sinks) == 0 {
		return &usageError{fmt.Sprintf("there is no sink %.100q: none is configured", name), `"lobstrail help sinks" says how to configure one`}
	}
	return &usageError{fmt.Sprintf("there is no sink %.100q", name), "the sinks of the configuration are: " + strings.Join(sinkNames(c), ", ")}
}

// newMessageID is the id of a message that no run is the reason of.
func newMessageID() string {
	id := make([]byte, 16)
	rand.Read(id) // it never fails
	return hex.EncodeToString(id)
}

// testJSON says how a test went.
type testJSON struct {
	Sink      string         `json:"sink"`
	Type      string         `json:"type"`
	Delivered bool           `json:"delivered"`
	Seconds   report.Seconds `json:"seconds"`
	Error     *string        `json:"error"`
}

func (a *app) printTest(j testJSON, failed error) error {
	if failed != nil {
		j.Error = known(failed.Error())
	}
	pairs := []render.Pair{
		{Title: "Sink", Key: "sink", Value: render.TextCell(j.Sink)},
		{Title: "Type", Key: "type", Value: render.TextCell(j.Type)},
		{Title: "Delivered", Key: "delivered", Value: render.TextCell(strconv.FormatBool(j.Delivered))},
		{Title: "Seconds", Key: "seconds", Value: render.DurationCell(time.Duration(j.Seconds))},
	}
	if j.Error != nil {
		pairs = append(pairs, render.Pair{Title: "Error", Key: "error", Value: render.TextCell(*j.Error)})
	}
	err := a.printOne(j, pairs, func() error {
		if failed != nil || a.quiet {
			return nil
		}
		_, err := fmt.Fprintf(a.env.stdout, "Sent a test message to the sink %s.\n", render.Clean(j.Sink))
		return err
	})
	if err != nil || failed == nil {
		return err
	}
	return &hintedError{fmt.Errorf("sink %s: %w", j.Sink, failed), testHint(j.Type)}
}

func testHint(kind string) string {
	switch kind {
	case notify.Command:
		return "the command gets JSON on standard input, and of the environment only " + strings.Join(commandEnvironment, ", ")
	case notify.Email:
		return "check server, tls, user and password, from and to of the sink"
	}
	return "check the URL of the sink, and whether this machine reaches it"
}
