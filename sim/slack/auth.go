package slack

import (
	"net/url"
	"slices"
	"strings"
	"time"
)

// kind is a kind of token.
type kind int

const (
	anyToken kind = iota // none is needed
	botToken             // xoxb-
	appToken             // xapp-
)

// token is a credential that the app holds.
type token struct {
	value   string
	kind    kind
	scopes  []string
	ws      *Workspace
	org     string // the organisation, for an organisation-wide installation
	problem string // token_revoked or account_inactive
}

func (t *token) has(scope string) bool { return t != nil && slices.Contains(t.scopes, scope) }

// serves reports whether the token is good for w.
func (t *token) serves(w *Workspace) bool {
	return t.ws == w || t.org != "" && t.org == w.spec.Enterprise
}

// install gives the app a token for w; one for the whole organisation if w asks
// for that.
func (s *Server) install(w *Workspace, scopes []string) *token {
	if w.spec.OrgInstall {
		for _, other := range s.workspaces {
			if other != w && other.spec.Enterprise == w.spec.Enterprise && other.token != nil && other.token.org != "" {
				w.token = other.token
				return w.token
			}
		}
	}
	t := &token{value: "xoxb-" + strings.TrimLeft(w.spec.ID, "TE") + "-" + secret(), kind: botToken, scopes: slices.Clone(scopes), ws: w}
	if w.spec.OrgInstall {
		t.org = w.spec.Enterprise
	}
	s.tokens[t.value] = t
	w.token = t
	return t
}

// authenticate finds the call's token and refuses one of the wrong kind.
func (s *Server) authenticate(c *call, m method) error {
	if m.token == anyToken {
		return nil
	}
	if c.auth == "" {
		return refuse("not_authed")
	}
	t, ok := s.tokens[c.auth]
	switch {
	case !ok:
		return refuse("invalid_auth")
	case t.problem != "":
		return refuse(t.problem)
	case t.kind != m.token:
		return refuse("not_allowed_token_type")
	}
	c.token = t
	return nil
}

// workspace is the workspace a call is about: team_id for an organisation's
// token, else the token's.
func (s *Server) workspace(c *call) *Workspace {
	id := c.str("team_id")
	for _, w := range s.workspaces {
		if id != "" && w.spec.ID == id && c.token.serves(w) {
			return w
		}
	}
	return c.token.ws
}

func (s *Server) authTest(c *call) (obj, error) {
	w := c.token.ws
	o := obj{
		"url": "https://" + w.spec.Domain + ".slack.com/", "team": w.spec.Domain, "user": w.bot.spec.Name, "team_id": w.spec.ID,
		"user_id": w.bot.spec.ID, "bot_id": w.bots, "is_enterprise_install": c.token.org != "",
	}
	if w.spec.Enterprise != "" {
		o["enterprise_id"] = w.spec.Enterprise
	}
	return o, nil
}

func (s *Server) apiTest(c *call) (obj, error) {
	if code := c.str("error"); code != "" {
		return nil, refuse(code)
	}
	return obj{"args": c.args}, nil
}

func (s *Server) authRevoke(c *call) (obj, error) {
	if c.bool("test") {
		return obj{"revoked": false}, nil
	}
	c.token.problem = "token_revoked"
	return obj{"revoked": true}, nil
}

// authCode is a code that a person's consent has produced.
type authCode struct {
	ws       *Workspace
	scopes   []string
	redirect string
	expires  time.Time
	used     bool
}

// codeLife is how long an OAuth code may be exchanged.
// https://docs.slack.dev/authentication/installing-with-oauth
const codeLife = 10 * time.Minute

// Authorize is a person who allows the app to be installed on w with these
// scopes. It returns the code that the browser brings to redirectURI.
func (s *Server) Authorize(w *Workspace, redirectURI string, scopes ...string) (code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	code = secret()
	s.codes[code] = &authCode{ws: w, scopes: scopes, redirect: redirectURI, expires: s.clock.Now().Add(codeLife)}
	return code
}

func (s *Server) oauthAccess(c *call) (obj, error) {
	id, password := c.client[0], c.client[1]
	if id == "" {
		id, password = c.str("client_id"), c.str("client_secret")
	} else if decoded, err := url.QueryUnescape(password); err == nil {
		password = decoded
	}
	if id != s.creds.clientID {
		return nil, refuse("invalid_client_id")
	}
	if password != s.creds.clientSecret {
		return nil, refuse("bad_client_secret")
	}
	code := s.codes[c.str("code")]
	switch {
	case code == nil:
		return nil, refuse("invalid_code")
	case code.used:
		return nil, refuse("code_already_used")
	case s.clock.Now().After(code.expires):
		return nil, refuse("invalid_code")
	case c.str("redirect_uri") != code.redirect:
		return nil, refuse("bad_redirect_uri")
	}
	code.used = true
	t := s.install(code.ws, code.scopes)
	reply := obj{
		"access_token": t.value, "token_type": "bot", "scope": strings.Join(t.scopes, ","), "bot_user_id": code.ws.bot.spec.ID,
		"app_id": s.app.ID, "team": obj{"id": code.ws.spec.ID, "name": code.ws.spec.Domain}, "enterprise": code.ws.enterprise(),
		"authed_user": obj{"id": code.ws.slack.spec.ID}, "is_enterprise_install": t.org != "",
	}
	if t.org != "" {
		reply["team"] = nil
	}
	return reply, nil
}
