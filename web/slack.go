package web

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Slack signs people in by "Sign in with Slack", which is OpenID Connect.
// https://docs.slack.dev/authentication/sign-in-with-slack
//
// What somebody may do is asked with the bot's own token, at each page.
type Slack struct {
	Client

	Now func() time.Time // nil = time.Now
}

// slackScopes are what is asked of a person.
const slackScopes = "openid profile"

// clockSkew is how far Slack's clock may be from this one's.
const clockSkew = 5 * time.Minute

// Platform implements SignIn.
func (Slack) Platform() string { return "slack" }

// Title implements SignIn.
func (Slack) Title() string { return "Slack" }

func (s Slack) api(method string) string { return strings.TrimSuffix(s.APIURL, "/") + "/" + method }

// issuer is Slack as its ID tokens name it: "https://slack.com". The addresses are
// those of https://slack.com/.well-known/openid-configuration.
func (s Slack) issuer() string {
	return strings.TrimSuffix(strings.TrimSuffix(s.APIURL, "/"), "/api")
}

// Address implements SignIn.
func (s Slack) Address(ctx context.Context, p Proof) (string, error) {
	id, err := s.ID(ctx)
	return s.issuer() + "/openid/connect/authorize?" + url.Values{
		"response_type": {"code"}, "client_id": {id}, "scope": {slackScopes}, "state": {p.State}, "nonce": {p.Nonce}, "redirect_uri": {p.Redirect},
	}.Encode(), err
}

// Identify implements SignIn. The person's token is not kept. It is not revoked
// either: Slack uninstalls an app with the last of its tokens.
// https://docs.slack.dev/reference/methods/auth.revoke
func (s Slack) Identify(ctx context.Context, code string, p Proof) (Identity, error) {
	id, err := s.ID(ctx)
	if err != nil {
		return Identity{}, err
	}
	var token struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
		IDToken     string `json:"id_token"`
	}
	err = s.call(ctx, s.api("openid.connect.token"), "", url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {p.Redirect}, "client_id": {id}, "client_secret": {s.Secret},
	}, &token)
	if err != nil {
		return Identity{}, err
	}
	if token.AccessToken == "" {
		return Identity{}, errors.New("slack gave no token")
	}
	bearer := "Bearer " + token.AccessToken
	claims, err := s.claims(token.IDToken, id, p.Nonce)
	if err != nil {
		return Identity{}, err
	}
	var user slackClaims
	if err := s.call(ctx, s.api("openid.connect.userInfo"), bearer, url.Values{}, &user); err != nil {
		return Identity{}, err
	}
	if user.Subject != claims.Subject || user.User == "" || user.Team == "" {
		return Identity{}, &RefusedError{"the user info is about somebody else than the ID token"}
	}
	return Identity{User: user.User, Home: user.Team, Name: user.Name, Tenants: []string{user.Team}}, nil
}

// slackClaims is what Slack says of somebody.
type slackClaims struct {
	Issuer   string   `json:"iss"`
	Audience audience `json:"aud"`
	Subject  string   `json:"sub"`
	Expires  int64    `json:"exp"`
	Nonce    string   `json:"nonce"`
	Name     string   `json:"name"`
	User     string   `json:"https://slack.com/user_id"`
	Team     string   `json:"https://slack.com/team_id"`
}

// audience is one name or several.
type audience []string

// UnmarshalJSON implements json.Unmarshaler.
func (a *audience) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(a))
}

// claims reads an ID token and checks that it was made for this sign-in. It came
// from Slack itself, over TLS and for the client's secret, so its signature proves
// nothing more.
// https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
func (s Slack) claims(token, client, nonce string) (slackClaims, error) {
	var c slackClaims
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return c, &RefusedError{"there is no ID token"}
	}
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(body, &c) != nil {
		return c, &RefusedError{"the ID token can't be read"}
	}
	now := time.Now
	if s.Now != nil {
		now = s.Now
	}
	switch {
	case c.Issuer != s.issuer():
		return c, &RefusedError{"the ID token is not Slack's"}
	case !slices.Contains(c.Audience, client):
		return c, &RefusedError{"the ID token is for another app"}
	case c.Nonce != nonce || nonce == "":
		return c, &RefusedError{"the ID token is of another sign-in"}
	case now().After(time.Unix(c.Expires, 0).Add(clockSkew)):
		return c, &RefusedError{"the ID token has expired; is the clock right?"}
	}
	return c, nil
}
