package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/lobstrail/lobstrail/store/ledger"
)

const maxKeyBytes = 4 << 10

// secret is the text of a signer key.
var secret = regexp.MustCompile(regexp.QuoteMeta(ledger.SecretMark) + `\S*`)

// withoutSecrets keeps signer keys and passwords of databases out of what is shown, should
// one be given where something else belongs.
func withoutSecrets(text string) string {
	text = secret.ReplaceAllString(text, "[withheld]")
	return passwordInURL.ReplaceAllStringFunc(text, func(found string) string {
		parts := passwordInURL.FindStringSubmatch(found)
		if parts[1] != "" {
			return parts[1] + "[withheld]@"
		}
		return parts[2] + "[withheld]"
	})
}

// readSigner reads the signer key in a file. No error tells anything of it.
func (a *app) readSigner(ctx context.Context, file string) (key string, signer note.Signer, err error) {
	if strings.HasPrefix(file, ledger.SecretMark) {
		return "", nil, usage("a signer key is not to be given itself: every process list shows it\nname the file that it is in")
	}
	raw, err := readBounded(ctx, file, maxKeyBytes)
	if err != nil {
		return "", nil, &usageError{err.Error(), `"lobstrail key -o FILE" makes a key`}
	}
	key = strings.TrimSpace(string(plainText(raw)))
	if signer, err = ledger.ParseSigner(key); err != nil {
		return "", nil, usage("%s: %s\n\"lobstrail key -o FILE\" makes one", file, err)
	}
	if info, err := os.Stat(file); err == nil && info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
		a.note("warning: others may read the signer key in %s; \"chmod 600\" it", file)
	}
	return key, signer, nil
}

// signingKey reads a signer key, with the verifier that belongs to it.
func (a *app) signingKey(ctx context.Context, file string) (note.Signer, note.Verifier, error) {
	key, signer, err := a.readSigner(ctx, file)
	if err != nil {
		return nil, nil, err
	}
	line, err := ledger.VerifierKey(key)
	if err != nil {
		return nil, nil, err
	}
	own, err := note.NewVerifier(line)
	return signer, own, err
}

// verifiers are those given as lines or as files of lines; else what
// LOBSTRAIL_VERIFIER gives; else none.
func (a *app) verifiers(ctx context.Context, given []string) ([]note.Verifier, error) {
	if fallback := a.env.variable("LOBSTRAIL_VERIFIER"); len(given) == 0 && fallback != "" {
		given = []string{fallback}
	}
	var known []note.Verifier
	seen := map[string]bool{}
	for _, text := range given {
		lines, err := verifierLines(ctx, text)
		if err != nil {
			return nil, err
		}
		for _, line := range lines {
			verifier, err := note.NewVerifier(line)
			if err != nil {
				return nil, usage("%.80q is no verifier key: %s\n%s", line, err, verifierHint)
			}
			if !seen[line] {
				seen[line], known = true, append(known, verifier)
			}
		}
	}
	return known, nil
}

const verifierHint = `"lobstrail key" has printed it; "lobstrail key --public FILE" does so again`

// verifierLines are a line itself, or those of the file of that name. Blank lines
// and # comments are skipped.
func verifierLines(ctx context.Context, text string) (lines []string, err error) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, ledger.SecretMark) {
		return nil, usage("that is a signer key, which is a secret\ngive the verifier key: %s", verifierHint)
	}
	if strings.Count(text, "+") >= 2 {
		return []string{text}, nil
	}
	raw, err := readBounded(ctx, text, maxCheckpointFile)
	if err != nil {
		return nil, &usageError{"verifier: " + err.Error(), "give a verifier key, or a file of them, one a line; " + verifierHint}
	}
	if lines, err = readReferences(bytes.NewReader(plainText(raw))); err != nil {
		return nil, fmt.Errorf("%s: %w", text, err)
	}
	for _, line := range lines {
		if strings.HasPrefix(line, ledger.SecretMark) {
			return nil, usage("%s holds a signer key, which is a secret\ngive the verifier key: %s", text, verifierHint)
		}
	}
	if len(lines) == 0 {
		return nil, usage("%s holds no verifier key\n%s", text, verifierHint)
	}
	return lines, nil
}
