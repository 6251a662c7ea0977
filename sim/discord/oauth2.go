package discord

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// The life of what OAuth2 gives out. Discord's tokens live for a week; how long its
// codes do is not documented, and RFC 6749 recommends ten minutes at most.
// https://docs.discord.com/developers/topics/oauth2#authorization-code-grant
const (
	oauthCodeLife  = 10 * time.Minute
	oauthTokenLife = 7 * 24 * time.Hour
)

// oauthScopes are those that need no approval of Discord's and that a person can
// be asked for.
var oauthScopes = []string{"identify", "email", "connections", "guilds", "guilds.members.read"}

// oauthState is the application's OAuth2.
type oauthState struct {
	secret    string
	redirects []string
	codes     map[string]*oauthCode
	tokens    map[string]*oauthToken
	signIns   int // codes that were exchanged
}

// oauthCode is a code that a person's consent has produced.
type oauthCode struct {
	user      *User
	scopes    []string
	redirect  string
	challenge string // of PKCE; empty = without
	expires   time.Time
	used      bool
}

// oauthToken is an access token of a person.
type oauthToken struct {
	user    *User
	scopes  []string
	expires time.Time
}

// ClientSecret returns the secret of the application, for OAuth2.
func (s *Server) ClientSecret() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.oauthOf().secret
}

// SetRedirects registers the addresses to which people may be sent back, as on the
// OAuth2 page of the application. They are compared exactly.
func (s *Server) SetRedirects(addresses ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.oauthOf().redirects = addresses
}

// oauthOf is the OAuth2 of the application; s.mu is held.
func (s *Server) oauthOf() *oauthState {
	if s.oauth == nil {
		s.oauth = &oauthState{secret: randomText(32), codes: map[string]*oauthCode{}, tokens: map[string]*oauthToken{}}
	}
	return s.oauth
}

// OAuthTokens is how many access tokens of people are good now.
func (s *Server) OAuthTokens() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, t := range s.oauthOf().tokens {
		if s.now().Before(t.expires) {
			n++
		}
	}
	return n
}

// SignIns is how often somebody has signed in to the application.
func (s *Server) SignIns() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.oauthOf().signIns
}

