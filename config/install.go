package config

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/url"
	"regexp"
	"strings"
)

// Several tells whether any number of workspaces may install the Slack app, by
// OAuth.
func (s Slack) Several() bool { return s.ClientID != "" }

// oauthPath is where a browser comes back to from Slack.
const oauthPath = "/slack/oauth"

// SlackRedirect returns the public address of /slack/oauth: slack.redirect_url,
// or what follows from fal.webhook_url; empty when neither is set.
func (c Config) SlackRedirect() string {
	switch {
	case c.Slack.RedirectURL != "":
		return c.Slack.RedirectURL
	case c.Fal.WebhookURL != "":
		return strings.TrimSuffix(c.Fal.WebhookURL, "/") + oauthPath
	}
	return ""
}

// tokenKeySize is the size of a key of AES-256, in bytes.
const tokenKeySize = 32

var errTokenKey = errors.New("must be 32 bytes as 64 hexadecimal digits or as base64; `openssl rand -hex 32` makes one")

// DecodeTokenKey returns the 32 bytes of TokenKey.
func (s Slack) DecodeTokenKey() ([]byte, error) {
	text := s.TokenKey.Reveal()
	if key, err := hex.DecodeString(text); err == nil && len(key) == tokenKeySize {
		return key, nil
	}
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	if key, err := base64.RawStdEncoding.DecodeString(text); err == nil && len(key) == tokenKeySize {
		return key, nil
	}
	return nil, errTokenKey
}

// clientPattern is the id of a Slack app's client.
var clientPattern = regexp.MustCompile(`^[0-9]+\.[0-9]+$`)

const workspace = `an id of a Slack workspace or organisation, such as "T0614TZR7"`

// checkSeveral checks what installations by OAuth need.
func (c Config) checkSeveral(k *checker) {
	s := c.Slack
	k.each("slack.workspaces", s.Workspaces, workspacePattern, workspace)
	if !s.Several() {
		return
	}
	k.matches("slack.client_id", s.ClientID, clientPattern, `the Client ID of the app, such as "3336676.569200954261"`)
	if s.ClientSecret.Reveal() == "" {
		k.add("slack.client_secret", "", "must be set with slack.client_id (SLACK_CLIENT_SECRET)")
	}
	switch _, err := s.DecodeTokenKey(); {
	case s.TokenKey.Reveal() == "":
		k.add("slack.token_key", "", "must be set with slack.client_id (SLACK_TOKEN_KEY): it encrypts the tokens of workspaces in the store; "+
			"`openssl rand -hex 32` makes one")
	case err != nil:
		k.add("slack.token_key", "", err.Error())
	}
	redirect := c.SlackRedirect()
	if redirect == "" {
		k.add("slack.redirect_url", `""`, "must be set with slack.client_id, such as \"https://ltx.example.com/slack/oauth\"")
		return
	}
	if s.RedirectURL == "" {
		return // fal.webhook_url is checked where it is
	}
	k.baseURL("slack.redirect_url", redirect)
	if u, err := url.Parse(redirect); err == nil && u.Host != "" && !strings.HasSuffix(u.Path, oauthPath) {
		k.add("slack.redirect_url", quote(redirect), "must end in "+oauthPath)
	}
}
