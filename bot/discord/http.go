package discord

import (
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"ltxbot/internal/ingress"
)

const (
	// maxInteraction bounds the body of an interaction, in bytes. Four texts
	// of 6000 characters are a tenth of it.
	maxInteraction = 1 << 20
	// maxSkew is how old or new a signed request may be: a recorded one
	// cannot be sent again later, and until then its interaction is known.
	maxSkew = 5 * time.Minute
)

// Handler answers the interactions that Discord sends by HTTP. It verifies
// the signature, refuses what was sent before, says at once that the
// interaction has arrived, and leaves the answer to a call of the API: files
// cannot be in the reply, and one way to answer is enough.
// https://discord.com/developers/docs/interactions/receiving-and-responding#receiving-an-interaction
func (b *Bot) Handler() http.Handler { return http.HandlerFunc(b.serveInteraction) }

func (b *Bot) serveInteraction(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	refuse := func(why ingress.Reason) { b.cfg.Guard.Refuse(w, ingress.Discord, why) }
	signed, why := b.readSignature(r.Header)
	if why != "" {
		refuse(why)
		return
	}
	body, release, ok := b.cfg.Guard.Body(w, r, ingress.Discord, maxInteraction)
	if !ok {
		return
	}
	defer release()
	if !signed.verifies(b.key, body) {
		refuse(ingress.BadSignature)
		return
	}
	var kind struct {
		ID   string `json:"id"`
		Type int    `json:"type"`
	}
	if json.Unmarshal(body, &kind) != nil {
		refuse(ingress.Unreadable)
		return
	}
	if kind.Type == interactionPing {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(callback{Type: callbackPong}); err != nil {
			b.log.DebugContext(r.Context(), "cannot answer a ping", "error", err)
		}
		return
	}
	if !b.seen.First(kind.ID) || !b.cfg.Once(r.Context(), platform+" "+kind.ID, 2*maxSkew) {
		refuse(ingress.Replayed)
		return
	}
	w.WriteHeader(http.StatusAccepted)
	b.dispatch(r.Context(), body)
}

// signature is what the headers of a request claim.
type signature struct {
	stamp string
	value []byte
}

// readSignature reads the headers of a request, which tell before its body is
// read whether it can be Discord's, and sent lately.
func (b *Bot) readSignature(h http.Header) (signature, ingress.Reason) {
	value, err := hex.DecodeString(h.Get("X-Signature-Ed25519"))
	if err != nil || len(value) != ed25519.SignatureSize || len(b.key) != ed25519.PublicKeySize {
		return signature{}, ingress.Unsigned
	}
	stamp := h.Get("X-Signature-Timestamp")
	sent, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return signature{}, ingress.Unsigned
	}
	if age := b.cfg.Now().Sub(time.Unix(sent, 0)); age.Abs() > maxSkew {
		return signature{}, ingress.Stale
	}
	return signature{stamp, value}, ""
}

// verifies reports whether the signature is that of a body.
func (s signature) verifies(key ed25519.PublicKey, body []byte) bool {
	return ed25519.Verify(key, append([]byte(s.stamp), body...), s.value)
}
