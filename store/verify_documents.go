package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// documentCheck holds documents to the responses that first showed them, and icons
// to the documents that show them.
type documentCheck struct {
	*verifier
	tx    *txn
	icons map[[sha256.Size]byte]bool // by digest, that were looked at
	last  int64                      // the number of the last of them
	// erased says that documents are missing, and so what first showed an icon.
	erased bool
}

// checkDocuments looks at what their commitments in the log do not tell of
// documents, and at all icons.
func (v *verifier) checkDocuments(ctx context.Context, tx *txn) error {
	from, err := v.namedBefore(ctx, tx, "response")
	if err != nil {
		return err
	}
	d := documentCheck{verifier: v, tx: tx, icons: map[[sha256.Size]byte]bool{}}
	if err := tx.GetContext(ctx, &d.erased, `SELECT EXISTS (SELECT 1 FROM redacted)`); err != nil {
		return err
	}
	err = tx.each(ctx, func(scan func(...any) error) error {
		var id int64
		var body sql.RawBytes
		var there, same sql.NullBool
		if err := scan(&id, &body, &there, &same); err != nil {
			return err
		}
		v.done.Documents++ // nobody else does
		if !there.Bool {
			v.find("document", id, "is not shown by the response that it names")
		}
		if !same.Bool {
			v.find("document", id, "has another source than the response that it names")
		}
		return d.checkIconOf(ctx, id, body)
	}, `
		SELECT d.id, d.body, s.document_id IS d.id, r.source IS d.source
		FROM document d
		LEFT JOIN response r ON r.id = d.response_id
		LEFT JOIN snapshot s ON s.response_id = d.response_id AND s.account_id = d.account_id
		WHERE d.response_id > ?
		ORDER BY d.id`, from)
	if err != nil || v.options.Since.N > 0 {
		return err
	}
	return d.checkIconsAreShown(ctx)
}

// checkIconOf looks at the icon that the document shows, if it is the first to do
// so: icons are numbered in that order.
func (d *documentCheck) checkIconOf(ctx context.Context, document int64, body []byte) error {
	digest, ok := iconDigest(body)
	if !ok || d.icons[digest] {
		return nil
	}
	d.icons[digest] = true
	var icon struct {
		ID   int64  `db:"id"`
		Body string `db:"body"`
	}
	err := d.tx.GetContext(ctx, &icon, `SELECT id, body FROM icon WHERE digest = ?`, digest[:])
	if errors.Is(err, sql.ErrNoRows) {
		d.find("document", document, "shows an icon that is missing (sha256:%x)", digest)
		return nil
	}
	if err != nil {
		return err
	}
	if sha256.Sum256([]byte(icon.Body)) != digest {
		d.find("icon", icon.ID, "digest does not match the content")
	}
	if d.options.Since.N == 0 && !d.erased && icon.ID != d.last+1 {
		d.find("icon", icon.ID, "should be number %d: icons are numbered in the order in which documents first show them", d.last+1)
	}
	d.last = icon.ID
	return nil
}

// iconDigest is that of the icon that a document shows, if it shows one.
func iconDigest(body []byte) (digest [sha256.Size]byte, ok bool) {
	value := member(body, "icon")
	if value.Kind() != '"' {
		return digest, false
	}
	text, err := jsontext.AppendUnquote(nil, value)
	hexDigest, named := strings.CutPrefix(string(text), iconPrefix)
	raw, wrong := hex.DecodeString(hexDigest)
	return digest, err == nil && named && wrong == nil && copy(digest[:], raw) == len(digest)
}

func (d *documentCheck) checkIconsAreShown(ctx context.Context) error {
	return d.tx.each(ctx, func(scan func(...any) error) error {
		var id int64
		var digest []byte
		if err := scan(&id, &digest); err != nil {
			return err
		}
		var key [sha256.Size]byte
		if copy(key[:], digest); !d.icons[key] {
			d.find("icon", id, "is shown by no document")
		}
		return nil
	}, `SELECT id, digest FROM icon WHERE id NOT IN (SELECT id FROM redacted WHERE what = 'icon') ORDER BY id`)
}
