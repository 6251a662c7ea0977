package config

import (
	"regexp"
	"slices"
	"strings"
)

// Slack is how the bot is on Slack.
type Slack struct {
	BotToken      Secret   `toml:"bot_token" need:"yes" doc:"Bot token, xoxb-…, from https://api.slack.com/apps. Slack is off when this and client_id are empty."`
	AppToken      Secret   `toml:"app_token" need:"yes" doc:"App-level token, xapp-…, with connections:write. Needed in mode \"socket\"."`
	SigningSecret Secret   `toml:"signing_secret" need:"yes" doc:"Needed in mode \"http\": verifies that a request is Slack's."`
	Mode          string   `toml:"mode" doc:"\"socket\": the bot connects to Slack, nothing needs to be public. \"http\": Slack calls /slack/commands, /slack/interactions, /slack/options and /slack/events."`
	APIURL        string   `toml:"api_url" doc:"Slack's Web API."`
	Command       string   `toml:"command" doc:"The slash command, as in the app's manifest."`
	AdminGroups   []string `toml:"admin_groups" doc:"Ids of the user groups that may manage quotas, besides workspace admins and owners."`
	AllowGuests   bool     `toml:"allow_guests" doc:"Whether guests and people of other organisations in shared channels may make videos."`
	ClientID      string   `toml:"client_id" doc:"Client ID of the app, which lets several workspaces install it at /slack/install; empty = the workspace of bot_token is the only one. See docs/slack.md."`
	ClientSecret  Secret   `toml:"client_secret" doc:"Needed with client_id."`
	TokenKey      Secret   `toml:"token_key" doc:"Needed with client_id: encrypts the tokens of the workspaces in the store. 32 bytes as 64 hexadecimal digits or as base64; openssl rand -hex 32 makes one. It must stay the same."`
	TokenKeyLost  bool     `toml:"token_key_lost" doc:"true = token_key is a new one because the old one is lost; every workspace must install the app again."`
	RedirectURL   string   `toml:"redirect_url" doc:"Public https address of /slack/oauth, as under Redirect URLs in the app's settings; empty = fal.webhook_url and that path."`
	Workspaces    []string `toml:"workspaces" doc:"Ids of the workspaces and organisations that may install the app with client_id; empty = everybody who finds the address, each with a team's budget of their own."`
}

func defaultSlack() Slack {
	return Slack{
		BotToken:      secretRef("env:SLACK_BOT_TOKEN"),
		AppToken:      secretRef("env:SLACK_APP_TOKEN"),
		SigningSecret: secretRef("env:SLACK_SIGNING_SECRET"),
		Mode:          "socket",
		APIURL:        "https://slack.com/api/",
		Command:       "/ltx",
		AdminGroups:   []string{},
		ClientSecret:  secretRef("env:SLACK_CLIENT_SECRET"),
		TokenKey:      secretRef("env:SLACK_TOKEN_KEY"),
		Workspaces:    []string{},
	}
}

// On tells whether the bot is on Slack.
func (s Slack) On() bool { return s.BotToken.Reveal() != "" || s.Several() }

var (
	// commandPattern is a slash command that Slack accepts.
	// https://docs.slack.dev/interactivity/implementing-slash-commands
	commandPattern   = regexp.MustCompile(`^/[a-z0-9_-]{1,31}$`)
	groupPattern     = regexp.MustCompile(`^S[A-Z0-9]+$`)
	workspacePattern = regexp.MustCompile(`^[TE][A-Z0-9]+$`)
)

const group = `an id of a Slack user group, such as "S0614TZR7"`

var slackChat = chat{
	name: "slack", title: "Slack", need: "slack.bot_token (SLACK_BOT_TOKEN)",
	tenant:  ids{"slack_workspaces", workspacePattern, workspace},
	group:   ids{"slack_groups", groupPattern, group},
	member:  ids{"members", regexp.MustCompile(`^slack:[TE][A-Z0-9]+:[UW][A-Z0-9]+$`), `"slack:<team or enterprise id>:<user id>"`},
	channel: ids{"admin_channel", regexp.MustCompile(`^slack:[CG][A-Z0-9]+$`), `"slack:<channel id>"`},
	tenants: func(t Team) []string { return t.SlackWorkspaces },
	groups:  func(t Tier) []string { return t.SlackGroups },
	read: func(c Config) Platform {
		p := Platform{
			On: c.Slack.On(), Off: "slack.bot_token and slack.client_id are empty", APIURL: c.Slack.APIURL, Command: c.Slack.Command,
			Tenants: c.Slack.Workspaces, OnlyTenants: c.Slack.Several() && len(c.Slack.Workspaces) > 0,
			closed: len(c.Teams) > 0 || len(c.Discord.Guilds) > 0,
		}
		if !c.Slack.Several() {
			// The app is in the one workspace where the operator has put it.
			p.closed = slices.ContainsFunc(c.Teams, func(t Team) bool { return len(t.SlackWorkspaces) > 0 })
		}
		for _, id := range p.Tenants {
			if strings.HasPrefix(id, "T") { // E… is an organisation of several
				p.Teams = append(p.Teams, id)
			}
		}
		return p
	},
}

func (s Slack) check(k *checker) {
	k.oneOf("slack.mode", s.Mode, "socket", "http")
	k.baseURL("slack.api_url", s.APIURL)
	k.matches("slack.command", s.Command, commandPattern, `a slash, then at most 31 lower-case letters, digits, - and _, such as "/ltx"`)
	k.each("slack.admin_groups", s.AdminGroups, groupPattern, group)
	if !s.On() {
		return
	}
	if token := s.BotToken.Reveal(); token != "" && !strings.Contains(token, "xoxb-") {
		k.add("slack.bot_token", "", "must be a bot token: it starts with xoxb-")
	}
	app := s.AppToken.Reveal()
	switch {
	case s.Mode == "socket" && app == "":
		k.add("slack.app_token", "", `must be set in mode "socket" (SLACK_APP_TOKEN)`)
	case app != "" && !strings.HasPrefix(app, "xapp-"):
		k.add("slack.app_token", "", "must be an app-level token: it starts with xapp-")
	}
	if s.Mode == "http" && s.SigningSecret.Reveal() == "" {
		k.add("slack.signing_secret", "", `must be set in mode "http" (SLACK_SIGNING_SECRET)`)
	}
}
