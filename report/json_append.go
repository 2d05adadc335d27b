package report

import (
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// The functions below write rows of long answers: the JSON that an encoder makes of
// the row's type, in a tenth of the time. A test holds each to its type.

// AppendAccount appends the JSON of [NewAccountJSON] to dst.
func AppendAccount(dst []byte, a *store.AccountState) []byte {
	f := &a.Facts
	dst = appendText(append(dst, `{"id":`...), a.ID)
	dst = appendTextOrNull(append(dst, `,"username":`...), f.Username)
	dst = appendTextOrNull(append(dst, `,"type":`...), f.Type)
	dst = appendText(append(dst, `,"workspace":`...), a.Workspace)
	dst = appendText(append(dst, `,"health":`...), string(f.Health))
	dst = appendTextOrNull(append(dst, `,"status":`...), f.Status)
	dst = appendTextOrNull(append(dst, `,"status_code_info":`...), f.Info)
	dst = appendTextOrNull(append(dst, `,"status_code_description":`...), f.Description)
	dst = appendTextOrNull(append(dst, `,"last_synchronization_time":`...), f.LastSync)
	dst = append(dst, `,"squids":[`...)
	for i, squid := range f.Squids {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendText(append(dst, `{"id":`...), squid.ID)
		dst = append(appendTextOrNull(append(dst, `,"name":`...), squid.Name), '}')
	}
	dst = appendWindow(append(dst, `],"health_since":`...), a.HealthSince)
	dst = appendTime(append(dst, `,"seen_at":`...), a.SeenAt)
	return append(appendTime(append(dst, `,"unlisted_since":`...), a.UnlistedSince), '}')
}

// AppendSquid appends the JSON of [NewSquidJSON] to dst.
func AppendSquid(dst []byte, squid *SquidJSON) []byte {
	dst = appendText(append(dst, `{"id":`...), squid.ID)
	dst = appendTextOrNull(append(dst, `,"name":`...), string(squid.Name))
	dst = append(dst, `,"accounts":[`...)
	for i, account := range squid.Accounts {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendText(append(dst, `{"id":`...), account.ID)
		dst = appendTextOrNull(append(dst, `,"username":`...), string(account.Username))
		dst = append(appendText(append(dst, `,"health":`...), string(account.Health)), '}')
	}
	return append(dst, `]}`...)
}

// AppendAssignment appends the JSON of [NewAssignmentJSON] to dst.
func AppendAssignment(dst []byte, a *store.Assignment) []byte {
	dst = appendText(append(dst, `{"squid":`...), a.Squid)
	dst = appendTextOrNull(append(dst, `,"squid_name":`...), a.SquidName)
	dst = appendText(append(dst, `,"account":`...), a.Account)
	dst = appendTextOrNull(append(dst, `,"username":`...), a.Username)
	dst = appendWindow(append(dst, `,"from":`...), a.From)
	dst = append(dst, `,"to":`...)
	if a.To == nil {
		return append(dst, `null}`...)
	}
	return append(appendWindow(dst, *a.To), '}')
}

func appendWindow(dst []byte, w store.Window) []byte {
	dst = appendTime(append(dst, `{"after":`...), w.After)
	return append(appendTime(append(dst, `,"before":`...), w.Before), '}')
}

// appendTextOrNull appends what [Text] is in JSON.
func appendTextOrNull(dst []byte, text string) []byte {
	if text == "" {
		return append(dst, `null`...)
	}
	return appendText(dst, text)
}

// appendTime appends what [Time] is in JSON.
func appendTime(dst []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(dst, `null`...)
	}
	t = t.UTC()
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return append(t.AppendFormat(append(dst, '"'), timeLayout), '"')
	}
	hour, minute, second := t.Clock()
	dst = appendDigits(append(dst, '"'), year, 4)
	dst = appendDigits(append(dst, '-'), int(month), 2)
	dst = appendDigits(append(dst, '-'), day, 2)
	dst = appendDigits(append(dst, 'T'), hour, 2)
	dst = appendDigits(append(dst, ':'), minute, 2)
	dst = appendDigits(append(dst, ':'), second, 2)
	dst = appendDigits(append(dst, '.'), t.Nanosecond()/1e6, 3)
	return append(dst, `Z"`...)
}

// appendDigits appends a number of so many digits at most, with leading zeros.
func appendDigits(dst []byte, n, digits int) []byte {
	at := len(dst) + digits
	dst = append(dst, "0000"[:digits]...)
	for ; n > 0; n /= 10 {
		at--
		dst[at] += byte(n % 10)
	}
	return dst
}
