package discord

import (
	"cmp"
	"slices"
	"strings"

	"ltxbot/bot"
	"ltxbot/bot/text"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
)

// Permissions that decide who may do what.
// https://discord.com/developers/docs/topics/permissions#permissions-bitwise-permission-flags
const (
	permAdministrator  = 1 << 3
	permManageGuild    = 1 << 5
	permViewChannel    = 1 << 10
	permSendMessages   = 1 << 11
	permAttachFiles    = 1 << 15
	permReadHistory    = 1 << 16
	permConnect        = 1 << 20
	permManageThreads  = 1 << 34
	permSendInThreads  = 1 << 38
	permManageGuildSet = "32" // permManageGuild, as commands take it
)

// Types of channels.
// https://discord.com/developers/docs/resources/channel#channel-object-channel-types
var (
	threadTypes = []int{10, 11, typePrivateThread}
	voiceTypes  = []int{2, 13} // to talk in, each with a chat
)

const typePrivateThread = 12

// needed are the permissions without which a video cannot be posted once, by
// the key of the text that names each. Without the history a video whose post
// was interrupted could not be found again, and would be there twice.
var needed = []struct {
	bit     uint64
	key     string
	thread  bool // in a thread
	plain   bool // elsewhere
	message bool // for a message without a video, too
}{
	{permViewChannel, "discord.permission.view_channel", true, true, true},
	{permSendMessages, "discord.permission.send_messages", false, true, true},
	{permSendInThreads, "discord.permission.send_in_threads", true, false, true},
	{permAttachFiles, "discord.permission.attach_files", true, true, false},
	{permReadHistory, "discord.permission.read_history", true, true, false},
}

// caller is who did it, with the roles that this interaction reports.
func (b *Bot) caller(i *interaction) bot.Caller {
	c := bot.Caller{
		Platform: platform, Member: platform + ":" + i.user(), Team: b.team(i.GuildID), Locale: i.Locale,
		Event: i.event(),
	}
	if i.Member != nil {
		c.Tiers = b.cfg.Tiers(c.Member, i.Member.Roles)
		c.Admin = permissions(i.Member.Permissions)&(permManageGuild|permAdministrator) != 0 ||
			slices.ContainsFunc(i.Member.Roles, func(r string) bool { return slices.Contains(b.cfg.AdminRoles, r) })
	}
	return c
}

// place is where it happened.
func (i *interaction) place(private bool) generate.Place {
	return generate.Place{
		Platform: platform, Tenant: i.GuildID, Channel: i.ChannelID, User: i.user(), Locale: i.Locale, Private: private,
	}
}

// team is the budget of a guild.
func (b *Bot) team(guild string) string {
	return cmp.Or(b.cfg.Team(guild), platform+":"+guild)
}

// refuseGuild says why the bot does nothing at all in the server of an
// interaction, or returns nil. Buttons and commands outlive a change of
// discord.guilds, so each interaction is checked. Direct messages pass: no
// video is made there, and what the bot sent there has buttons that cost
// nothing.
func (b *Bot) refuseGuild(i *interaction) *view.Message {
	switch {
	case i.GuildID == "":
		return nil
	case len(b.cfg.Guilds) > 0 && !slices.Contains(b.cfg.Guilds, i.GuildID):
		return b.note(i.Locale, "discord.guild_not_served")
	case len(i.Owners) > 0 && i.Owners[ownerGuild] == "":
		// The person installed the bot for themselves. The server did not, so
		// nobody there has agreed to pay.
		return b.note(i.Locale, "discord.not_in_guild")
	}
	return nil
}

// refusePlace says why nobody can make a video where the interaction
// happened, or returns nil.
func (b *Bot) refusePlace(i *interaction) *view.Message {
	switch {
	case i.GuildID == "" || i.Member == nil:
		return b.note(i.Locale, "discord.only_in_servers")
	case !b.allowedChannel(i):
		var spans []text.Span
		for n, id := range b.cfg.Channels {
			if n > 0 {
				spans = append(spans, text.Span{Text: ", "})
			}
			spans = append(spans, text.Span{Style: text.MentionOf, Member: channelPrefix + id, Text: id})
		}
		m := b.note(i.Locale, "discord.channel_not_allowed")
		m.Blocks = append(m.Blocks, view.Block{Kind: view.Text, Spans: spans})
		return m
	case b.cfg.AgeRestrictedOnly && !i.Channel.NSFW:
		return b.note(i.Locale, "discord.age_restricted_only")
	}
	return nil
}

// refusePermissions says which permission the bot lacks to post a video where
// the interaction happened, or returns nil. It is asked before money is spent.
func (b *Bot) refusePermissions(i *interaction) *view.Message {
	if missing := b.missing(i.Locale, permissions(i.AppPermissions), i.Channel.Type, true); len(missing) > 0 {
		return b.note(i.Locale, "place.no_permission", "permissions", strings.Join(missing, ", "))
	}
	return nil
}

// allowedChannel reports whether the operator allows videos there. A thread
// is allowed with its channel.
func (b *Bot) allowedChannel(i *interaction) bool {
	return len(b.cfg.Channels) == 0 || slices.Contains(b.cfg.Channels, i.ChannelID) ||
		i.Channel.ParentID != "" && slices.Contains(b.cfg.Channels, i.Channel.ParentID)
}

// missing names what is needed in a channel of a type and is not among the
// permissions that the bot has: for videos, or only for messages.
func (b *Bot) missing(locale string, have uint64, channelType int, videos bool) []string {
	if have&permAdministrator != 0 || channelType == typeCategory {
		return nil
	}
	thread := slices.Contains(threadTypes, channelType) || slices.Contains(forumTypes, channelType)
	var missing []string
	for _, p := range needed {
		applies := (thread && p.thread || !thread && p.plain) && (videos || p.message)
		if applies && have&p.bit == 0 {
			missing = append(missing, b.text(locale, p.key))
		}
	}
	return missing
}
