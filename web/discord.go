package web

import (
	"context"
	"errors"
	"net/url"
	"strings"
)

// Discord signs people in by Discord's OAuth2.
// https://docs.discord.com/developers/topics/oauth2
//
// It asks for the scopes identify and guilds: who somebody is, and in which
// guilds. What they may do there is asked of Discord with the bot's own token, at
// each page: so nothing of the person's has to be kept, and a role that was taken
// away counts at once.
type Discord struct{ Client }

// discordScopes are what is asked of a person.
const discordScopes = "identify guilds"

// Platform implements SignIn.
func (Discord) Platform() string { return "discord" }

// Title implements SignIn.
func (Discord) Title() string { return "Discord" }

func (d Discord) api(path string) string { return strings.TrimSuffix(d.APIURL, "/") + path }

// Address implements SignIn. Discord announces both endpoints, and PKCE with S256,
// at https://discord.com/.well-known/oauth-authorization-server.
func (d Discord) Address(ctx context.Context, p Proof) (string, error) {
	id, err := d.ID(ctx)
	return d.api("/oauth2/authorize") + "?" + url.Values{
		"response_type": {"code"}, "client_id": {id}, "scope": {discordScopes}, "state": {p.State}, "redirect_uri": {p.Redirect},
		"code_challenge": {p.challenge()}, "code_challenge_method": {"S256"}, "prompt": {"none"},
	}.Encode(), err
}

// Identify implements SignIn. The person's token is revoked at once.
func (d Discord) Identify(ctx context.Context, code string, p Proof) (Identity, error) {
	id, err := d.ID(ctx)
	if err != nil {
		return Identity{}, err
	}
	client := basic(id, d.Secret)
	var token struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
		Scope       string `json:"scope"`
	}
	err = d.call(ctx, d.api("/oauth2/token"), client, url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {p.Redirect}, "code_verifier": {p.Verifier},
	}, &token)
	if err != nil {
		return Identity{}, err
	}
	if token.AccessToken == "" || !strings.EqualFold(token.TokenType, "Bearer") {
		return Identity{}, errors.New("discord gave no bearer token")
	}
	defer func() {
		revoke := url.Values{"token": {token.AccessToken}, "token_type_hint": {"access_token"}}
		_ = d.call(context.WithoutCancel(ctx), d.api("/oauth2/token/revoke"), client, revoke, nil) // else it ends by itself, in a week
	}()
	bearer := "Bearer " + token.AccessToken
	var user struct {
		ID         string `json:"id"`
		Username   string `json:"username"`
		GlobalName string `json:"global_name"`
	}
	if err := d.call(ctx, d.api("/v10/users/@me"), bearer, nil, &user); err != nil {
		return Identity{}, err
	}
	var guilds []struct {
		ID string `json:"id"`
	}
	if err := d.call(ctx, d.api("/v10/users/@me/guilds"), bearer, nil, &guilds); err != nil {
		return Identity{}, err
	}
	if user.ID == "" {
		return Identity{}, errors.New("discord did not say who it is")
	}
	who := Identity{User: user.ID, Name: user.GlobalName}
	if who.Name == "" {
		who.Name = user.Username
	}
	for _, g := range guilds {
		who.Tenants = append(who.Tenants, g.ID)
	}
	return who, nil
}
