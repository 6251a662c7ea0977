package slack

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/http"
	"net/url"
	"time"

	"ltxbot/internal/ingress"
)

// stateLife is how long somebody may take to allow an installation, the same
// as the life of Slack's codes.
// https://docs.slack.dev/authentication/installing-with-oauth
const stateLife = 10 * time.Minute

// stateCookie binds a state to the browser that it was made for, so that
// nobody can be led to finish an installation that somebody else has begun.
const stateCookie = "ltx_slack_install"

// states are the installations under way. A state carries its own end and a
// signature, and is kept by the browser alone: asking for many fills nothing,
// and any process can take one back.
type states struct {
	key  []byte
	path string // public, of PathOAuth
	tls  bool   // the public address has TLS
	now  func() time.Time
	used *ingress.Seen
}

// newStates makes the states of installations that end at an address.
func newStates(redirect *url.URL, key []byte, now func() time.Time) *states {
	return &states{key: key, path: redirect.Path, tls: redirect.Scheme == "https", now: now, used: ingress.NewSeen(now, stateLife)}
}

// The parts of a state, in bytes.
const (
	stateRandom = 24
	stateTime   = 8
	stateSize   = stateRandom + stateTime + sha256.Size
)

// errState says that a browser comes back from Slack with a state that is not
// its own, too old, or used.
var errState = errors.New("state of the installation is not valid")

// begin makes a state and gives it to the browser.
func (s *states) begin(w http.ResponseWriter) string {
	raw := make([]byte, stateRandom, stateSize)
	_, _ = rand.Read(raw) // crypto/rand never fails

	raw = binary.BigEndian.AppendUint64(raw, uint64(s.now().Add(stateLife).Unix())) //nolint:gosec // a time after 1970
	state := base64.RawURLEncoding.EncodeToString(append(raw, s.sign(raw)...))
	http.SetCookie(w, s.cookie(state, int(stateLife.Seconds())))
	return state
}

// finish takes a state back, once.
func (s *states) finish(w http.ResponseWriter, r *http.Request) error {
	state := r.URL.Query().Get("state")
	cookie, err := r.Cookie(stateCookie)
	if err != nil || state == "" || !hmac.Equal([]byte(cookie.Value), []byte(state)) {
		return errState
	}
	http.SetCookie(w, s.cookie("", -1))
	raw, err := base64.RawURLEncoding.Strict().DecodeString(state)
	if err != nil || len(raw) != stateSize {
		return errState
	}
	body, signature := raw[:stateRandom+stateTime], raw[stateRandom+stateTime:]
	end := binary.BigEndian.Uint64(body[stateRandom:])
	if !hmac.Equal(signature, s.sign(body)) || uint64(s.now().Unix()) > end { //nolint:gosec // a time after 1970
		return errState
	}
	// Another process does not know; there Slack refuses the code, which can
	// be used once, too.
	if !s.used.First(state) {
		return errState
	}
	return nil
}

func (s *states) sign(body []byte) []byte {
	mac := hmac.New(sha256.New, s.key)
	mac.Write(body)
	return mac.Sum(nil)
}

// cookie is sent back by the browser when it comes from Slack, and by no
// request that another page makes.
func (s *states) cookie(value string, seconds int) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // only on this machine there is an address without TLS
		Name: stateCookie, Value: value, Path: s.path, MaxAge: seconds,
		Secure: s.tls, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}
