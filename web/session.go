package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// Sessions keep who has signed in, so that every process knows it.
type Sessions interface {
	// PutSession keeps a session of an owner under id until it expires. Of
	// more than most sessions of the owner, the oldest end.
	PutSession(ctx context.Context, owner, id string, value []byte, expires time.Time, most int) error
	// Session reads the value of a session; nil when there is none.
	Session(ctx context.Context, owner, id string) ([]byte, error)
	// EndSession ends a session; an empty id ends all of the owner.
	EndSession(ctx context.Context, owner, id string) error
}

// How long somebody stays signed in, and in how many browsers.
const (
	sessionLife = 12 * time.Hour
	maxSessions = 10
)

// operatorName is the owner of the operator's sessions.
const operatorName = "operator"

// A visitor is who has signed in. What they may do is asked at each request.
type visitor struct {
	Owner    string   `json:"owner"`              // "operator", "discord:80351110224678912"
	Name     string   `json:"name"`               // that people read
	Platform string   `json:"platform,omitempty"` // of a person
	User     string   `json:"user,omitempty"`     // the id there
	Tenants  []string `json:"tenants,omitempty"`  // guilds or workspaces of the bot in which they were
	// Token is a hash of the operator's token: a session ends with it.
	Token string `json:"token,omitempty"`

	id string // of the session
}

// operator reports whether v signed in with the operator's token.
func (v *visitor) operator() bool { return v.Owner == operatorName }

// cookieName is that of the session. The prefix makes browsers refuse it from
// anybody but this very host.
// https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Set-Cookie#cookie_prefixes
func (s *Server) cookieName(name string) string {
	if s.secure() {
		return "__Host-" + name
	}
	return name
}

const sessionCookie = "ltx_session"

// setCookie gives the browser a cookie; a negative age takes it away. It is sent
// along when somebody follows a link to the console, and with no request that
// another site makes by itself.
func (s *Server) setCookie(w http.ResponseWriter, name, value string, age time.Duration) {
	c := &http.Cookie{ //nolint:gosec // without TLS there is only this machine, or what the operator chose
		Name: s.cookieName(name), Value: value, Path: "/", MaxAge: int(age.Seconds()),
		Secure: s.secure(), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	if age < 0 {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// signIn begins a session of v, with an id that nobody has seen before, and ends
// the one that the browser had.
func (s *Server) signIn(w http.ResponseWriter, r *http.Request, v visitor) error {
	if old := s.visitor(r); old != nil {
		if err := s.cfg.Sessions.EndSession(r.Context(), old.Owner, old.id); err != nil {
			return err
		}
	}
	secret := rand.Text() + rand.Text()
	value, err := json.Marshal(v)
	if err != nil {
		return err
	}
	expires := s.cfg.Now().Add(sessionLife)
	if err := s.cfg.Sessions.PutSession(r.Context(), v.Owner, hash(secret), value, expires, maxSessions); err != nil {
		return err
	}
	s.setCookie(w, sessionCookie, base64.RawURLEncoding.EncodeToString([]byte(v.Owner))+"."+secret, sessionLife)
	s.log.InfoContext(r.Context(), "signed in to the console", "owner", v.Owner)
	return nil
}

// visitor is who sent the request; nil when nobody is signed in. A store that
// does not answer signs nobody in.
func (s *Server) visitor(r *http.Request) *visitor {
	c, err := r.Cookie(s.cookieName(sessionCookie))
	if err != nil {
		return nil
	}
	encoded, secret, _ := strings.Cut(c.Value, ".")
	owner, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil || len(owner) == 0 || secret == "" || len(c.Value) > maxCookie {
		return nil
	}
	value, err := s.cfg.Sessions.Session(r.Context(), string(owner), hash(secret))
	if err != nil {
		s.log.WarnContext(r.Context(), "cannot read a session of the console", "error", err)
		return nil
	}
	v := &visitor{id: hash(secret)}
	if value == nil || json.Unmarshal(value, v) != nil {
		return nil
	}
	if v.operator() && (s.cfg.Token == "" || v.Token != hash(s.cfg.Token)) {
		return nil // the token is another one by now
	}
	return v
}

// maxCookie bounds a cookie that is looked at, in bytes.
const maxCookie = 512

// hash is what is kept of a secret.
func hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
