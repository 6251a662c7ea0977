package fal

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// What fal documents of its webhooks:
// https://fal.ai/docs/documentation/model-apis/inference/webhooks
const (
	// MaxWebhook bounds the body of a webhook, in bytes. Read no more.
	MaxWebhook = maxBody
	// webhookTolerance is how old, or how early, a signature may be.
	webhookTolerance = 5 * time.Minute
)

// ErrSignature says that a webhook is not, or no longer, proven to come from
// fal. Any other error of Verify is a problem of our own: answer it with a 5xx
// and fal calls again.
var ErrSignature = errors.New("the webhook's signature is not valid")

// WebhookOK and WebhookError are the values of Webhook.Status.
const (
	WebhookOK    = "OK"
	WebhookError = "ERROR"
)

// A Webhook is what fal says when a job has ended. It is a hint: ask for the
// result all the same.
type Webhook struct {
	RequestID        string          `json:"request_id"`
	GatewayRequestID string          `json:"gateway_request_id"`
	Status           string          `json:"status"`
	Payload          json.RawMessage `json:"payload"`
	Error            string          `json:"error"` // scrubbed
}

// Precheck looks at the headers alone, before the body is read: its error is
// what Verify would say of any body under them.
func (w *Webhooks) Precheck(header http.Header) error {
	_, err := w.readSignature(header)
	return err
}

// Verify proves that a webhook comes from fal and reads it. The same webhook
// may come many times.
func (w *Webhooks) Verify(ctx context.Context, header http.Header, body []byte) (Webhook, error) {
	if len(body) > MaxWebhook {
		return Webhook{}, fmt.Errorf("%w: the body is too large", ErrSignature)
	}
	sig, err := w.readSignature(header)
	if err != nil {
		return Webhook{}, err
	}
	sig.sign(body)
	ok, err := w.signed(ctx, sig)
	switch {
	case err != nil:
		return Webhook{}, fmt.Errorf("webhook: %w", err)
	case !ok:
		return Webhook{}, ErrSignature
	}
	var hook Webhook
	if err := json.Unmarshal(body, &hook); err != nil {
		return Webhook{}, fmt.Errorf("webhook: %w", w.client.scrub.err(err))
	}
	if hook.RequestID == "" {
		hook.RequestID = header.Get("X-Fal-Webhook-Request-Id")
	}
	hook.Error = w.client.scrub.text(hook.Error)
	return hook, nil
}

// ErrStale says that a webhook was signed too long ago, or in the future. It
// is an ErrSignature, too.
var ErrStale = fmt.Errorf("%w: it is too old, or the clocks differ", ErrSignature)

// A signature is what a webhook's headers claim.
type signature struct {
	message []byte // what is signed; the body's part of it is added by sign
	value   []byte
}

// readSignature reads the four headers. Its error is an ErrSignature.
func (w *Webhooks) readSignature(header http.Header) (signature, error) {
	id := header.Get("X-Fal-Webhook-Request-Id")
	user := header.Get("X-Fal-Webhook-User-Id")
	stamp := header.Get("X-Fal-Webhook-Timestamp")
	if id == "" || user == "" || strings.ContainsAny(id+user, "\n\r") {
		return signature{}, fmt.Errorf("%w: the ids are missing", ErrSignature)
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return signature{}, fmt.Errorf("%w: the timestamp is not a number", ErrSignature)
	}
	if w.now().Sub(time.Unix(seconds, 0)).Abs() > webhookTolerance {
		return signature{}, ErrStale
	}
	value, err := hex.DecodeString(header.Get("X-Fal-Webhook-Signature"))
	if err != nil || len(value) != ed25519.SignatureSize {
		return signature{}, fmt.Errorf("%w: it is not 64 bytes in hex", ErrSignature)
	}
	return signature{message: []byte(id + "\n" + user + "\n" + stamp + "\n"), value: value}, nil
}

// sign adds the body to what is signed.
func (s *signature) sign(body []byte) {
	sum := sha256.Sum256(body)
	s.message = hex.AppendEncode(s.message, sum[:])
}
