package config

import "regexp"

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

var discordChat = chat{
	name: "discord", title: "Discord", need: "discord.token (DISCORD_TOKEN)",
	tenant:  ids{"discord_guilds", snowflakePattern, snowflake},
	group:   ids{"discord_roles", snowflakePattern, snowflake},
	member:  ids{"members", regexp.MustCompile(`^discord:[0-9]{1,20}$`), `"discord:<user id>"`},
	channel: ids{"admin_channel", regexp.MustCompile(`^discord:[0-9]{1,20}$`), `"discord:<channel id>"`},
	tenants: func(t Team) []string { return t.DiscordGuilds },
	groups:  func(t Tier) []string { return t.DiscordRoles },
	read: func(c Config) Platform {
		return Platform{
			On: c.Discord.On(), Off: "discord.token is empty", APIURL: c.Discord.APIURL, Command: "/ltx",
			Tenants: c.Discord.Guilds, Teams: c.Discord.Guilds, closed: len(c.Teams) > 0 || len(c.Discord.Guilds) > 0,
		}
	},
}

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
