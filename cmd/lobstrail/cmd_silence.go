package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

// The longest silence: one that outlasts its reason hides what should be known.
const (
	longestSilence     = 90 * 24 * time.Hour
	longestSilenceText = "90d"
	longestReason      = 500 // bytes
)

type silenceOptions struct {
	account, kind, squid string
	length, reason       string
	lockWait             time.Duration
}

func (a *app) newSilenceCmd() *cobra.Command {
	var o silenceOptions
	cmd := &cobra.Command{
		Use:   "silence",
		Short: "Send no alerts about an account, a type or a squid for a time",
		Long: `Send no alerts about one account, all accounts of one type, or one squid, for a
time. The alerts are still recorded. If an alert is still open when the silence
ends, its message is sent then. The silence of a squid also covers accounts that
only silenced squids use. "alerts", "status" and "check" take a silence into
account at once.

Exit codes: 0 done; 2 wrong usage, or no such account, type or squid; 10 there
is no store; 11 another process writes to the store.`,
		Example: `  lobstrail alerts silence --account marco.rinaldi --for 4h --reason "new phone"
  lobstrail alerts silence --type linkedin-sync --for 2d --reason "platform outage"
  lobstrail alerts silence --squid "X Mentions" --for 1w --reason "paused by the client"`,
		Args:              takes(0, 0, "", `"lobstrail alerts silence --account ARGUMENT" silences an account`),
		RunE:              func(cmd *cobra.Command, _ []string) error { return a.runSilence(cmd.Context(), o) },
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	flags := cmd.Flags()
	flags.StringVar(&o.account, "account", "", "silence this `ACCOUNT`")
	flags.StringVar(&o.kind, "type", "", "silence all accounts of this `TYPE`, such as twitter-sync")
	flags.StringVar(&o.squid, "squid", "", "silence this `SQUID`")
	flags.StringVar(&o.length, "for", "", "how long: a `SPAN` such as 4h or 2d, at most "+longestSilenceText)
	flags.StringVar(&o.reason, "reason", "", "a `TEXT` that says why")
	flags.DurationVar(&o.lockWait, "lock-wait", time.Minute, "how long to wait for another writer")
	a.completeFlag(cmd, "account", a.accountNames)
	a.completeFlag(cmd, "squid", a.squidNames)
	return cmd
}

// check returns the length of the silence. It is wrong usage if something is missing.
func (o silenceOptions) check() (time.Duration, error) {
	given := 0
	for _, about := range []string{o.account, o.kind, o.squid} {
		if about != "" {
			given++
		}
	}
	switch {
	case given != 1:
		return 0, usage("a silence needs one account, one type or one squid\ngive one of --account, --type and --squid")
	case o.length == "" || o.reason == "":
		return 0, usage("a silence needs an end and a reason\ngive --for and --reason, such as --for 4h --reason \"new phone\"")
	case len(o.reason) > longestReason:
		return 0, usage("--reason has more than %d bytes", longestReason)
	}
	length, err := parseSpan(strings.TrimSpace(o.length))
	if err != nil || length == 0 || length > longestSilence {
		return 0, usage("--for %s is not a valid length\ngive a span from 1s to %s, such as 4h, 2d or 1w", o.length, longestSilenceText)
	}
	return length, nil
}

func (a *app) runSilence(ctx context.Context, o silenceOptions) error {
	length, err := o.check()
	if err != nil {
		return err
	}
	return a.changing(ctx, o.lockWait, func(s store.Store) error {
		silence, err := a.silenceOf(ctx, s, o)
		if err != nil {
			return err
		}
		silence.From = a.env.now().UTC().Truncate(time.Millisecond)
		silence.Until = silence.From.Add(length)
		silence.ID, err = s.AddSilence(ctx, a.workspace, silence)
		if err != nil {
			return err
		}
		return a.reportSilence(ctx, s, silence, "no messages about %s until %s")
	})
}

// silenceOf finds what the silence is about.
func (a *app) silenceOf(ctx context.Context, s store.Store, o silenceOptions) (silence store.Silence, err error) {
	silence.Reason = o.reason
	if silence.Account, err = a.optionalAccount(ctx, s, o.account, time.Time{}); err != nil {
		return silence, err
	}
	if silence.Squid, err = a.optionalSquid(ctx, s, o.squid, time.Time{}); err != nil || o.kind == "" {
		return silence, err
	}
	known, err := a.accountTypes(ctx, s)
	if err != nil {
		return silence, err
	}
	types, err := knownWords("account type", []string{o.kind}, known)
	if err == nil {
		silence.Type = types[0]
	}
	return silence, err
}

// reportSilence prints a silence. The format is for what it is about, and when it ends.
func (a *app) reportSilence(ctx context.Context, s store.Store, silence store.Silence, format string) error {
	names, err := a.readSubjects(ctx, s)
	if err != nil {
		return err
	}
	j := report.NewSilenceJSON(a.workspace, silence)
	names.nameSilence(&j)
	return a.report(false, func() error {
		return a.printOne(j, silencePairs(j, names), func() error {
			text := fmt.Sprintf(format, render.Clean(names.silenced(j)), render.Time(j.Until.Time, a.env.zone))
			_, err := fmt.Fprintf(a.env.stdout, "Silence %d: %s. %s\n", j.Silence, text, a.zoneNote())
			return err
		})
	})
}

// silenced says in words what a silence is about.
func (n subjects) silenced(j report.SilenceJSON) string {
	switch {
	case j.Account != "":
		return "account " + n.account(string(j.Account))
	case j.Squid != "":
		return "squid " + n.squid(string(j.Squid))
	}
	return "type " + string(j.Type)
}

func silencePairs(j report.SilenceJSON, names subjects) (pairs []render.Pair) {
	for _, f := range silenceFields(j, names) {
		pairs = append(pairs, render.Pair{Title: f.Title, Key: f.Key, Value: f.Value})
	}
	return pairs
}

// silenceFields are the columns of the list of silences, with the values of one.
func silenceFields(j report.SilenceJSON, names subjects) []render.Column {
	return []render.Column{
		{Title: "Silence", Key: "silence", Right: true, Value: render.IntCell(j.Silence)},
		{Key: "workspace", Value: render.TextCell(j.Workspace)},
		{Title: "What", Flexible: 1, Least: 16, Value: render.TextCell(names.silenced(j))},
		{Title: "From", Key: "from", Drop: 1, Value: render.TimeCell(j.From.Time)},
		{Title: "Until", Key: "until", Value: render.TimeCell(j.Until.Time)},
		{Title: "Reason", Key: "reason", Flexible: 2, Value: render.TextCell(j.Reason)},
		{Key: "account", Value: render.TextCell(string(j.Account))},
		{Key: "username", Value: render.TextCell(string(j.Username))},
		{Key: "type", Value: render.TextCell(string(j.Type))},
		{Key: "squid", Value: render.TextCell(string(j.Squid))},
		{Key: "squid_name", Value: render.TextCell(string(j.SquidName))},
	}
}

func (a *app) newSilencesCmd() *cobra.Command {
	all := false
	cmd := &cobra.Command{
		Use:   "silences",
		Short: "List the silences that have not ended",
		Long: `List the silences that have not ended, each with its number, end and reason.

Exit codes: 0 done; 2 wrong usage; 10 there is no store.`,
		Example: `  lobstrail alerts silences
  lobstrail alerts silences --all --json`,
		Args:              takes(0, 0, "", `"lobstrail alerts silence" creates one`),
		RunE:              func(cmd *cobra.Command, _ []string) error { return a.runSilences(cmd.Context(), all) },
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	cmd.Flags().BoolVar(&all, "all", false, "also list silences that have ended")
	return cmd
}

func (a *app) runSilences(ctx context.Context, all bool) error {
	after := a.env.now()
	if all {
		after = time.Time{}
	}
	return a.readingPaged(ctx, func(s store.Store) error {
		silences, err := s.Silences(ctx, a.workspace, after)
		if err != nil {
			return err
		}
		names, err := a.readSubjects(ctx, s)
		if err != nil {
			return err
		}
		out := a.list(silenceFields(report.SilenceJSON{}, subjects{})...)
		for _, silence := range silences {
			j := report.NewSilenceJSON(a.workspace, silence)
			names.nameSilence(&j)
			if err := out.Row(j, render.Values(silenceFields(j, names))...); err != nil {
				return err
			}
		}
		if len(silences) == 0 {
			return out.Close("Nothing is silenced.")
		}
		return out.Close(render.Count(len(silences), "silence") + ". " + a.zoneNote())
	})
}

func (a *app) newUnsilenceCmd() *cobra.Command {
	var lockWait time.Duration
	cmd := &cobra.Command{
		Use:   "unsilence SILENCE",
		Short: "End a silence now",
		Long: `End a silence now. If an alert that it held back is still open, its message is
sent after the next run.

Exit codes: 0 done; 2 wrong usage, or no such silence; 10 there is no store; 11
another process writes to the store.`,
		Example:           `  lobstrail alerts unsilence 3`,
		Args:              takes(1, 1, "the number of a SILENCE", `"lobstrail alerts silences" lists them`),
		RunE:              func(cmd *cobra.Command, args []string) error { return a.runUnsilence(cmd.Context(), args[0], lockWait) },
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	cmd.Flags().DurationVar(&lockWait, "lock-wait", time.Minute, "how long to wait for another writer")
	return cmd
}

func (a *app) runUnsilence(ctx context.Context, text string, lockWait time.Duration) error {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return usage("%q is not the number of a silence\n\"lobstrail alerts silences\" lists them", text)
	}
	return a.changing(ctx, lockWait, func(s store.Store) error {
		now := a.env.now().UTC().Truncate(time.Millisecond)
		silences, err := s.Silences(ctx, a.workspace, now)
		if err != nil {
			return err
		}
		var known []string
		for _, silence := range silences {
			if silence.ID == id {
				if err := s.EndSilence(ctx, a.workspace, id, now); err != nil {
					return err
				}
				silence.Until = now
				return a.reportSilence(ctx, s, silence, "the silence of %s ended at %s")
			}
			known = append(known, strconv.FormatInt(silence.ID, 10))
		}
		return unknown("silence", text, known)
	})
}
