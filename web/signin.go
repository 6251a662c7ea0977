package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"ltxbot/internal/ingress"
)

// A SignIn is how a platform proves who somebody is: the browser goes to the
// platform, and comes back with a code that is exchanged for an identity.
type SignIn interface {
	Platform() string // "discord"
	Title() string    // "Discord"
	// Address is where the browser goes.
	Address(ctx context.Context, p Proof) (string, error)
	// Identify exchanges the code. A *RefusedError says that the platform
	// does not take it.
	Identify(ctx context.Context, code string, p Proof) (Identity, error)
}

// A Proof ties what comes back from a platform to the browser that went there.
type Proof struct {
	State    string // comes back in the address
	Verifier string // of PKCE: its hash goes to the platform first, itself with the code
	Nonce    string // comes back in an ID token
	Redirect string // where the browser comes back to
}

// Identity is who somebody is on a platform.
type Identity struct {
	User    string
	Home    string // the workspace that User is an id of; empty where ids are of the whole platform
	Name    string
	Tenants []string // guilds or workspaces they are in, or signed in from
}

// A RefusedError says that a platform did not take a code.
type RefusedError struct{ Reason string }

func (e *RefusedError) Error() string { return "the platform refuses the code: " + e.Reason }

// How long somebody may take on the platform's page, and how long the platform
// may take to answer.
const (
	signInLife  = 10 * time.Minute
	identifyMax = 15 * time.Second
)

// pending is a sign-in under way. The browser keeps it: whoever begins many fills
// nothing, and any process can end one.
type pending struct {
	Platform string    `json:"platform"`
	State    string    `json:"state"`
	Verifier string    `json:"verifier"`
	Nonce    string    `json:"nonce"`
	Next     string    `json:"next"`
	Until    time.Time `json:"until"`
}

const pendingCookie = "ltx_signin"

// maxPending bounds the cookie of a sign-in, in bytes.
const maxPending = 4 << 10

// signInView is what somebody reads who is not signed in.
type signInView struct {
	Next    string
	SignIns []SignIn
	Token   bool // the operator has one
	Problem string
}

func (s *Server) signInPage(q *request) error {
	s.showSignIn(q, http.StatusOK, q.URL.Query().Get("next"), "")
	return nil
}

func (s *Server) showSignIn(q *request, status int, next, problem string) {
	s.render(q, status, "sign-in", "Sign in", signInView{safeNext(next), s.cfg.SignIns, s.cfg.Token != "", problem})
}

// safeNext is where somebody goes after they have signed in: a page of the console,
// whatever a link says.
func safeNext(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.Opaque != "" || strings.ContainsAny(next, "\\\r\n\t") ||
		u.Path != Path && !strings.HasPrefix(u.Path, Path+"/") || strings.Contains(u.Path, "..") || strings.HasPrefix(u.Path, Path+"/sign-") {
		return Path + "/"
	}
	return next
}

// paused answers somebody who tries too often.
func (s *Server) paused(q *request) bool {
	pause := s.tries.Pause(s.caller(q.Request))
	if pause <= 0 {
		return false
	}
	s.cfg.Guard.Note(ingress.Console, ingress.TooOften)
	seconds := strconv.Itoa(int(math.Ceil(pause.Seconds())))
	q.w.Header().Set("Retry-After", seconds)
	s.showSignIn(q, http.StatusTooManyRequests, q.PostForm.Get("next"), "Too many wrong tries came from your address. Try again in "+seconds+" s.")
	return true
}

// signInByToken signs the operator in.
func (s *Server) signInByToken(q *request) error {
	if s.paused(q) {
		return nil
	}
	given, wanted := hash(q.PostForm.Get("token")), hash(s.cfg.Token)
	if s.cfg.Token == "" || subtle.ConstantTimeCompare([]byte(given), []byte(wanted)) != 1 {
		s.tries.Failed(s.caller(q.Request))
		s.cfg.Guard.Note(ingress.Console, ingress.BadToken)
		s.showSignIn(q, http.StatusUnauthorized, q.PostForm.Get("next"), "That is not the token. It is http.admin_token in the bot's config.")
		return nil
	}
	s.tries.Passed(s.caller(q.Request))
	if err := s.signIn(q.w, q.Request, visitor{Owner: operatorName, Name: "Operator", Token: wanted}); err != nil {
		return err
	}
	http.Redirect(q.w, q.Request, safeNext(q.PostForm.Get("next")), http.StatusSeeOther)
	return nil
}

// way is the sign-in that a request is about.
func (s *Server) way(q *request) (SignIn, error) {
	for _, w := range s.cfg.SignIns {
		if w.Platform() == q.PathValue("platform") {
			return w, nil
		}
	}
	return nil, errNoPage
}

// beginSignIn sends the browser to the platform.
func (s *Server) beginSignIn(q *request) error {
	way, err := s.way(q)
	if err != nil {
		return err
	}
	p := pending{
		Platform: way.Platform(), State: rand.Text(), Verifier: rand.Text() + rand.Text(), Nonce: rand.Text(),
		Next: safeNext(q.URL.Query().Get("next")), Until: s.cfg.Now().Add(signInLife),
	}
	ctx, cancel := context.WithTimeout(q.Context(), identifyMax)
	defer cancel()
	address, err := way.Address(ctx, s.proof(q, p))
	if err != nil {
		return err
	}
	value, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if len(value) > maxPending/2 {
		return errNoPage
	}
	s.setCookie(q.w, pendingCookie, base64.RawURLEncoding.EncodeToString(value), signInLife)
	http.Redirect(q.w, q.Request, address, http.StatusSeeOther)
	return nil
}

