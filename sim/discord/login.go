package discord

import (
	"net/http"
	"net/url"
	"slices"
)

// loginPath is where a browser becomes that of a person, as after signing in to
// Discord itself. It is the simulator's own.
const loginPath = "/api/login"

// loginCookie names the person whose browser it is, for the next authorization.
const loginCookie = "sim_discord_user"

// loginLife is how long that lasts, in seconds: then the simulator asks again.
const loginLife = 60

// LogIn is an address that makes a browser the person's and leads on to another
// address, of an application that people may be sent back to.
func (u *User) LogIn(to string) string {
	return u.server.APIURL() + loginPath[len("/api"):] + "?" + url.Values{"user": {u.ID}, "to": {to}}.Encode()
}

// logIn answers the address of LogIn; s.mu is held.
func (s *Server) logIn(w http.ResponseWriter, r *http.Request) int {
	to, err := url.Parse(r.URL.Query().Get("to"))
	u := s.world.users[r.URL.Query().Get("user")]
	known := err == nil && slices.ContainsFunc(s.oauthOf().redirects, func(back string) bool {
		b, err := url.Parse(back)
		return err == nil && b.Scheme == to.Scheme && b.Host == to.Host
	})
	if u == nil || u.bot || !known {
		http.Error(w, "nobody can go there", http.StatusBadRequest)
		return http.StatusBadRequest
	}
	setLogin(w, u.ID, loginLife)
	http.Redirect(w, r, to.String(), http.StatusFound) //nolint:gosec // it is where people may be sent back to
	return http.StatusFound
}

// loggedIn is whose browser a request comes from, nil = that is not known. It is
// known once; s.mu is held.
func (s *Server) loggedIn(w http.ResponseWriter, r *http.Request) *User {
	c, err := r.Cookie(loginCookie)
	if err != nil {
		return nil
	}
	setLogin(w, "", -1)
	return s.world.users[c.Value]
}

// setLogin gives a browser the cookie; a negative age takes it away.
func setLogin(w http.ResponseWriter, user string, age int) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // it is a simulator, on this machine alone
		Name: loginCookie, Value: user, Path: "/api/oauth2/authorize", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}
