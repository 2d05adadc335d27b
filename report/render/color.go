package render

import "github.com/lobstrail/lobstrail/store"

// Select Graphic Rendition codes of ECMA-48: the only escape codes ever written.
const (
	sgrBold  = "\x1b[1m"
	sgrReset = "\x1b[0m"
)

var healthColors = map[store.Health]string{
	store.Healthy: "\x1b[32m", // green
	store.Expired: "\x1b[31m", // red
	store.Failing: "\x1b[31m",
	store.Gone:    "\x1b[35m", // magenta
	store.Locked:  "\x1b[33m", // yellow
	store.Unknown: "\x1b[90m", // grey
}

// colorOf is the code for a health, "" when there are no colours.
func (o Options) colorOf(h store.Health) string {
	if !o.Color {
		return ""
	}
	return healthColors[h]
}

// bold is the code for titles, "" when there are no colours.
func (o Options) bold() string {
	if !o.Color {
		return ""
	}
	return sgrBold
}

// paint wraps a text in a code, if there is one.
func paint(text, code string) string {
	if code == "" || text == "" {
		return text
	}
	return code + text + sgrReset
}
