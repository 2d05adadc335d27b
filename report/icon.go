package report

import (
	"bytes"
	"encoding/base64"
	"image"
	_ "image/gif" // the formats that browsers show and that hold no markup
	_ "image/jpeg"
	_ "image/png"
	"strings"

	_ "golang.org/x/image/webp"
)

// Image is a small picture that was looked at: its bytes begin as its type says,
// and it has as many pixels as an icon may have.
type Image struct {
	Type  string // "image/png", "image/jpeg", "image/gif" or "image/webp"
	Bytes []byte
}

const (
	mostIconBytes  = 32 << 10
	mostIconPixels = 512 // on each side: a small file may unfold to gigabytes
)

// ParseIcon reads an image in base64, with or without the beginning of a data URI.
// It returns nil for what is too large, and for what is no PNG, JPEG, GIF or WebP.
// (SVG is markup that a browser runs.)
func ParseIcon(text string) *Image {
	if rest, ok := strings.CutPrefix(text, "data:"); ok {
		_, text, _ = strings.Cut(rest, ",")
	}
	text = strings.TrimRight(strings.TrimSpace(text), "=")
	if text == "" || base64.RawStdEncoding.DecodedLen(len(text)) > mostIconBytes {
		return nil
	}
	raw, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return nil
	}
	config, format, err := image.DecodeConfig(bytes.NewReader(raw))
	if err != nil || min(config.Width, config.Height) < 1 || max(config.Width, config.Height) > mostIconPixels {
		return nil
	}
	return &Image{Type: "image/" + format, Bytes: raw}
}

// URI is the image as a data URI.
func (i *Image) URI() string {
	return "data:" + i.Type + ";base64," + base64.StdEncoding.EncodeToString(i.Bytes)
}
