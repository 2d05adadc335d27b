package lobstrtest

import (
	"strconv"
	"strings"
	"time"
)

// health is the first rule that fits an account object at t; nil is "gone".
func health(fields object, t time.Time) string {
	if fields == nil {
		return "gone"
	}
	status, isNumber := statusNumber(fields)
	info, _ := fields.get("status_code_info")
	keyword, _ := unquote(info)
	switch {
	case isNumber && (status == 401 || status == 429), keyword == "cookies_expired":
		return "expired"
	case !isNumber && keyword == "synchronized":
		return "healthy"
	case !isNumber, status >= 100 && status < 200: // nobody says, or a synchronisation is under way
		return "unknown"
	case status != 200:
		return "failing"
	case isLocked(fields, t):
		return "locked"
	}
	return "healthy"
}

func statusNumber(fields object) (n float64, ok bool) {
	raw, _ := fields.get("status")
	if text, isText := unquote(raw); isText {
		raw = strings.TrimSpace(text)
	}
	n, err := strconv.ParseFloat(raw, 64)
	return n, err == nil
}

func isLocked(fields object, t time.Time) bool {
	if _, live := lockedUntil(fields, t); live {
		return true
	}
	raw, _ := fields.get("resets_in")
	left, err := strconv.ParseFloat(raw, 64)
	return err == nil && left > 0
}
