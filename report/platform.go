package report

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"

	"github.com/lobstrail/lobstrail/store"
)

// Platform is what the accounts of one type log in to.
type Platform struct {
	Type Text
	Host Text // of the base URL: "x.com"
	// Cookies are those that a synchronisation needs, the required ones first; nil
	// when the API did not say, and not nil but empty for all cookies of a session.
	Cookies []CookieJSON
	Icon    *Image // nil when there is none that is an image
}

// CookieJSON is a cookie that a synchronisation needs. Its value is never known
// here.
type CookieJSON struct {
	Name     string `json:"name"`
	Required bool   `json:"required"` // true unless the API says that it is not
}

// NewPlatform reads what the document of an account says of its platform. What is
// not as documented is left out.
func NewPlatform(p store.Platform) Platform {
	platform := Platform{Type: Text(p.Type), Icon: ParseIcon(p.Icon)}
	doc, err := parseObject(p.Document)
	if err != nil {
		return platform
	}
	if n, err := doc.field("baseurl"); err == nil {
		if u, err := url.Parse(scalarText(n)); err == nil {
			platform.Host = Text(u.Hostname())
		}
	}
	if n, err := doc.field("cookies"); err == nil {
		platform.Cookies = readCookies(n)
	}
	return platform
}

// readCookies reads a list of cookies; nil for anything else.
func readCookies(n *node) []CookieJSON {
	if n == nil || n.kind != kindArray {
		return nil
	}
	cookies := make([]CookieJSON, 0, len(n.elems))
	for _, entry := range n.elems {
		if name := scalarText(entry.member("name")); name != "" {
			required := entry.member("required")
			cookies = append(cookies, CookieJSON{Name: name, Required: required == nil || required.text != "false"})
		}
	}
	slices.SortStableFunc(cookies, func(a, b CookieJSON) int {
		if a.Required != b.Required {
			return map[bool]int{true: -1, false: 1}[a.Required]
		}
		return cmp.Compare(a.Name, b.Name)
	})
	return slices.Compact(cookies)
}

// plainWord is what a shell takes as one word that is no option.
var plainWord = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

// ResyncCommand is the vendor's command that gives an account of a type new cookies
// (lobstrio-cli, `lobstr accounts sync --help`). It reads them from a file: its other
// form takes their values as arguments, which every process list shows. A type that a
// shell would not take as a word is left to the reader, as TYPE.
func ResyncCommand(accountType, id string) string {
	if !plainWord.MatchString(accountType) {
		accountType = "TYPE"
	}
	return "lobstr accounts sync " + accountType + " --account " + id + " --cookies-file cookies.json"
}

// platforms are the platforms of the input by type.
func (in Input) platforms() map[string]Platform {
	platforms := make(map[string]Platform, len(in.Platforms))
	for _, p := range in.Platforms {
		platforms[p.Type] = NewPlatform(p)
	}
	return platforms
}
