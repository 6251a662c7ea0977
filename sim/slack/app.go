package slack

import "strings"

// App is the app under test, as its manifest describes it.
// https://docs.slack.dev/reference/app-manifest
type App struct {
	// ID is the app's id; empty means one is made up.
	ID string
	// Name is the app's display name; empty means "ltx".
	Name string
	// Scopes are the bot scopes of a new installation; nil means everything a
	// video bot may ask for.
	Scopes []string
	// Commands are the app's slash commands; nil means /ltx with should_escape.
	Commands []Command
	// Shortcuts are the app's global and message shortcuts.
	Shortcuts []Shortcut
	// Events are the bot events the app has subscribed to; nil means
	// app_home_opened, app_mention, app_uninstalled, tokens_revoked,
	// file_shared and message.im.
	Events []string
	// UnfurlDomains are the domains a video block may come from.
	UnfurlDomains []string
}

// A Command is a slash command of the app.
type Command struct {
	// Name begins with a slash.
	Name string
	// Raw means should_escape is off: the text arrives as it was typed.
	Raw bool
}

// A Shortcut is an entry in the shortcuts menu, or in the menu of a message
// when Message is true.
type Shortcut struct {
	CallbackID string
	Message    bool
}

// AllScopes are the bot scopes that the simulator knows. chat:write.customize
// and connections:write are not among them.
func AllScopes() []string {
	return strings.Fields(`commands chat:write chat:write.public files:write files:read channels:join channels:read groups:read
		im:read im:write mpim:read mpim:write users:read usergroups:read app_mentions:read channels:history groups:history
		im:history mpim:history links.embed:write`)
}

func (a App) withDefaults(s *Server) App {
	if a.ID == "" {
		a.ID = s.newID("A")
	}
	if a.Name == "" {
		a.Name = "ltx"
	}
	if a.Scopes == nil {
		a.Scopes = AllScopes()
	}
	if a.Commands == nil {
		a.Commands = []Command{{Name: "/ltx"}}
	}
	if a.Events == nil {
		a.Events = []string{"app_home_opened", "app_mention", "app_uninstalled", "tokens_revoked", "file_shared", messageIM}
	}
	return a
}

// credentials are the app's own secrets, as on its settings page.
type credentials struct {
	appToken, signingSecret, clientID, clientSecret, verification string
}

func (s *Server) newCredentials() credentials {
	c := credentials{
		appToken:      "xapp-1-" + s.app.ID + "-" + secret(),
		signingSecret: strings.ToLower(secret()),
		clientID:      "100000000001.200000000002",
		clientSecret:  strings.ToLower(secret()),
		verification:  secret(),
	}
	s.tokens[c.appToken] = &token{kind: appToken, scopes: []string{"connections:write", "authorizations:read"}}
	return c
}

// AppToken is the app-level token, with the scopes connections:write and
// authorizations:read.
func (s *Server) AppToken() string { return s.creds.appToken }

// SigningSecret is what HTTP requests to the app are signed with.
func (s *Server) SigningSecret() string { return s.creds.signingSecret }

// Client is the app's OAuth client id and secret.
func (s *Server) Client() (id, clientSecret string) {
	return s.creds.clientID, s.creds.clientSecret
}

// AppID is the id of the app under test.
func (s *Server) AppID() string { return s.app.ID }

func (a App) command(name string) (Command, bool) {
	for _, c := range a.Commands {
		if c.Name == name {
			return c, true
		}
	}
	return Command{}, false
}
