package slack

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"ltxbot/internal/ingress"
)

// The paths that Slack calls in the HTTP mode.
const (
	PathCommands     = "/slack/commands"
	PathInteractions = "/slack/interactions"
	PathOptions      = "/slack/options"
	PathEvents       = "/slack/events"
)

// Limits of requests.
const (
	maxBody = 1 << 20 // bytes
	// replayWindow is how old a request may be.
	// https://docs.slack.dev/authentication/verifying-requests-from-slack
	replayWindow = 5 * time.Minute
	// answerWithin is how long a request waits for its acknowledgement.
	answerWithin = 2800 * time.Millisecond
)

// Handler serves the paths that Slack calls in the HTTP mode.
func (b *Bot) Handler() http.Handler {
	mux := http.NewServeMux()
	b.Register(mux)
	return mux
}

// Register adds the paths that Slack calls in the HTTP mode to mux.
func (b *Bot) Register(mux *http.ServeMux) {
	for path, kind := range map[string]string{
		PathCommands: kindCommand, PathInteractions: kindInteraction, PathOptions: kindInteraction, PathEvents: kindEvent,
	} {
		mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) { b.serve(w, r, kind) })
	}
}

// serve answers one request: it is verified, passed on, and answered with the
// acknowledgement.
func (b *Bot) serve(w http.ResponseWriter, r *http.Request, kind string) {
	refuse := func(why ingress.Reason) { b.cfg.Guard.Refuse(w, ingress.Slack, why) }
	signed, why := b.readSignature(r.Header)
	if why != "" && !mayCheckCertificate(kind, r) {
		refuse(why)
		return
	}
	body, release, ok := b.cfg.Guard.Body(w, r, ingress.Slack, maxBody)
	if !ok {
		return
	}
	defer release()
	if kind == kindCommand && isCertificateCheck(body) {
		w.WriteHeader(http.StatusOK)
		return
	}
	if why == "" && !signed.verifies(b.cfg.SigningSecret, body) {
		why = ingress.BadSignature
	}
	if why != "" {
		refuse(why)
		return
	}
	payload, err := payloadOf(kind, body)
	if err != nil {
		refuse(ingress.Unreadable)
		return
	}
	if challenge := challengeOf(kind, payload); challenge != "" {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, challenge)
		return
	}
	if !b.events.First("signature:"+signed.value) || !b.cfg.Once(r.Context(), platform+" "+signed.value, 2*replayWindow) {
		refuse(ingress.Replayed)
		return
	}
	answer := make(chan any, 1)
	b.receive(kind, payload, func(payload any) { answer <- payload }) //nolint:contextcheck // the work goes on after the answer
	timeout := time.NewTimer(answerWithin)
	defer timeout.Stop()
	select {
	case payload := <-answer:
		writeAnswer(w, payload)
	case <-timeout.C:
		http.Error(w, "busy", http.StatusServiceUnavailable)
	case <-r.Context().Done():
	}
}

// writeAnswer writes an acknowledgement: nothing, or JSON.
func writeAnswer(w http.ResponseWriter, payload any) {
	if payload == nil {
		w.WriteHeader(http.StatusOK)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(payload)
}

// signature is what the headers of a request claim.
type signature struct{ stamp, value string }

// signatureSize is the length of a signature: "v0=" and SHA-256 in hex.
const signatureSize = len("v0=") + 2*sha256.Size

// readSignature reads the headers of a request, which tell before its body is
// read whether it can be Slack's, and sent lately.
// https://docs.slack.dev/authentication/verifying-requests-from-slack
func (b *Bot) readSignature(h http.Header) (signature, ingress.Reason) {
	s := signature{h.Get("X-Slack-Request-Timestamp"), h.Get("X-Slack-Signature")}
	at, err := strconv.ParseInt(s.stamp, 10, 64)
	if err != nil || len(s.value) != signatureSize {
		return signature{}, ingress.Unsigned
	}
	if age := b.cfg.Now().Sub(time.Unix(at, 0)); age.Abs() > replayWindow {
		return signature{}, ingress.Stale
	}
	return s, ""
}

// verifies reports whether the signature is that of a body.
func (s signature) verifies(secret string, body []byte) bool {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("v0:" + s.stamp + ":"))
	mac.Write(body)
	return hmac.Equal([]byte("v0="+hex.EncodeToString(mac.Sum(nil))), []byte(s.value))
}

// maxCheck bounds a request that may only try the certificate, in bytes.
const maxCheck = 1 << 10

// mayCheckCertificate reports whether a request that is not signed is worth
// reading: it may be one that only tries the certificate.
func mayCheckCertificate(kind string, r *http.Request) bool {
	return kind == kindCommand && r.ContentLength > 0 && r.ContentLength <= maxCheck
}

// isCertificateCheck reports whether a request only tries the certificate. It
// has no effect, so it needs no signature.
// https://docs.slack.dev/interactivity/implementing-slash-commands
func isCertificateCheck(body []byte) bool {
	form, err := url.ParseQuery(string(body))
	return err == nil && form.Get("ssl_check") == "1"
}

// payloadOf is the JSON in a request's body.
func payloadOf(kind string, body []byte) ([]byte, error) {
	if kind == kindEvent {
		return body, nil
	}
	// Only the body counts: what stands in the address is not signed.
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	if kind == kindInteraction {
		return []byte(form.Get("payload")), nil
	}
	fields := make(map[string]string, len(form))
	for key := range form {
		fields[key] = form.Get(key)
	}
	return json.Marshal(fields)
}

// challengeOf is what Slack wants to read to believe that an address is the
// app's.
// https://docs.slack.dev/reference/events/url_verification
func challengeOf(kind string, payload []byte) string {
	if kind != kindEvent || !strings.Contains(string(payload), "url_verification") {
		return ""
	}
	var e event
	if json.Unmarshal(payload, &e) != nil || e.Type != "url_verification" {
		return ""
	}
	return e.Challenge
}
