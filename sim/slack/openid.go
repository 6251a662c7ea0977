package slack

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// idTokenLife is how long an ID token is good for.
const idTokenLife = 5 * time.Minute

// signInScopes are what "Sign in with Slack" can ask for.
// https://docs.slack.dev/authentication/sign-in-with-slack
var signInScopes = []string{"openid", "email", "profile"}

// signInState is the sign-ins under way.
type signInState struct {
	redirects []string
	codes     map[string]*signInCode
	tokens    map[string]*User // by the access token
}

// signInCode is a code that a person's consent has produced.
type signInCode struct {
	user     *User
	nonce    string
	redirect string
	expires  time.Time
	used     bool
}

// SetRedirects registers the addresses to which people are sent back when they have
// signed in, as under Redirect URLs in the app's settings. An address below one of
// them will do, too.
func (s *Server) SetRedirects(addresses ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signIns().redirects = addresses
}

// signIns is the state of sign-ins; s.mu is held.
func (s *Server) signIns() *signInState {
	if s.signIn == nil {
		s.signIn = &signInState{codes: map[string]*signInCode{}, tokens: map[string]*User{}}
	}
	return s.signIn
}

// SignIn is a person who opens the address of "Sign in with Slack" and allows it.
// It returns where the browser is sent back to.
func (u *User) SignIn(address string) (back string, err error) {
	at, err := url.Parse(address)
	if err != nil || !strings.HasPrefix(address, u.s.base+"/openid/connect/authorize?") {
		return "", fmt.Errorf("slack: sign in: %s is not Slack's address for it", address)
	}
	u.s.mu.Lock()
	defer u.s.mu.Unlock()
	back, refused := u.s.allowSignIn(at.Query(), u)
	if refused != "" {
		return "", fmt.Errorf("slack: sign in: %s", refused)
	}
	return back, nil
}

// allowSignIn makes a code; s.mu is held.
func (s *Server) allowSignIn(q url.Values, u *User) (back, refused string) {
	scopes := strings.FieldsFunc(q.Get("scope"), func(r rune) bool { return r == ' ' || r == ',' })
	redirect, err := url.Parse(q.Get("redirect_uri"))
	in := s.signIns()
	switch {
	case q.Get("client_id") != s.creds.clientID:
		return "", "invalid_client_id"
	case q.Get("response_type") != "code":
		return "", "unsupported_response_type"
	case !slices.Contains(scopes, "openid") || slices.ContainsFunc(scopes, func(x string) bool { return !slices.Contains(signInScopes, x) }):
		return "", "invalid_scope"
	case err != nil || !slices.ContainsFunc(in.redirects, func(known string) bool { return strings.HasPrefix(q.Get("redirect_uri"), known) }):
		return "", "bad_redirect_uri"
	}
	code := secret()
	in.codes[code] = &signInCode{user: u, nonce: q.Get("nonce"), redirect: q.Get("redirect_uri"), expires: s.clock.Now().Add(codeLife)}
	values := redirect.Query()
	values.Set("code", code)
	values.Set("state", q.Get("state"))
	redirect.RawQuery = values.Encode()
	return redirect.String(), ""
}

var signInPage = template.Must(template.New("person").Parse(`<!doctype html><html lang="en"><title>Slack</title><link rel="icon" href="data:,"><h1>Who are you?</h1>
<ul>{{range .}}<li><a href="{{.Address}}">{{.Name}}</a></li>{{end}}</ul></html>`))

