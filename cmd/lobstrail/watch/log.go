package watch

import (
	"io"
	"log/slog"
	"time"
)

// LogFormats are the formats of the log.
var LogFormats = []string{"text", "json"}

// NewLog returns a log in one of LogFormats. clean makes text safe to show: it comes from
// elsewhere in part.
func NewLog(w io.Writer, format string, level slog.Level, clean func(string) string) *slog.Logger {
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		return slog.Attr{Key: a.Key, Value: cleanValue(a.Value, clean)}
	}}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

func cleanValue(v slog.Value, clean func(string) string) slog.Value {
	switch v.Kind() {
	case slog.KindString:
		return slog.StringValue(clean(v.String()))
	case slog.KindTime:
		return slog.StringValue(v.Time().UTC().Format("2006-01-02T15:04:05.000Z07:00"))
	case slog.KindDuration:
		return slog.StringValue(v.Duration().Round(time.Millisecond).String())
	case slog.KindAny:
		if err, ok := v.Any().(error); ok {
			return slog.StringValue(clean(err.Error()))
		}
	}
	return v
}
