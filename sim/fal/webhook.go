package fal

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"ltxbot/internal/retry"
)

// What fal documents of its retries.
// https://fal.ai/docs/documentation/model-apis/inference/webhooks
const (
	webhookTries   = 31
	webhookTimeout = 15 * time.Second
	webhookPause   = time.Second // doubles each time
)

// user is the account that webhooks are signed for.
const user = "demo-user"

// A webhookCall is what is to be told to whom.
type webhookCall struct {
	id, url string
	body    []byte
}

// webhookCall says how j ended. Server.mu is held.
func (j *job) webhookCall() webhookCall {
	body := map[string]any{"request_id": j.id, "gateway_request_id": j.id, "status": "OK", "payload": asJSON(j.reply.body)}
	if j.reply.status != http.StatusOK {
		body["status"] = "ERROR"
		body["error"] = fmt.Sprintf("Invalid status code: %d", j.reply.status)
	}
	return webhookCall{id: j.id, url: j.webhook, body: jsonReply(http.StatusOK, body).body}
}

// callBack tells the client's webhook how a job ended, again and again until
// it is heard, the tries are used up or the simulator stops.
func (s *Server) callBack(ctx context.Context, c webhookCall) {
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       webhookTimeout,
	}
	wait := s.scaled(webhookPause)
	for range webhookTries {
		status := s.post(ctx, client, c)
		if status/100 == 2 || status/100 == 3 || ctx.Err() != nil {
			return
		}
		if !retry.Wait(ctx, wait) {
			return
		}
		wait = min(wait*2, time.Hour)
	}
}

func (s *Server) post(ctx context.Context, client *http.Client, c webhookCall) (status int) {
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.deliveries = append(s.deliveries, Delivery{RequestID: c.id, URL: c.url, Status: status, At: time.Now()})
	}()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(c.body))
	if err != nil {
		return 0
	}
	req.Header = s.Sign(c.id, c.body, time.Now())
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return 0
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxInput))
	return resp.StatusCode
}

// Sign returns the headers that fal would put on a webhook with this body at
// this time.
func (s *Server) Sign(requestID string, body []byte, at time.Time) http.Header {
	s.mu.Lock()
	signer := s.signer
	s.mu.Unlock()
	stamp := strconv.FormatInt(at.Unix(), 10)
	sum := sha256.Sum256(body)
	message := strings.Join([]string{requestID, user, stamp, hex.EncodeToString(sum[:])}, "\n")
	h := http.Header{}
	h.Set("X-Fal-Webhook-Request-Id", requestID)
	h.Set("X-Fal-Webhook-User-Id", user)
	h.Set("X-Fal-Webhook-Timestamp", stamp)
	h.Set("X-Fal-Webhook-Signature", hex.EncodeToString(ed25519.Sign(signer, []byte(message))))
	return h
}

// RotateKey makes the simulator sign with a new key; the old one is gone from
// its key set.
func (s *Server) RotateKey() error {
	_, signer, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return fmt.Errorf("simulated fal: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signer = signer
	return nil
}

// jwks answers GET /.well-known/jwks.json.
func (s *Server) jwks(*http.Request) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := base64.RawURLEncoding.EncodeToString(s.signer.Public().(ed25519.PublicKey)) //nolint:forcetypeassert // its documented type
	return jsonReply(http.StatusOK, map[string]any{"keys": []map[string]any{
		{"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "x": x},
	}})
}

// asJSON is body as it is, or null if it is not JSON.
func asJSON(body []byte) json.RawMessage {
	if !json.Valid(body) {
		return json.RawMessage("null")
	}
	return body
}
