package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/lobstrail/lobstrail/report/alert"
)

// SignatureHeader carries the signature of a webhook's body.
const SignatureHeader = "Lobstrail-Signature"

type webhookSink struct {
	limits
	*poster
	secret string
}

func newWebhook(l limits, s Settings) (Sink, error) {
	p, err := newPoster(s)
	if err != nil {
		return nil, err
	}
	return &webhookSink{l, p, s.Secret}, nil
}

// Send posts the body as JSON. Its id is in the header Idempotency-Key too.
func (s *webhookSink) Send(ctx context.Context, body alert.Body) error {
	raw, err := marshal(body)
	if err != nil {
		return err
	}
	header := http.Header{}
	header.Set("Idempotency-Key", body.ID)
	if s.secret != "" {
		header.Set(SignatureHeader, Sign(s.secret, time.Now(), raw))
	}
	return s.post(ctx, raw, header, nil)
}

// Sign returns the value of SignatureHeader for a body that is sent at a moment:
// "t=UNIX,v1=HEX", where HEX is the HMAC-SHA256 of "UNIX.BODY".
func Sign(secret string, at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%d.%s", at.Unix(), body)
	return fmt.Sprintf("t=%d,v1=%s", at.Unix(), hex.EncodeToString(mac.Sum(nil)))
}

// marshal writes the body with its lists never null.
func marshal(body alert.Body) ([]byte, error) {
	items := make([]alert.Item, len(body.Items))
	for i, item := range body.Items {
		if item.Squids == nil {
			item.Squids = []alert.SquidItem{}
		}
		items[i] = item
	}
	body.Items = items
	return json.Marshal(body)
}