// serveSignInPage is the page that asks a person to allow it. The simulator does
// not know whose browser it is: it asks.
func (s *Server) serveSignInPage(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := r.URL.Query()
	if u := s.users[q.Get("as")]; u != nil {
		back, refused := s.allowSignIn(q, u)
		if refused != "" {
			http.Error(w, refused, http.StatusBadRequest)
			return
		}
		http.Redirect(w, r, back, http.StatusFound) //nolint:gosec // it is one of the registered addresses
		return
	}
	type person struct{ Name, Address string }
	var people []person
	for _, ws := range s.workspaces {
		for _, u := range ws.people {
			if !u.spec.Bot {
				q.Set("as", u.spec.ID)
				people = append(people, person{u.spec.Name + " (" + ws.spec.Domain + ")", "?" + q.Encode()})
			}
		}
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = signInPage.Execute(w, people) // a browser that is gone asks again
}

// openIDToken exchanges a code, once.
// https://docs.slack.dev/reference/methods/openid.connect.token
func (s *Server) openIDToken(c *call) (obj, error) {
	id, password := c.client[0], c.client[1]
	if id == "" {
		id, password = c.str("client_id"), c.str("client_secret")
	}
	code := s.signIns().codes[c.str("code")]
	switch {
	case id != s.creds.clientID:
		return nil, refuse("invalid_client_id")
	case password != s.creds.clientSecret:
		return nil, refuse("bad_client_secret")
	case c.str("grant_type") != "" && c.str("grant_type") != "authorization_code":
		return nil, refuse("invalid_grant_type")
	case code == nil, s.clock.Now().After(code.expires):
		return nil, refuse("invalid_code")
	case code.used:
		return nil, refuse("code_already_used")
	case c.str("redirect_uri") != code.redirect:
		return nil, refuse("bad_redirect_uri")
	}
	code.used = true
	token := "xoxp-" + strings.TrimLeft(code.user.ws.spec.ID, "T") + "-" + secret()
	s.signIns().tokens[token] = code.user
	claims := code.user.claims()
	now := s.clock.Now()
	claims["iss"], claims["aud"], claims["iat"], claims["exp"] = s.base, s.creds.clientID, now.Unix(), now.Add(idTokenLife).Unix()
	claims["auth_time"] = now.Unix()
	if code.nonce != "" {
		claims["nonce"] = code.nonce
	}
	signed, err := signToken(claims)
	if err != nil {
		return nil, err
	}
	return obj{"access_token": token, "token_type": "Bearer", "id_token": signed}, nil
}

// openIDUser says who a token belongs to.
// https://docs.slack.dev/reference/methods/openid.connect.userInfo
func (s *Server) openIDUser(c *call) (obj, error) {
	u := s.signIns().tokens[c.auth]
	switch {
	case c.auth == "":
		return nil, refuse("not_authed")
	case u == nil:
		return nil, refuse("invalid_auth")
	case u.deleted:
		return nil, refuse("account_inactive")
	}
	return u.claims(), nil
}

// claims is what Slack says of somebody who has signed in.
func (u *User) claims() obj {
	return obj{
		"sub": u.spec.ID, "https://slack.com/user_id": u.spec.ID, "https://slack.com/team_id": u.ws.spec.ID,
		"name": u.spec.RealName, "locale": u.spec.Locale, "https://slack.com/team_name": u.ws.spec.Domain,
		"https://slack.com/team_domain": u.ws.spec.Domain,
	}
}

// signingKey signs ID tokens: one for the program, since making one takes a while.
var signingKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// signToken is a JSON Web Token with RS256.
// https://www.rfc-editor.org/rfc/rfc7515
func signToken(claims obj) (string, error) {
	key, err := signingKey()
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","kid":"sim","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString(body)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	return text + "." + base64.RawURLEncoding.EncodeToString(signature), err
}

// serveKeys serves the key by which ID tokens are verified.
func (s *Server) serveKeys(w http.ResponseWriter, _ *http.Request) {
	key, err := signingKey()
	if err != nil {
		http.Error(w, "no key", http.StatusInternalServerError)
		return
	}
	encode := base64.RawURLEncoding.EncodeToString
	s.writeJSON(w, http.StatusOK, obj{"keys": []obj{{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "sim",
		"n": encode(key.N.Bytes()), "e": encode(big.NewInt(int64(key.E)).Bytes()),
	}}})
}
