package notify

import (
	"net/http"
	"testing"
	"time"
)

func TestBackoffDoublesUpToAnHour(t *testing.T) {
	for attempts, want := range map[int]time.Duration{
		1: time.Minute, 2: 2 * time.Minute, 3: 4 * time.Minute, 6: 32 * time.Minute, 7: time.Hour, 8: time.Hour, 1 << 30: time.Hour,
	} {
		for _, jitter := range []float64{0, 0.5, 1} {
			got := backoff(attempts, jitter)
			if spread := (got - want).Abs(); spread != time.Duration(jitter*float64(want)/10) || got > time.Hour || got < time.Minute {
				t.Errorf("after %d attempts with jitter %g: %v, want %v and a tenth at most", attempts, jitter, got, want)
			}
		}
	}
}

func TestRetryAfterIsSecondsOrADate(t *testing.T) {
	now := time.Date(2026, 11, 27, 8, 15, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"30":                          30 * time.Second,
		" 0 ":                         0,
		"86400":                       maxRetryAfter,
		"999999999999999999999999999": maxRetryAfter,
		now.Add(2 * time.Minute).Format(http.TimeFormat):  2 * time.Minute,
		now.Add(-2 * time.Minute).Format(http.TimeFormat): 0,
		now.AddDate(1, 0, 0).Format(http.TimeFormat):      maxRetryAfter,
	} {
		if got, ok := retryAfter(value, now); !ok || got != want {
			t.Errorf("%q: %v, %v, want %v", value, got, ok, want)
		}
	}
	for _, value := range []string{"", "-1", "1.5", "soon"} {
		if got, ok := retryAfter(value, now); ok {
			t.Errorf("%q: %v", value, got)
		}
	}
}
