package watch

import (
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/report/render"
)

func TestLogHoldsNoControlCharacters(t *testing.T) {
	clean := func(text string) string { return render.Clean(strings.ReplaceAll(text, "SECRET", "[withheld]")) }
	for _, format := range LogFormats {
		var out strings.Builder
		log := NewLog(&out, format, slog.LevelInfo, clean).With("workspace", "a\x1b[2Jc\u202eme SECRET")
		log.Debug("not at this level")
		log.Warn("a\nb\x07", "error", errors.New("SECRET \x1b]0;x\x07\r\n"), "for", 1500*time.Millisecond, "run", 7)
		line := out.String()
		if strings.Count(line, "\n") != 1 || strings.ContainsAny(line, "\x1b\x07\r\u202e") || strings.Contains(line, "SECRET") {
			t.Errorf("%s: %q", format, line)
		}
		if !strings.Contains(line, "1.5s") || !strings.Contains(line, "WARN") {
			t.Errorf("%s: %q", format, line)
		}
		if format == "json" {
			var record map[string]any
			if err := json.Unmarshal([]byte(line), &record); err != nil || record["run"] != 7.0 {
				t.Errorf("%v: %v", err, record)
			}
		}
	}
}
