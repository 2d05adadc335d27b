package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// newManCmd writes the manual pages. It is for packages, and hidden.
func (a *app) newManCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "man DIR",
		Short:   "Write the manual pages, for a package",
		Example: "  lobstrail man /usr/local/share/man",
		Hidden:  true,
		Args:    takes(1, 1, "the DIR that the pages go to", ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			return writeManual(cmd.Root(), args[0], builtFrom())
		},
	}
}

// manWidth is how wide lines of manual pages are that man must not fill: man moves
// all text to the right by 7 columns.
const manWidth = 72

// writeManual writes the commands into section 1 below dir, and the topics into section 7.
// The same source makes the same pages.
func writeManual(root *cobra.Command, dir string, b buildJSON) error {
	date, _, _ := strings.Cut(text(b.Date), "T")
	write := func(section, name, short string, body func(*manPage)) error {
		page := &manPage{}
		page.line(".TH %q %s %q %q %q", strings.ToUpper(name), section, date, "lobstrail "+b.Version, "lobstrail")
		page.section("NAME")
		page.filled(name + ` \- ` + escapeRoff(short))
		body(page)
		folder := filepath.Join(dir, "man"+section)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(folder, name+"."+section), []byte(page.out.String()), 0o644)
	}
	for _, cmd := range manualCommands(root) {
		name := strings.ReplaceAll(cmd.CommandPath(), " ", "-")
		if err := write("1", name, cmd.Short, func(p *manPage) { p.command(cmd) }); err != nil {
			return err
		}
	}
	for _, t := range topics() {
		if err := write("7", "lobstrail-"+t.name, t.title, func(p *manPage) { p.topic(t) }); err != nil {
			return err
		}
	}
	return nil
}

// manualCommands are a command and those below it that have a page.
func manualCommands(cmd *cobra.Command) []*cobra.Command {
	if cmd.Hidden || cmd.HasParent() && cmd.Parent().Name() == "completion" { // whose page names the shells
		return nil
	}
	all := []*cobra.Command{cmd}
	for _, sub := range cmd.Commands() {
		all = append(all, manualCommands(sub)...)
	}
	return all
}

// manPage is a manual page (man(7)).
type manPage struct{ out strings.Builder }

func (p *manPage) line(format string, args ...any) { fmt.Fprintf(&p.out, format+"\n", args...) }

func (p *manPage) section(title string) { p.line(".SH %s", escapeRoff(strings.ToUpper(title))) }

// filled writes a paragraph of roff, which man wraps.
func (p *manPage) filled(roff string) { p.line(".PP\n%s", roff) }

// literal writes lines as they are.
func (p *manPage) literal(text string) {
	p.line(".PP\n.nf")
	for line := range strings.Lines(strings.Trim(text, "\n") + "\n") {
		p.out.WriteString(escapeRoff(line))
	}
	p.line(".fi")
}

// prose writes paragraphs; indented ones stay as they are.
func (p *manPage) prose(text string) {
	for part := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		if strings.HasPrefix(part, " ") {
			p.literal(part)
		} else {
			p.filled(escapeRoff(part))
		}
	}
}

func (p *manPage) command(cmd *cobra.Command) {
	cmd.InitDefaultHelpFlag()
	p.section("Synopsis")
	p.filled(`\fB` + escapeRoff(cmp.Or(cmd.UseLine(), cmd.CommandPath())) + `\fR`)
	p.section("Description")
	p.prose(cmp.Or(cmd.Long, cmd.Short+"."))
	if !cmd.HasParent() {
		p.section("Commands")
		for _, g := range commandGroups {
			list := g.group.Title
			for _, name := range g.commands {
				if sub, _, err := cmd.Find([]string{name}); err == nil {
					list += fmt.Sprintf("\n  %-14s%s", name, sub.Short)
				}
			}
			p.literal(list)
		}
	}
	if flags := cmd.LocalFlags().FlagUsagesWrapped(manWidth); flags != "" {
		p.section("Options")
		p.literal(flags)
	}
	if cmd.HasParent() {
		p.section("Global options")
		p.literal(cmd.InheritedFlags().FlagUsagesWrapped(manWidth))
	}
	if cmd.Example != "" {
		p.section("Examples")
		p.literal(cmd.Example)
	}
	p.section("See also")
	p.filled(escapeRoff(seeAlso(cmd)))
}

// seeAlso lists other pages: that of the root has all.
func seeAlso(cmd *cobra.Command) string {
	if !cmd.HasParent() {
		var pages []string
		for _, t := range topics() {
			pages = append(pages, "lobstrail-"+t.name+"(7)")
		}
		return strings.Join(pages, ", ")
	}
	if findTopic(cmd.Name()).name != "" {
		return "lobstrail(1), lobstrail-" + cmd.Name() + "(7)"
	}
	return "lobstrail(1)"
}

// topic writes the sections of a topic, laid out as on a terminal.
func (p *manPage) topic(t topic) {
	for i, part := range strings.Split("\n"+t.text, "\n## ") {
		title, body, _ := strings.Cut(part, "\n")
		if i == 0 {
			title = "Description"
			_, body, _ = strings.Cut(body, "\n") // the heading of the page
		}
		p.section(title)
		p.literal(layMarkdown(body, manWidth, false))
	}
	p.section("See also")
	p.filled("lobstrail(1)")
}

// escapeRoff keeps text from being taken for instructions.
func escapeRoff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	lines := strings.SplitAfter(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "")
}