// Authorize is a person who opens the address of an authorization and allows what
// it asks for. It returns where the browser is sent back to. What Discord's own
// page would refuse is a *RefusedError.
func (u *User) Authorize(address string) (back string, err error) {
	s := u.server
	at, err := url.Parse(address)
	if err != nil || !strings.HasPrefix(address, s.APIURL()+"/oauth2/authorize?") {
		return "", &RefusedError{Action: "authorize", Reason: "this is not Discord's address for it"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	redirect, code, refused := s.consent(at.Query(), u)
	if refused != "" {
		return "", &RefusedError{Action: "authorize", Reason: refused}
	}
	q := redirect.Query()
	q.Set("code", code)
	if state := at.Query().Get("state"); state != "" {
		q.Set("state", state)
	}
	redirect.RawQuery = q.Encode()
	return redirect.String(), nil
}

// consent makes a code; s.mu is held.
func (s *Server) consent(q url.Values, u *User) (redirect *url.URL, code, refused string) {
	o, scopes := s.oauthOf(), strings.Fields(q.Get("scope"))
	redirect, err := url.Parse(q.Get("redirect_uri"))
	switch {
	case q.Get("client_id") != s.app:
		return nil, "", "Unknown Application"
	case err != nil || !slices.Contains(o.redirects, q.Get("redirect_uri")):
		return nil, "", "Invalid OAuth2 redirect_uri"
	case q.Get("response_type") != "code":
		return nil, "", "Unsupported response type"
	case len(scopes) == 0 || slices.ContainsFunc(scopes, func(scope string) bool { return !slices.Contains(oauthScopes, scope) }):
		return nil, "", "The requested scope is invalid, unknown, or malformed."
	case q.Get("code_challenge") != "" && q.Get("code_challenge_method") != "S256":
		return nil, "", `Unsupported "code_challenge_method"`
	}
	code = randomText(30)
	o.codes[code] = &oauthCode{
		user: u, scopes: scopes, redirect: q.Get("redirect_uri"), challenge: q.Get("code_challenge"), expires: s.now().Add(oauthCodeLife),
	}
	return redirect, code, ""
}

// oauthRequest reports whether a request is of a person's OAuth2, not of the bot.
func oauthRequest(r *http.Request) bool {
	switch r.URL.Path {
	case loginPath, "/api/oauth2/authorize", "/api/oauth2/token", "/api/oauth2/token/revoke":
		return true
	}
	return strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") && strings.Contains(r.URL.Path, "/users/@me")
}

// serveOAuth answers requests of OAuth2.
func (s *Server) serveOAuth(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	entry := Request{Method: r.Method, Route: r.Method + " " + strings.TrimPrefix(r.URL.Path, "/api")}
	var status int
	var body any
	switch path := strings.TrimPrefix(r.URL.Path, "/api"); {
	case r.Method == http.MethodGet && r.URL.Path == loginPath:
		status = s.logIn(w, r)
	case r.Method == http.MethodGet && path == "/oauth2/authorize":
		status = s.choosePerson(w, r)
	case r.Method == http.MethodPost && path == "/oauth2/token":
		status, body = s.exchangeCode(r)
	case r.Method == http.MethodPost && path == "/oauth2/token/revoke":
		status, body = s.revokeToken(r)
	case r.Method == http.MethodGet && (path == "/v10/users/@me" || path == "/v10/users/@me/guilds"):
		status, body = s.askAsPerson(r, path == "/v10/users/@me/guilds")
	default:
		status, body = http.StatusMethodNotAllowed, errMethodNotAllowed.body()
	}
	entry.Status, entry.At = status, s.now()
	s.requests = append(s.requests, entry)
	if body == nil {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a client that is gone asks again
}

var personPage = template.Must(template.New("person").Parse(`<!doctype html><html lang="en"><title>Discord</title><link rel="icon" href="data:,"><h1>Who are you?</h1>
<ul>{{range .}}<li><a href="{{.Address}}">{{.Name}}</a></li>{{end}}</ul></html>`))

// choosePerson is the page that asks a person to allow it. Where the simulator does
// not know whose browser it is, it asks.
func (s *Server) choosePerson(w http.ResponseWriter, r *http.Request) int {
	q := r.URL.Query()
	u := s.world.users[q.Get("as")]
	if u == nil {
		u = s.loggedIn(w, r)
	}
	if u != nil {
		redirect, code, refused := s.consent(q, u)
		if refused != "" {
			http.Error(w, refused, http.StatusBadRequest)
			return http.StatusBadRequest
		}
		back := redirect.Query()
		back.Set("code", code)
		back.Set("state", q.Get("state"))
		redirect.RawQuery = back.Encode()
		http.Redirect(w, r, redirect.String(), http.StatusFound) //nolint:gosec // it is one of the registered addresses
		return http.StatusFound
	}
	type person struct{ Name, Address string }
	var people []person
	for _, id := range slices.Sorted(maps.Keys(s.world.users)) {
		if u := s.world.users[id]; !u.bot {
			q.Set("as", id)
			people = append(people, person{u.Name, "?" + q.Encode()})
		}
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = personPage.Execute(w, people) // a browser that is gone asks again
	return http.StatusOK
}

// oauthForm reads a form and checks who sends it: the application, by its secret.
// Discord takes forms only.
func (s *Server) oauthForm(r *http.Request) (status int, refused object) {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	r.Body = http.MaxBytesReader(nil, r.Body, 1<<16)
	if kind != "application/x-www-form-urlencoded" || r.ParseForm() != nil {
		return http.StatusBadRequest, oauthError("invalid_request", "the body must be a form")
	}
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	if id != s.app || subtle.ConstantTimeCompare([]byte(secret), []byte(s.oauthOf().secret)) != 1 {
		return http.StatusUnauthorized, object{"error": "invalid_client"}
	}
	return 0, nil
}

func oauthError(code, text string) object {
	return object{"error": code, "error_description": text}
}

// exchangeCode gives a token for a code, once.
func (s *Server) exchangeCode(r *http.Request) (int, any) {
	if status, refused := s.oauthForm(r); refused != nil {
		return status, refused
	}
	o, f := s.oauthOf(), r.PostForm
	code := o.codes[f.Get("code")]
	verifier := f.Get("code_verifier")
	sum := sha256.Sum256([]byte(verifier))
	switch {
	case f.Get("grant_type") != "authorization_code":
		return http.StatusBadRequest, oauthError("unsupported_grant_type", "Unsupported grant type")
	case code == nil || code.used || !s.now().Before(code.expires):
		return http.StatusBadRequest, oauthError("invalid_grant", `Invalid "code" in request.`)
	case f.Get("redirect_uri") != code.redirect:
		return http.StatusBadRequest, oauthError("invalid_grant", `Invalid "redirect_uri" in request.`)
	case code.challenge != "" && verifier == "":
		return http.StatusBadRequest, oauthError("invalid_request", `Missing "code_verifier"`)
	case code.challenge != "" && (len(verifier) < 43 || len(verifier) > 128 || base64.RawURLEncoding.EncodeToString(sum[:]) != code.challenge),
		code.challenge == "" && verifier != "":
		return http.StatusBadRequest, oauthError("invalid_request", `Invalid "code_verifier"`)
	}
	code.used = true
	o.signIns++
	token := randomText(30)
	o.tokens[token] = &oauthToken{code.user, code.scopes, s.now().Add(oauthTokenLife)}
	return http.StatusOK, object{
		"access_token": token, "token_type": "Bearer", "expires_in": int(oauthTokenLife.Seconds()), "refresh_token": randomText(30),
		"scope": strings.Join(code.scopes, " "),
	}
}

func (s *Server) revokeToken(r *http.Request) (int, any) {
	if status, refused := s.oauthForm(r); refused != nil {
		return status, refused
	}
	delete(s.oauthOf().tokens, r.PostForm.Get("token"))
	return http.StatusOK, object{}
}

// askAsPerson answers who a token belongs to, or in which guilds they are.
// https://docs.discord.com/developers/resources/user#get-current-user-guilds
func (s *Server) askAsPerson(r *http.Request, guilds bool) (int, any) {
	t := s.oauthOf().tokens[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	need := "identify"
	if guilds {
		need = "guilds"
	}
	switch {
	case !userAgent.MatchString(r.UserAgent()):
		return errUserAgent.status, errUserAgent.body()
	case t == nil || !s.now().Before(t.expires):
		return errUnauthorized.status, errUnauthorized.body()
	case !slices.Contains(t.scopes, need):
		return http.StatusForbidden, object{"message": "Missing required OAuth2 scope", "code": 50026}
	case !guilds:
		return http.StatusOK, t.user.json()
	}
	in := []object{}
	for _, id := range slices.Sorted(maps.Keys(s.world.guilds)) {
		g := s.world.guilds[id]
		if m := g.members[t.user.ID]; m != nil {
			in = append(in, object{
				"id": g.ID, "name": g.Name, "icon": nil, "banner": nil, "owner": g.owner == t.user.ID,
				"permissions": g.everyone.permissions.String(), "features": []string{},
			})
		}
	}
	return http.StatusOK, in
}
