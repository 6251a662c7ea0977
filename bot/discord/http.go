package discord

import (
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"
)

const (
	// maxInteraction bounds the body of an interaction, in bytes. Four texts
	// of 6000 characters are a tenth of it.
	maxInteraction = 1 << 20
	// maxSkew is how old or new a signed request may be: a recorded one
	// cannot be sent again later.
	maxSkew = 5 * time.Minute
)

// Handler answers the interactions that Discord sends by HTTP. It verifies
// the signature, says at once that the interaction has arrived, and leaves
// the answer to a call of the API: files cannot be in the reply, and one way
// to answer is enough.
// https://discord.com/developers/docs/interactions/receiving-and-responding#receiving-an-interaction
func (b *Bot) Handler() http.Handler { return http.HandlerFunc(b.serveInteraction) }

func (b *Bot) serveInteraction(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxInteraction))
	if err != nil {
		http.Error(w, "cannot read the body", http.StatusRequestEntityTooLarge)
		return
	}
	if !b.signed(r.Header, body) {
		http.Error(w, "invalid request signature", http.StatusUnauthorized)
		return
	}
	var kind struct {
		Type int `json:"type"`
	}
	if json.Unmarshal(body, &kind) != nil {
		http.Error(w, "not an interaction", http.StatusBadRequest)
		return
	}
	if kind.Type == interactionPing {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(callback{Type: callbackPong}); err != nil {
			b.log.DebugContext(r.Context(), "cannot answer a ping", "error", err)
		}
		return
	}
	w.WriteHeader(http.StatusAccepted)
	b.dispatch(r.Context(), body)
}

// signed reports whether Discord sent the body, and lately.
func (b *Bot) signed(h http.Header, body []byte) bool {
	signature, err := hex.DecodeString(h.Get("X-Signature-Ed25519"))
	if err != nil || len(signature) != ed25519.SignatureSize || len(b.key) != ed25519.PublicKeySize {
		return false
	}
	timestamp := h.Get("X-Signature-Timestamp")
	if !ed25519.Verify(b.key, append([]byte(timestamp), body...), signature) {
		return false
	}
	sent, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return false
	}
	age := b.cfg.Now().Sub(time.Unix(sent, 0))
	return age.Abs() <= maxSkew
}
