package store

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// unpackUse reads the columns of a use from one text.
func unpackUse(account Name, pointer, packed string) (Use, error) {
	seen, rest, _ := strings.Cut(packed, "\x1f")
	limit, body, _ := strings.Cut(rest, "\x1f")
	use := Use{Account: account.ID, Username: account.Name, Limit: pointer[len("/params/user/"):]}
	if strings.ContainsRune(use.Limit, '~') {
		use.Limit = unescapePointer(use.Limit)
	}
	if limit != "" {
		use.Max = json.RawMessage(limit)
	}
	ms, err := strconv.ParseInt(seen, 10, 64)
	if err != nil {
		return Use{}, damagedRow("usage of account "+account.ID, err)
	}
	use.SeenAt = time.UnixMilli(ms).UTC()
	members, err := membersOf(body)
	if err != nil {
		return Use{}, damagedRow("usage of account "+account.ID, err)
	}
	if use.Value = members.value; use.Value == nil || string(use.Value) == "null" {
		use.Value = members.current
	}
	use.ResetsAt = unixTime(members.timestamp)
	return use, nil
}

// counterMembers are those that say something of a limit; nil where they are
// missing.
type counterMembers struct{ value, current, timestamp json.RawMessage }

// membersOf reads the body of a usage row.
func membersOf(body string) (m counterMembers, err error) {
	if m, plain := plainMembers(body); plain {
		return m, nil
	}
	var members map[string]json.RawMessage
	err = json.Unmarshal([]byte(body), &members)
	return counterMembers{members["value"], members["current"], members["timestamp"]}, err
}

// plainMembers reads bodies as almost all of them are, numbers and nulls without
// a space between, many times as fast as any parser. It reports whether the body
// is such a one.
func plainMembers(body string) (m counterMembers, plain bool) {
	rest, plain := strings.CutPrefix(body, "{")
	for plain {
		var name, value string
		if rest, plain = strings.CutPrefix(rest, `"`); !plain {
			break
		}
		if name, rest, plain = strings.Cut(rest, `":`); !plain || strings.ContainsAny(name, `"\`) {
			break
		}
		end := strings.IndexAny(rest, ",}")
		if end < 0 {
			break
		}
		if value = rest[:end]; value != "null" && !isPlainNumber(value) {
			break
		}
		switch name {
		case "value":
			m.value = json.RawMessage(value)
		case "current":
			m.current = json.RawMessage(value)
		case "timestamp":
			m.timestamp = json.RawMessage(value)
		}
		if rest[end] == '}' {
			return m, rest[end:] == "}"
		}
		rest = rest[end+1:]
	}
	return counterMembers{}, false
}

// isPlainNumber reports whether text is an integer of a usual size.
func isPlainNumber(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return 0 < len(text) && len(text) < 19 && (text[0] != '0' || len(text) == 1)
}

// unixTime reads Unix seconds; anything else is no time, and the zero one.
func unixTime(raw json.RawMessage) time.Time {
	const latest = 1 << 37 // some time in the year 6325: beyond it, RFC 3339 ends soon
	seconds, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil || seconds <= 0 || seconds > latest {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}
