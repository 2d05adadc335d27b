package fetcher

import (
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// budget is the header of an answer that was given now.
func budget(left int, resetIn time.Duration) http.Header {
	now := time.Now()
	return http.Header{
		"Date":                  {now.UTC().Format(http.TimeFormat)},
		"X-Ratelimit-Remaining": {fmt.Sprint(left)},
		"X-Ratelimit-Reset":     {fmt.Sprint(now.Add(resetIn).Unix())},
	}
}

// take acquires a ticket that must be had at once.
func take(t *testing.T, p *pacer) ticket {
	t.Helper()
	leave, wait, _ := p.try(time.Now())
	if leave == nil {
		t.Fatalf("must wait %+v", wait)
	}
	return *leave
}

func TestALateAnswerAboutAWindowThatIsOverTeachesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer(time.Minute, time.Now, slog.New(slog.DiscardHandler))
		p.answered(take(t, p), 200, budget(10, 2*time.Second))
		late, early := take(t, p), take(t, p)
		old := budget(1, 2*time.Second)
		time.Sleep(2 * time.Second)
		p.answered(early, 200, budget(50, time.Minute))
		p.answered(late, 200, old)
		if p.window.left != 50 {
			t.Errorf("%d left, want 50", p.window.left)
		}
	})
}

func TestANewerAnswerIsBelievedAlsoWhenItsResetIsEarlier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer(time.Minute, time.Now, slog.New(slog.DiscardHandler))
		p.answered(take(t, p), 200, budget(10, 300*24*time.Hour))
		p.answered(take(t, p), 200, budget(5, 30*time.Second))
		if p.window.left != 5 || time.Until(p.window.ends) != 31*time.Second {
			t.Errorf("%+v", p.window)
		}
	})
}

func TestOfOneWindowTheLeastAndTheEarliestCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer(time.Minute, time.Now, slog.New(slog.DiscardHandler))
		p.answered(take(t, p), 200, budget(10, 30*time.Second))
		end := time.Now().Add(31 * time.Second)
		first, second := take(t, p), take(t, p)
		// Date still tells the second before: the end seems to be later than it is.
		time.Sleep(900 * time.Millisecond)
		p.answered(second, 200, budget(8, 30*time.Second-900*time.Millisecond))
		p.answered(first, 200, budget(9, 30*time.Second-900*time.Millisecond))
		if p.window.left != 8 || !p.window.ends.Equal(end) {
			t.Errorf("%d left, ends %s, want %s", p.window.left, p.window.ends, end)
		}
		// Half a second later Date has moved on, and puts the end earlier.
		third := take(t, p)
		h := budget(7, 30*time.Second-900*time.Millisecond)
		h.Set("Date", time.Now().Add(2*time.Second).UTC().Format(http.TimeFormat))
		p.answered(third, 200, h)
		if !p.window.ends.Before(end) {
			t.Errorf("ends %s, want before %s", p.window.ends, end)
		}
	})
}

func TestAfterARefusalTheServerAloneSaysHowLongToWait(t *testing.T) {
	slow := reply{code: 429, header: map[string]string{"Retry-After": "1"}}
	inBubble(t, script(slow, slow, slow, slow, ok(fixture(t, "account-detail.json"))), Config{}, func(t *testing.T, c *Client) {
		start := time.Now()
		got, err := c.Account(t.Context(), detailID)
		if took := time.Since(start); err != nil || got.Requests != 5 || took != 4*time.Second {
			t.Errorf("took %s, %d requests, %v", took, got.Requests, err)
		}
	})
}
