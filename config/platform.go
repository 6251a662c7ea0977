package config

import (
	"regexp"
	"strings"
)

// Discord is how the bot is on Discord.
type Discord struct {
	Token         Secret   `toml:"token" need:"yes" doc:"Bot token from https://discord.com/developers/applications; empty = Discord is off."`
	ApplicationID string   `toml:"application_id" doc:"Empty = asked of Discord with the token."`
	PublicKey     string   `toml:"public_key" doc:"Needed in mode \"http\": verifies that a request is Discord's."`
	Mode          string   `toml:"mode" doc:"\"gateway\": the bot connects to Discord, nothing needs to be public. \"http\": Discord calls /discord/interactions."`
	APIURL        string   `toml:"api_url" doc:"Discord's REST API."`
	Guilds        []string `toml:"guilds" doc:"Ids of the guilds where commands are registered; every other guild is refused. Empty = everywhere."`
	Channels      []string `toml:"channels" doc:"Ids of the channels, with their threads, where people may make videos; empty = everywhere the bot can post."`
	NSFW          string   `toml:"nsfw" doc:"\"any\": every channel. \"age_restricted_only\": only channels that Discord marks as age-restricted."`
	AdminRoles    []string `toml:"admin_roles" doc:"Ids of the roles that may manage quotas, besides everybody with Manage Server."`
}

func defaultDiscord() Discord {
	return Discord{
		Token:      secretRef("env:DISCORD_TOKEN"),
		Mode:       "gateway",
		APIURL:     "https://discord.com/api",
		Guilds:     []string{},
		Channels:   []string{},
		NSFW:       "any",
		AdminRoles: []string{},
	}
}

// On tells whether the bot is on Discord.
func (d Discord) On() bool { return d.Token.Reveal() != "" }

var (
	// snowflakePattern is an id of Discord, 64 bits in decimal.
	// https://docs.discord.com/developers/reference#snowflakes
	snowflakePattern = regexp.MustCompile(`^[0-9]{1,20}$`)
	hexKeyPattern    = regexp.MustCompile(`^[0-9a-fA-F]{64}$`)
)

const snowflake = `an id of Discord: digits, such as "175928847299117063"`

func (d Discord) check(k *checker) {
	k.oneOf("discord.mode", d.Mode, "gateway", "http")
	k.baseURL("discord.api_url", d.APIURL)
	if d.ApplicationID != "" {
		k.matches("discord.application_id", d.ApplicationID, snowflakePattern, snowflake)
	}
	switch {
	case d.PublicKey != "":
		k.matches("discord.public_key", d.PublicKey, hexKeyPattern, "64 hexadecimal digits, from the application's General Information page")
	case d.On() && d.Mode == "http":
		k.add("discord.public_key", `""`, `must be set in mode "http": it verifies that a request is Discord's`)
	}
	k.each("discord.guilds", d.Guilds, snowflakePattern, snowflake)
	k.each("discord.channels", d.Channels, snowflakePattern, snowflake)
	k.oneOf("discord.nsfw", d.NSFW, "any", "age_restricted_only")
	k.each("discord.admin_roles", d.AdminRoles, snowflakePattern, snowflake)
}

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
