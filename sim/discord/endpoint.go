package discord

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// maxInlineReply bounds the body of an answer to an HTTP interaction.
const maxInlineReply = 1 * mebibyte

// SetInteractionsURL makes interactions go to url by signed POST and no
// longer to the gateway. As the real service, it first checks that the
// endpoint answers a PING and refuses a bad signature. Empty goes back to the
// gateway.
// https://discord.com/developers/docs/interactions/overview#preparing-for-interactions
func (s *Server) SetInteractionsURL(ctx context.Context, url string) error {
	if url != "" {
		if err := s.probe(ctx, url); err != nil {
			return fmt.Errorf("set interactions endpoint: %w", err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.webhookURL = url
	return nil
}

// probe does what Discord does when the URL is saved, and from time to time
// after that.
func (s *Server) probe(ctx context.Context, url string) error {
	s.mu.Lock()
	ping, err := json.Marshal(object{
		"id": s.newID(), "application_id": s.app, "type": typePing, "token": randomText(218), "version": 1,
		"user": s.bot.json(), "entitlements": []object{}, "authorizing_integration_owners": object{},
	})
	s.mu.Unlock()
	if err != nil {
		return err
	}
	for _, forged := range []bool{true, false} {
		status, kind, body, err := s.sign(ctx, url, ping, forged)
		if err != nil {
			return err
		}
		if forged && status != http.StatusUnauthorized {
			return fmt.Errorf("a forged signature was answered %d, not 401", status)
		}
		var pong struct {
			Type int `json:"type"`
		}
		if !forged && (status != http.StatusOK || !strings.HasPrefix(kind, "application/json") || json.Unmarshal(body, &pong) != nil || pong.Type != callbackPong) {
			return fmt.Errorf("the PING was answered %d %q, not 200 with type 1", status, kind)
		}
	}
	return nil
}

// sign posts a body with its Ed25519 signature, or with a forged one.
func (s *Server) sign(ctx context.Context, url string, body []byte, forged bool) (status int, kind string, reply []byte, err error) {
	stamp := strconv.FormatInt(s.Now().Unix(), 10)
	signature := ed25519.Sign(s.signer, append([]byte(stamp), body...))
	if forged {
		signature[0] ^= 0xff
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.answerWithin(), errNoResponse)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, "", nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Discord-Interactions/1.0 (+https://discord.com)")
	req.Header.Set("X-Signature-Ed25519", hex.EncodeToString(signature))
	req.Header.Set("X-Signature-Timestamp", stamp)
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return 0, "", nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	reply, err = io.ReadAll(io.LimitReader(resp.Body, maxInlineReply))
	return resp.StatusCode, resp.Header.Get("Content-Type"), reply, err
}

var errNoResponse = &RefusedError{Action: "interaction", Reason: "the application did not respond"}

// postInteraction sends an interaction to the endpoint. It may answer inline
// with 200 and a callback, or with 202 and use the callback route.
func (s *Server) postInteraction(ctx context.Context, url string, i *Interaction, payload object) error {
	raw, err := json.Marshal(payload)
	if err != nil {
		return fmt.Errorf("post interaction: %w", err)
	}
	status, kind, reply, err := s.sign(ctx, url, raw, false)
	if err != nil {
		return fmt.Errorf("post interaction: %w", err)
	}
	switch {
	case status == http.StatusAccepted && len(reply) == 0:
		return nil
	case status == http.StatusNoContent:
		return nil
	case status != http.StatusOK || !strings.HasPrefix(kind, "application/json"):
		return fmt.Errorf("post interaction: answered %d %q", status, kind)
	}
	body, refused := decodeForm(reply)
	if refused != nil {
		return fmt.Errorf("post interaction: %w", refused)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &call{form: body, s: s, version: 10}
	if refused := c.respond(i); refused != nil {
		return fmt.Errorf("post interaction: %w", refused)
	}
	return nil
}
