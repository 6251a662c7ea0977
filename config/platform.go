package config

import (
	"regexp"
	"slices"
	"strings"
)

// chats are the chat platforms that the config has a section for.
var chats = []chat{discordChat, slackChat}

// A chat is what the config knows of a chat platform.
type chat struct {
	name  string // of its section; begins the ids of its members, teams and channels
	title string
	need  string // the key that switches it on

	tenant, group   ids // guilds in a [[team]] and roles in a [[quota.tier]]
	member, channel ids // with the name of the platform

	tenants func(Team) []string
	groups  func(Tier) []string
	read    func(Config) Platform
}

// ids are ids of one kind: the key where they are, what they look like, and
// how a person is told.
type ids struct {
	key     string
	pattern *regexp.Regexp
	text    string
}

// A Platform is what a config says of a chat platform, in words that fit all
// of them.
type Platform struct {
	Name    string // "discord"
	On      bool
	Off     string // why it is not on: "discord.token is empty"
	APIURL  string
	Command string   // what people type
	Tenants []string // ids of the guilds or workspaces that its section names
	Teams   []string // those of Tenants that are one guild or workspace each
	// OnlyTenants says that the bot can't be anywhere but in Tenants.
	OnlyTenants bool

	closed bool // refuses other tenants unless quota.unlisted_teams says otherwise
}

// PlatformNames returns the names of all chat platforms: "discord", "slack".
func PlatformNames() []string {
	names := make([]string, len(chats))
	for n, p := range chats {
		names[n] = p.name
	}
	return names
}

// Platforms returns what the config says of each chat platform, also of those
// that are off.
func (c Config) Platforms() []Platform {
	all := make([]Platform, len(chats))
	for n, p := range chats {
		all[n] = p.read(c)
		all[n].Name = p.name
	}
	return all
}

// RefusesUnlisted tells whether guilds ("discord") or workspaces ("slack")
// that the config does not name are refused.
func (c Config) RefusesUnlisted(platform string) bool {
	if c.Quota.UnlistedTeams != "" {
		return c.Quota.UnlistedTeams == refuseUnlisted
	}
	return slices.ContainsFunc(c.Platforms(), func(p Platform) bool { return p.Name == platform && p.closed })
}

// On returns the ids of the team's guilds or workspaces on a platform.
func (t Team) On(platform string) []string {
	for _, p := range chats {
		if p.name == platform {
			return p.tenants(t)
		}
	}
	return nil
}

// On returns the ids of the tier's roles or user groups on a platform.
func (t Tier) On(platform string) []string {
	for _, p := range chats {
		if p.name == platform {
			return p.groups(t)
		}
	}
	return nil
}

// IsTenant tells whether id can be that of a guild or workspace.
func IsTenant(platform, id string) bool {
	return slices.ContainsFunc(chats, func(p chat) bool { return p.name == platform && p.tenant.pattern.MatchString(id) })
}

// checkPlatforms checks that one is on.
func (c Config) checkPlatforms(k *checker) {
	if !slices.ContainsFunc(c.Platforms(), func(p Platform) bool { return p.On }) {
		k.add("", "", "neither "+list(" nor ", func(p chat) string { return p.title })+" is configured: set "+
			list(" or ", func(p chat) string { return p.need }))
	}
}

// anyOf is the pattern of ids that may be of every platform.
func anyOf(kind func(chat) ids) *regexp.Regexp {
	return regexp.MustCompile(list("|", func(p chat) string { return kind(p).pattern.String() }))
}

// list joins what is said of each platform.
func list(sep string, of func(chat) string) string {
	words := make([]string, len(chats))
	for n, p := range chats {
		words[n] = of(p)
	}
	return strings.Join(words, sep)
}