func (s *Server) proof(q *request, p pending) Proof {
	return Proof{p.State, p.Verifier, p.Nonce, s.origin(q.Request) + Path + "/sign-in/" + p.Platform + "/back"}
}

// takePending takes back the sign-in that this browser has begun, once.
func (s *Server) takePending(q *request, platform string) (pending, bool) {
	var p pending
	c, err := q.Cookie(s.cookieName(pendingCookie))
	if err != nil || len(c.Value) > maxPending {
		return p, false
	}
	s.setCookie(q.w, pendingCookie, "", -1)
	value, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil || json.Unmarshal(value, &p) != nil {
		return p, false
	}
	state := q.URL.Query().Get("state")
	same := subtle.ConstantTimeCompare([]byte(state), []byte(p.State)) == 1
	return p, same && state != "" && p.Platform == platform && s.cfg.Now().Before(p.Until)
}

// finishSignIn takes the browser back from the platform.
func (s *Server) finishSignIn(q *request) error {
	way, err := s.way(q)
	if err != nil {
		return err
	}
	p, ok := s.takePending(q, way.Platform())
	query := q.URL.Query()
	again := func(status int, problem string) error {
		s.showSignIn(q, status, p.Next, problem)
		return nil
	}
	switch {
	case !ok:
		s.cfg.Guard.Note(ingress.Console, ingress.Unknown)
		return again(http.StatusBadRequest, "This sign-in has expired: it has to be finished within ten minutes, once, and in the browser where it was begun. Try again.")
	case query.Get("error") != "":
		return again(http.StatusForbidden, "You did not allow it, so you are not signed in.")
	case s.paused(q):
		return nil
	case !s.begun.Allow(s.caller(q.Request), s.cfg.Now()):
		s.cfg.Guard.Note(ingress.Console, ingress.TooOften)
		return again(http.StatusTooManyRequests, "Too many people sign in at this moment, from your address or in all. Try again in a minute.")
	}
	ctx, cancel := context.WithTimeout(q.Context(), identifyMax)
	defer cancel()
	who, err := way.Identify(ctx, query.Get("code"), s.proof(q, p))
	if refused := (*RefusedError)(nil); errors.As(err, &refused) {
		s.tries.Failed(s.caller(q.Request))
		s.log.WarnContext(ctx, "a sign-in to the console was refused", "platform", way.Platform(), "error", err)
		return again(http.StatusBadRequest, way.Title()+" did not accept the sign-in. Try again; if it happens each time, whoever runs the bot finds the reason in its log.")
	}
	if err != nil {
		s.log.ErrorContext(ctx, "a sign-in to the console did not succeed", "platform", way.Platform(), "error", err)
		return again(http.StatusBadGateway, way.Title()+" did not answer as it should. Try again in a minute.")
	}
	owner := way.Platform() + ":" + who.User
	if who.Home != "" {
		owner = way.Platform() + ":" + who.Home + ":" + who.User
	}
	v := visitor{Owner: owner, Name: who.Name, Platform: way.Platform(), User: who.User}
	if v.Tenants, err = s.served(ctx, way.Platform(), who.Tenants); err != nil {
		return err
	}
	if len(v.Tenants) == 0 {
		return again(http.StatusForbidden, "You are in no server or workspace where this bot is used, so there is nothing to show.")
	}
	if err := s.signIn(q.w, q.Request, v); err != nil {
		return err
	}
	http.Redirect(q.w, q.Request, safeNext(p.Next), http.StatusSeeOther)
	return nil
}

// maxTenants bounds where somebody is signed in.
const maxTenants = 50

// served are the guilds or workspaces that are of a team of the bot.
func (s *Server) served(ctx context.Context, platform string, tenants []string) ([]string, error) {
	teams, err := s.cfg.Teams(ctx)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, t := range teams {
		known[t] = true
	}
	var out []string
	for _, t := range tenants {
		if known[s.cfg.Team(ctx, platform, t)] && len(out) < maxTenants {
			out = append(out, t)
		}
	}
	return out, nil
}

// signOut ends the session of this browser.
func (s *Server) signOut(q *request) error {
	if v := s.visitor(q.Request); v != nil {
		if err := s.cfg.Sessions.EndSession(q.Context(), v.Owner, v.id); err != nil {
			return err
		}
	}
	return s.goodbye(q)
}

// signOutEverywhere ends all sessions of who sent the form: all of the operator's,
// for an operator.
func (s *Server) signOutEverywhere(q *request) error {
	if v := s.visitor(q.Request); v != nil {
		if err := s.cfg.Sessions.EndSession(q.Context(), v.Owner, ""); err != nil {
			return err
		}
		s.log.InfoContext(q.Context(), "signed out of the console everywhere", "owner", v.Owner)
	}
	return s.goodbye(q)
}

func (s *Server) goodbye(q *request) error {
	s.setCookie(q.w, sessionCookie, "", -1)
	http.Redirect(q.w, q.Request, Path+"/sign-in", http.StatusSeeOther)
	return nil
}

// How often codes are exchanged, from one address and from all: each is calls to a
// platform, and anybody can make one up.
var (
	signInsOfOne = ingress.Rate{Burst: 20, Pause: 3 * time.Second}
	signInsOfAll = ingress.Rate{Burst: 200, Pause: time.Second / 5}
)

// challenge is the part of PKCE that goes ahead of the code.
// https://www.rfc-editor.org/rfc/rfc7636#section-4.2
func (p Proof) challenge() string {
	sum := sha256.Sum256([]byte(p.Verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
