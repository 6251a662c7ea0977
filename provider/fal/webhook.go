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

// Verify proves that a webhook comes from fal and reads it. The same webhook
// may come many times.
func (w *Webhooks) Verify(ctx context.Context, header http.Header, body []byte) (Webhook, error) {
	if len(body) > MaxWebhook {
		return Webhook{}, fmt.Errorf("%w: the body is too large", ErrSignature)
	}
	sig, err := readSignature(header, body)
	if err != nil {
		return Webhook{}, fmt.Errorf("%w: %w", ErrSignature, err)
	}
	if age := w.now().Sub(sig.at); age > webhookTolerance || age < -webhookTolerance {
		return Webhook{}, fmt.Errorf("%w: it is %s off our clock", ErrSignature, age.Round(time.Second))
	}
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

// A signature is what a webhook's headers claim.
type signature struct {
	message []byte
	value   []byte
	at      time.Time
}

// readSignature reads the four headers and makes the message that they sign.
func readSignature(header http.Header, body []byte) (signature, error) {
	id := header.Get("X-Fal-Webhook-Request-Id")
	user := header.Get("X-Fal-Webhook-User-Id")
	stamp := header.Get("X-Fal-Webhook-Timestamp")
	if id == "" || user == "" || strings.ContainsAny(id+user, "\n\r") {
		return signature{}, errors.New("the ids are missing")
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return signature{}, errors.New("the timestamp is not a number")
	}
	value, err := hex.DecodeString(header.Get("X-Fal-Webhook-Signature"))
	if err != nil || len(value) != ed25519.SignatureSize {
		return signature{}, errors.New("the signature is not 64 bytes in hex")
	}
	sum := sha256.Sum256(body)
	message := strings.Join([]string{id, user, stamp, hex.EncodeToString(sum[:])}, "\n")
	return signature{message: []byte(message), value: value, at: time.Unix(seconds, 0)}, nil
}
