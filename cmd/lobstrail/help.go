package main

import (
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"
)

//go:embed help/*.md
var topicFiles embed.FS

// topic is a page of reference, shown by "lobstrail help NAME".
type topic struct {
	name  string
	title string // the heading of the page
	text  string // Markdown
}

// topics lists all pages, by name. They are read once, since each command line asks for
// them several times.
var topics = sync.OnceValue(readTopics)

func readTopics() (all []topic) {
	files, err := topicFiles.ReadDir("help")
	must(err)
	for _, f := range files {
		raw, err := topicFiles.ReadFile(path.Join("help", f.Name()))
		must(err)
		heading, _, _ := strings.Cut(string(raw), "\n")
		all = append(all, topic{strings.TrimSuffix(f.Name(), ".md"), strings.TrimPrefix(heading, "# "), string(raw)})
	}
	return all
}

// findTopic returns the topic of that name; the zero topic if there is none.
func findTopic(name string) topic {
	all := topics()
	if i := slices.IndexFunc(all, func(t topic) bool { return t.name == strings.ToLower(name) }); i >= 0 {
		return all[i]
	}
	return topic{}
}

// isAbout reports whether a word in lower case begins the name of the topic, or is one of
// its section headings.
func (t topic) isAbout(word string) bool {
	return strings.HasPrefix(t.name, word) || strings.Contains(strings.ToLower(t.text), "\n## "+word+"\n")
}

// The groups of commands in the help of the root.
var commandGroups = []struct {
	group    cobra.Group
	commands []string
}{
	{cobra.Group{ID: "look", Title: "Look at the history:"}, []string{"status", "accounts", "show", "changes", "diff", "squids", "report", "sql", "runs"}},
	{cobra.Group{ID: "told", Title: "Get alerts, monitor:"}, []string{"alerts", "check", "metrics", "impact", "watch"}},
	{cobra.Group{ID: "take", Title: "Take snapshots:"}, []string{"snapshot", "import", "demo"}},
	{cobra.Group{ID: "prove", Title: "Prove that it is unchanged:"}, []string{"verify", "key", "checkpoint", "prove", "verify-proof"}},
	{cobra.Group{ID: "keep", Title: "Keep the store:"}, []string{"backup", "copy", "export", "prune", "redact"}},
	{cobra.Group{ID: "about", Title: "About lobstrail:"}, []string{"config", "version", "completion", "help"}},
}

// addHelp groups the commands, and adds the topics to their help.
func (a *app) addHelp(root *cobra.Command) {
	root.SetHelpCommand(a.newHelpCmd())
	root.SetHelpCommandGroupID("about")
	root.SetCompletionCommandGroupID("about")
	for _, g := range commandGroups {
		root.AddGroup(&g.group)
		for _, cmd := range root.Commands() {
			if slices.Contains(g.commands, cmd.Name()) {
				cmd.GroupID = g.group.ID
			}
		}
	}
	root.InitDefaultHelpCmd()
	for _, cmd := range root.Commands() {
		if findTopic(cmd.Name()).name != "" {
			annotate(cmd, "topic", cmd.Name())
		}
	}
	var list strings.Builder
	for _, t := range topics() {
		fmt.Fprintf(&list, "\n  %-12s %s", t.name, t.title)
	}
	usage := root.UsageTemplate()
	if width := a.env.width(); width > 0 {
		usage = strings.ReplaceAll(usage, "FlagUsages", fmt.Sprintf("FlagUsagesWrapped %d", width))
	}
	root.SetUsageTemplate(usage +
		"{{if not .HasParent}}\nTopics:" + list.String() + "\n\nUse \"lobstrail help TOPIC\" to read one.\n{{end}}" +
		"{{with index .Annotations \"topic\"}}\nUse \"lobstrail help {{.}}\" for the reference.\n{{end}}")
}

func (a *app) newHelpCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND|TOPIC]",
		Short: "Show the help of a command, or a topic of the reference",
		Example: `  lobstrail help snapshot
  lobstrail help exit-codes
  lobstrail help sql > sql.md`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.paged(func() error { return a.runHelp(cmd.Root(), args) })
		},
		ValidArgsFunction: completeHelp,
	}
}

// runHelp shows the help of the command that the arguments name, and the topic.
func (a *app) runHelp(root *cobra.Command, args []string) error {
	cmd, rest, err := root.Find(args)
	known := err == nil && len(rest) == 0
	var page topic
	if len(args) == 1 {
		page = findTopic(args[0])
	}
	if !known && page.name == "" {
		return unknownHelp(root, args)
	}
	if known {
		cmd.InitDefaultHelpFlag()
		cmd.SetOut(a.env.stdout) // perhaps a pager
		if err := cmd.Help(); err != nil {
			return err
		}
	}
	if page.name == "" {
		return nil
	}
	if known {
		fmt.Fprintln(a.env.stdout)
	}
	return a.printTopic(page)
}

// unknownHelp is wrong usage, and proposes what may have been meant.
func unknownHelp(root *cobra.Command, args []string) error {
	word := strings.Join(args, " ")
	hint := `"lobstrail help" lists the commands and topics`
	similar := root.SuggestionsFor(word)
	for _, t := range topics() {
		if t.isAbout(strings.ToLower(word)) && !slices.Contains(similar, t.name) {
			similar = append(similar, t.name)
		}
	}
	if len(similar) > 0 {
		hint = didYouMean(similar)
	}
	return &usageError{fmt.Sprintf("no command or topic %q", word), hint}
}

func completeHelp(cmd *cobra.Command, args []string, prefix string) (found []cobra.Completion, _ cobra.ShellCompDirective) {
	within, _, err := cmd.Root().Find(args)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	for _, sub := range within.Commands() {
		if (sub.IsAvailableCommand() || sub == cmd) && strings.HasPrefix(sub.Name(), prefix) {
			found = append(found, cobra.CompletionWithDesc(sub.Name(), sub.Short))
		}
	}
	for _, t := range topics() {
		named := slices.ContainsFunc(found, func(c cobra.Completion) bool { return strings.HasPrefix(c, t.name+"\t") })
		if len(args) == 0 && strings.HasPrefix(t.name, prefix) && !named {
			found = append(found, cobra.CompletionWithDesc(t.name, t.title))
		}
	}
	return found, cobra.ShellCompDirectiveNoFileComp
}

// printTopic writes a page: laid out for a terminal, else the Markdown.
func (a *app) printTopic(t topic) error {
	text := t.text
	if width := a.env.width(); width > 0 {
		text = layMarkdown(text, min(width, maxTextWidth), a.env.stdoutWidth > 0 && !a.noColor)
	}
	_, err := fmt.Fprint(a.env.stdout, text)
	return err
}
