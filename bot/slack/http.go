package slack

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
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
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "the body is too large", http.StatusRequestEntityTooLarge)
		return
	}
	if kind == kindCommand && isCertificateCheck(body) {
		w.WriteHeader(http.StatusOK)
		return
	}
	signature, err := b.verify(r.Header, body)
	if err != nil {
		b.log.WarnContext(r.Context(), "request to slack's endpoint refused", "path", r.URL.Path, "error", err)
		http.Error(w, "the signature is not valid", http.StatusUnauthorized)
		return
	}
	payload, err := payloadOf(kind, body)
	if err != nil {
		http.Error(w, "the body cannot be read", http.StatusBadRequest)
		return
	}
	if challenge := challengeOf(kind, payload); challenge != "" {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, challenge)
		return
	}
	if !b.events.first("signature:" + signature) {
		b.log.WarnContext(r.Context(), "request to slack's endpoint refused", "path", r.URL.Path, "error", errReplayed)
		http.Error(w, errReplayed.Error(), http.StatusConflict)
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

// The reasons for refusing a request.
var (
	errUnsigned  = errors.New("the request is not signed")
	errOld       = errors.New("the request is too old")
	errSignature = errors.New("the signature does not match")
	errReplayed  = errors.New("the request was sent before")
)

// verify checks that a request is Slack's, and returns its signature.
// https://docs.slack.dev/authentication/verifying-requests-from-slack
func (b *Bot) verify(h http.Header, body []byte) (string, error) {
	stamp, signature := h.Get("X-Slack-Request-Timestamp"), h.Get("X-Slack-Signature")
	at, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || signature == "" {
		return "", errUnsigned
	}
	if age := b.cfg.Now().Sub(time.Unix(at, 0)); age > replayWindow || age < -replayWindow {
		return "", errOld
	}
	mac := hmac.New(sha256.New, []byte(b.cfg.SigningSecret))
	mac.Write([]byte("v0:" + stamp + ":"))
	mac.Write(body)
	want := "v0=" + hex.EncodeToString(mac.Sum(nil))
	if !hmac.Equal([]byte(want), []byte(signature)) {
		return "", errSignature
	}
	return signature, nil
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
