package report

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"image"
	"image/color/palette"
	"image/gif"
	"image/jpeg"
	"image/png"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lobstrail/lobstrail/store"
)

func TestPlatformsAreRead(t *testing.T) {
	for document, want := range map[string]Platform{
		`{"baseurl":"https://x.com/home","cookies":[{"name":"ct0","required":false},{"name":"b"},{"name":"a","required":true},{"name":"a"},{},7]}`: {
			Host: "x.com", Cookies: []CookieJSON{{"a", true}, {"b", true}, {"ct0", false}}},
		`{"baseurl":":%","cookies":[]}`:     {Cookies: []CookieJSON{}},
		`{"baseurl":[1],"cookies":"a"}`:     {},
		`{"cookies":null}`:                  {},
		`{"baseurl":"http://[::1]:9/","a":`: {},
	} {
		want.Type = "kind"
		if diff := cmp.Diff(want, NewPlatform(store.Platform{Type: "kind", Document: json.RawMessage(document)})); diff != "" {
			t.Errorf("%s: %s", document, diff)
		}
	}
}

// TestCommandsAreOneCommand: a type that a shell would read otherwise is left out.
func TestCommandsAreOneCommand(t *testing.T) {
	const tail = " --account " + idA + " --cookies-file cookies.json"
	for kind, want := range map[string]string{
		"twitter-sync": "twitter-sync", "a.b_C9": "a.b_C9", "": "TYPE", "x; rm -rf ~": "TYPE", "$(id)": "TYPE", "--help": "TYPE", "a\nb": "TYPE", "ä": "TYPE",
	} {
		if got := ResyncCommand(kind, idA); got != "lobstr accounts sync "+want+tail {
			t.Errorf("%q: %s", kind, got)
		}
	}
}

// encoded is an image of a size in base64.
func encoded(t *testing.T, format string, side int) string {
	t.Helper()
	var b bytes.Buffer
	img := image.NewPaletted(image.Rect(0, 0, side, side), palette.WebSafe)
	var err error
	switch format {
	case "png":
		err = png.Encode(&b, img)
	case "gif":
		err = gif.Encode(&b, img, nil)
	case "jpeg":
		err = jpeg.Encode(&b, img, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

func TestIconsAreImages(t *testing.T) {
	const webp = "UklGRiQAAABXRUJQVlA4IBgAAAAwAQCdASoBAAEAAgA0JaQAA3AA/vuUAAA="
	for text, want := range map[string]string{
		encoded(t, "png", 36): "image/png", encoded(t, "gif", 36): "image/gif", encoded(t, "jpeg", 36): "image/jpeg", webp: "image/webp",
		"data:image/svg+xml;base64," + encoded(t, "png", 5): "image/png", // it is what it is, not what it says
		" " + encoded(t, "png", 7) + "\n":                   "image/png",
		encoded(t, "png", 600):                              "", "": "", "data:": "", "no base64!": "",
		base64.StdEncoding.EncodeToString([]byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`)): "",
		base64.StdEncoding.EncodeToString([]byte("\x89PNG\r\n\x1a\n and no more")):                                           "",
		base64.StdEncoding.EncodeToString(make([]byte, 40<<10)):                                                              "",
	} {
		got := ParseIcon(text)
		if got == nil && want != "" || got != nil && got.Type != want {
			t.Errorf("%.40q: %+v, want %s", text, got, want)
		}
		if got != nil && ParseIcon(got.URI()) == nil {
			t.Errorf("%.40q: its URI is no image", text)
		}
	}
}

// FuzzParseIcon: what is taken for an image is one, and small.
func FuzzParseIcon(f *testing.F) {
	f.Add("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk")
	f.Add("data:image/png;base64,R0lGODlhAQABAAAAACw=")
	f.Fuzz(func(t *testing.T, text string) {
		icon := ParseIcon(text)
		if icon == nil {
			return
		}
		config, format, err := image.DecodeConfig(bytes.NewReader(icon.Bytes))
		if err != nil || "image/"+format != icon.Type || max(config.Width, config.Height) > 512 || len(icon.Bytes) > 32<<10 {
			t.Errorf("%s: %+v %s %v", icon.Type, config, format, err)
		}
	})
}
