package ledger

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// noteLine is a line of a file of checkpoints that is not blank.
type noteLine struct {
	at    int    // where it begins in the file
	text  string // without its end
	whole bool   // its end was written
}

func (l noteLine) signs() bool { return strings.HasPrefix(l.text, signatureMark) }

// SplitNotes takes a file apart to which signed checkpoints were appended, one
// after the other. Line endings, blank lines, spaces at the end of a line, a byte
// order mark and a missing last line ending do not matter: editors and mail
// programs change them. The notes come out as they were signed.
//
// A write that was cut short (a full disk, a power cut) leaves the beginning of a
// checkpoint at the end of the file, or zeros. Both are as good as not written:
// written is how many bytes of the file come before them.
//
// It returns ErrInvalid if there is anything else in the file.
func SplitNotes(file []byte) (notes [][]byte, written int, err error) {
	lines, written := noteLines(file)
	if last := len(lines) - 1; last >= 0 && lines[last].signs() && !lines[last].whole && !wholeSignature(lines[last].text) {
		written, lines = lines[last].at, lines[:last]
	}
	var all [][]noteLine
	for i, line := range lines {
		if i == 0 || !line.signs() && lines[i-1].signs() {
			all = append(all, nil)
		}
		all[len(all)-1] = append(all[len(all)-1], line)
	}
	if last := len(all) - 1; last >= 0 && beginning(all[last]) {
		written, all = all[last][0].at, all[:last]
	}
	for i, note := range all {
		text := joinNote(note)
		if _, err := ReadCheckpoint(text); err != nil {
			return nil, 0, fmt.Errorf("checkpoint %d of %d: %w", i+1, len(all), err)
		}
		notes = append(notes, text)
	}
	return notes, written, nil
}

// noteLines returns the lines of a file that are not blank, and where the zeros at
// its end begin.
func noteLines(file []byte) (lines []noteLine, end int) {
	file = bytes.TrimRight(file, "\x00")
	at := 0
	for raw := range bytes.Lines(file) {
		text := strings.TrimRight(string(raw), " \t\r\n")
		if at == 0 {
			text = strings.TrimPrefix(text, "\ufeff")
		}
		if text != "" {
			lines = append(lines, noteLine{at, text, bytes.HasSuffix(raw, []byte("\n"))})
		}
		at += len(raw)
	}
	return lines, len(file)
}

// joinNote puts a signed note together: the text, an empty line, the signatures.
func joinNote(lines []noteLine) []byte {
	var note []byte
	for i, line := range lines {
		if line.signs() && (i == 0 || !lines[i-1].signs()) {
			note = append(note, '\n')
		}
		note = append(append(note, line.text...), '\n')
	}
	return note
}

// wholeSignature reports whether the last line of a file, whose end is missing,
// is all of a signature: the id of the key and the 64 bytes of Ed25519, or more.
func wholeSignature(line string) bool {
	_, text, _ := strings.Cut(strings.TrimPrefix(line, signatureMark), " ")
	signature, err := base64.StdEncoding.Strict().DecodeString(text)
	return err == nil && len(signature) >= 4+64
}

// beginning reports whether lines begin a checkpoint and end before its first
// signature. Only the last line may be cut.
func beginning(lines []noteLine) bool {
	if slices.ContainsFunc(lines, noteLine.signs) || len(lines) > 4 {
		return false
	}
	for i, line := range lines {
		ok := false
		switch i {
		case 0:
			name := line.text
			if !line.whole { // the last character may be cut too
				name = strings.ToValidUTF8(name, "")
			}
			ok = CheckName(name) == nil
		case 1:
			n, err := strconv.ParseInt(line.text, 10, 64)
			ok = err == nil && n >= 0
		case 2:
			_, err := tlog.ParseHash(line.text)
			ok = err == nil || !line.whole && len(line.text) < len(tlog.Hash{}.String())
		case 3:
			ok = !line.whole && strings.HasPrefix(signatureMark, line.text)
		}
		if !ok {
			return false
		}
	}
	return true
}
