package render

import (
	"bufio"
	"io"
)

// List writes a title and a line for each pair below it: aligned in tables, a list
// in Markdown, as chats and issues show it. It is for people; other formats are
// written as tables are. Pairs without a title are left out.
func List(out io.Writer, options Options, title string, pairs ...Pair) error {
	options, err := options.checked()
	if err != nil {
		return err
	}
	buffered := bufio.NewWriter(out)
	if options.Format != Markdown {
		writeParagraph(buffered, title, options.Width) // the error of a bufio.Writer stays
		writePairs(buffered, options, pairs)
		return buffered.Flush()
	}
	writeMarkdownParagraph(buffered, title)
	buffered.WriteByte('\n')
	for _, pair := range pairs {
		if pair.Title != "" {
			buffered.WriteString("- **" + markdownText(pair.Title) + "**: " + markdownText(pair.Value.forPeople(options.Zone)) + "\n")
		}
	}
	return buffered.Flush()
}
