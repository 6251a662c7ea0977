package fal

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"
)

const (
	// keysFresh is how long fal's public keys may be kept.
	// https://fal.ai/docs/documentation/model-apis/inference/webhooks
	keysFresh = 24 * time.Hour
	// keysPause is the least time between two fetches, so that forged
	// signatures don't make us call fal.
	keysPause = time.Minute
)

// Webhooks verifies fal's webhooks against fal's public keys, which it fetches
// when they are first needed. It is made by New, and safe for concurrent use.
type Webhooks struct {
	client *Client
	now    func() time.Time
	turn   chan struct{} // holds one token: who has it may use what follows

	keys    []ed25519.PublicKey
	fetched time.Time // when keys were
	tried   time.Time // when a fetch was last begun
}

func newWebhooks(c *Client, now func() time.Time) *Webhooks {
	if now == nil {
		now = time.Now
	}
	return &Webhooks{client: c, now: now, turn: make(chan struct{}, 1)}
}

// signed says whether one of fal's keys made sig. A key that we do not know
// makes it fetch the keys anew, but not more often than keysPause.
func (w *Webhooks) signed(ctx context.Context, sig signature) (bool, error) {
	select {
	case w.turn <- struct{}{}:
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
	defer func() { <-w.turn }()

	now := w.now()
	fresh := now.Sub(w.fetched) < keysFresh
	if fresh && verifies(w.keys, sig) {
		return true, nil
	}
	if now.Sub(w.tried) < keysPause {
		if !fresh {
			return false, errors.New("fal's keys could not be fetched lately")
		}
		return false, nil
	}
	w.tried = now
	keys, err := w.client.publicKeys(ctx)
	if err != nil {
		return false, err
	}
	w.keys, w.fetched = keys, now
	return verifies(keys, sig), nil
}

func verifies(keys []ed25519.PublicKey, sig signature) bool {
	return slices.ContainsFunc(keys, func(k ed25519.PublicKey) bool {
		return ed25519.Verify(k, sig.message, sig.value)
	})
}

// publicKeys fetches the Ed25519 keys that fal signs with.
func (c *Client) publicKeys(ctx context.Context) (keys []ed25519.PublicKey, err error) {
	defer c.done(opJWKS, time.Now(), &err)
	a, err := c.do(ctx, call{op: opJWKS, method: http.MethodGet, url: c.rest.JoinPath(".well-known/jwks.json"), open: true})
	switch {
	case err != nil:
		return nil, err
	case !a.ok():
		return nil, c.refusal(opJWKS, a)
	}
	if keys = decodeKeys(a.body); len(keys) == 0 {
		return nil, errors.New("jwks: no Ed25519 key in the answer")
	}
	return keys, nil
}

// decodeKeys reads a JSON Web Key Set and keeps what Ed25519 can use.
// https://www.rfc-editor.org/rfc/rfc8037
func decodeKeys(body []byte) []ed25519.PublicKey {
	var set struct {
		Keys []struct {
			X string `json:"x"`
		} `json:"keys"`
	}
	_ = json.Unmarshal(body, &set) // unreadable is empty
	var keys []ed25519.PublicKey
	for _, k := range set.Keys {
		if raw, err := base64.RawURLEncoding.DecodeString(k.X); err == nil && len(raw) == ed25519.PublicKeySize {
			keys = append(keys, raw)
		}
	}
	return keys
}
