package discord

import "strconv"

// A Permission is a set of Discord permission bits.
// https://discord.com/developers/docs/topics/permissions
type Permission uint64

// The permissions that decide what the bot and the people may do here.
const (
	Administrator          Permission = 1 << 3
	ManageChannels         Permission = 1 << 4
	ManageGuild            Permission = 1 << 5
	AddReactions           Permission = 1 << 6
	ViewChannel            Permission = 1 << 10
	SendMessages           Permission = 1 << 11
	ManageMessages         Permission = 1 << 13
	EmbedLinks             Permission = 1 << 14
	AttachFiles            Permission = 1 << 15
	ReadMessageHistory     Permission = 1 << 16
	MentionEveryone        Permission = 1 << 17
	UseExternalEmojis      Permission = 1 << 18
	Connect                Permission = 1 << 20
	ManageRoles            Permission = 1 << 28
	UseApplicationCommands Permission = 1 << 31
	ManageThreads          Permission = 1 << 34
	CreatePublicThreads    Permission = 1 << 35
	SendMessagesInThreads  Permission = 1 << 38
	UseExternalApps        Permission = 1 << 50

	// DefaultPermissions are what @everyone has in a new guild.
	DefaultPermissions = AddReactions | ViewChannel | SendMessages | EmbedLinks | AttachFiles |
		ReadMessageHistory | UseExternalEmojis | Connect | UseApplicationCommands | CreatePublicThreads |
		SendMessagesInThreads | UseExternalApps

	// AllPermissions is every bit that is defined.
	AllPermissions Permission = 1<<53 - 1
)

func (p Permission) has(q Permission) bool { return p&q == q }

func (p Permission) String() string { return strconv.FormatUint(uint64(p), 10) }

// An overwrite changes the permissions of one role or member in one channel.
type overwrite struct {
	allow, deny Permission
}

func (o overwrite) apply(p Permission) Permission { return p&^o.deny | o.allow }

// permissions returns what user may do in the channel, as documented at
// https://discord.com/developers/docs/topics/permissions#permission-overwrites
func (c *Channel) permissions(user string) Permission {
	if c.guild == nil {
		return DefaultPermissions
	}
	p := c.guild.permissions(user)
	if p.has(Administrator) {
		return AllPermissions
	}
	from := c
	if c.parent != nil {
		from = c.parent // threads have no overwrites of their own
	}
	p = from.overwrites[c.guild.ID].apply(p)
	var roles overwrite
	if m := c.guild.members[user]; m != nil {
		for _, r := range m.roles {
			o := from.overwrites[r]
			roles.allow |= o.allow
			roles.deny |= o.deny
		}
	}
	p = roles.apply(p)
	p = from.overwrites[user].apply(p)
	if !p.has(ViewChannel) {
		return 0
	}
	return p
}

// permissions returns what user may do in the guild, before overwrites.
func (g *Guild) permissions(user string) Permission {
	m := g.members[user]
	if m == nil {
		return 0
	}
	if g.owner == user {
		return AllPermissions
	}
	p := g.everyone.permissions
	for _, r := range m.roles {
		if role := g.roles[r]; role != nil {
			p |= role.permissions
		}
	}
	if p.has(Administrator) {
		return AllPermissions
	}
	return p
}

// sendPermission is what is needed to write in the channel.
func (c *Channel) sendPermission() Permission {
	if c.Type.isThread() {
		return SendMessagesInThreads
	}
	return SendMessages
}

// admits reports whether somebody who may do p sees the channel: private
// threads only their members and who may manage threads.
// https://discord.com/developers/docs/topics/threads#private-threads
func (c *Channel) admits(user string, p Permission) bool {
	return p.has(ViewChannel) && (c.Type != PrivateThread || c.joined[user] || p.has(ManageThreads))
}

// visibleToBot returns the channel if the bot may see it.
func (s *Server) visibleToBot(channelID string) (*Channel, *apiError) {
	c := s.world.channels[channelID]
	if c == nil {
		return nil, errUnknownChannel
	}
	if c.guild == nil {
		return c, nil
	}
	if c.guild.members[s.bot.ID] == nil || !c.admits(s.bot.ID, c.permissions(s.bot.ID)) {
		return nil, errMissingAccess
	}
	return c, nil
}

// openToBot returns the channel if the bot may see its messages: for the chat
// of a voice channel it has to be allowed to connect, too.
// https://discord.com/developers/docs/resources/channel#get-channel-messages
func (s *Server) openToBot(channelID string) (*Channel, *apiError) {
	c, err := s.visibleToBot(channelID)
	if err == nil && c.Type.isVoice() && !c.permissions(s.bot.ID).has(Connect) {
		return nil, errMissingAccess
	}
	return c, err
}
