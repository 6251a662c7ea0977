package discord

import (
	"maps"
	"slices"
)

// A ChannelType is the kind of a channel.
// https://discord.com/developers/docs/resources/channel#channel-object-channel-types
type ChannelType int

// The channel types that the simulator has.
const (
	Text               ChannelType = 0
	DM                 ChannelType = 1
	Voice              ChannelType = 2
	Announcement       ChannelType = 5
	AnnouncementThread ChannelType = 10
	Thread             ChannelType = 11
	PrivateThread      ChannelType = 12
	Stage              ChannelType = 13
	Forum              ChannelType = 15
)

// isThread reports whether the channel lies in another one.
func (t ChannelType) isThread() bool {
	return t == AnnouncementThread || t == Thread || t == PrivateThread
}

// isVoice reports whether the channel is one to talk in, with a chat.
func (t ChannelType) isVoice() bool { return t == Voice || t == Stage }

// A Channel is a conversation: a text channel of a guild, a thread in one, or
// the direct messages of a person with the bot.
type Channel struct {
	ID   string
	Name string
	Type ChannelType

	server     *Server
	guild      *Guild
	parent     *Channel // of a thread
	recipient  *User    // of a DM
	nsfw       bool
	archived   bool
	locked     bool
	joined     map[string]bool      // user ids of a private thread
	overwrites map[string]overwrite // by role or user id
	messages   []*message
	oldEdits   window
}

// NewChannel makes a text channel.
func (g *Guild) NewChannel(name string) *Channel { return g.NewChannelOf(name, Text) }

// NewChannelOf makes a channel of a given type. Messages cannot be sent to a
// Forum.
func (g *Guild) NewChannelOf(name string, t ChannelType) *Channel {
	s := g.server
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &Channel{ID: s.newID(), Name: name, Type: t, server: s, guild: g, overwrites: map[string]overwrite{}}
	g.channels = append(g.channels, c)
	s.world.channels[c.ID] = c
	return c
}

// NewThread makes a public thread in the channel, or a post in a Forum.
func (c *Channel) NewThread(name string) *Channel {
	if c.Type == Announcement {
		return c.newThread(name, AnnouncementThread)
	}
	return c.newThread(name, Thread)
}

// NewPrivateThread makes a thread that only these people see, and those who
// may manage threads.
func (c *Channel) NewPrivateThread(name string, members ...*User) *Channel {
	t := c.newThread(name, PrivateThread)
	for _, u := range members {
		t.AddMember(u)
	}
	return t
}

func (c *Channel) newThread(name string, kind ChannelType) *Channel {
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &Channel{ID: s.newID(), Name: name, Type: kind, server: s, guild: c.guild, parent: c, joined: map[string]bool{}}
	c.guild.channels = append(c.guild.channels, t)
	s.world.channels[t.ID] = t
	return t
}

// AddMember adds somebody to a private thread, as a mention of them does.
func (c *Channel) AddMember(u *User) {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	c.joined[u.ID] = true
}

// RemoveMember takes somebody out of a private thread.
func (c *Channel) RemoveMember(u *User) {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	delete(c.joined, u.ID)
}

// Guild returns the guild of the channel, or nil for direct messages.
func (c *Channel) Guild() *Guild { return c.guild }

// SetNSFW marks the channel as age-restricted.
func (c *Channel) SetNSFW(nsfw bool) {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	c.nsfw = nsfw
}

// Archive archives a thread, or takes it back. A locked one takes messages
// only from those who may manage threads, and is reopened only by them.
func (c *Channel) Archive(archived, locked bool) {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	c.archived, c.locked = archived, locked
}

// Allow gives permissions to a user in this channel; threads have those of
// their parent.
func (c *Channel) Allow(u *User, p Permission) { c.overwrite(u.ID, overwrite{allow: p}) }

// Deny takes permissions from a user in this channel.
func (c *Channel) Deny(u *User, p Permission) { c.overwrite(u.ID, overwrite{deny: p}) }

// DenyEveryone takes permissions from @everyone in this channel.
func (c *Channel) DenyEveryone(p Permission) { c.overwrite(c.guild.ID, overwrite{deny: p}) }

func (c *Channel) overwrite(who string, o overwrite) {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	old := c.overwrites[who]
	c.overwrites[who] = overwrite{
		allow: old.allow&^o.deny | o.allow,
		deny:  old.deny&^o.allow | o.deny,
	}
}

// Delete removes the channel: requests for it are answered 10003.
func (c *Channel) Delete() {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	delete(c.server.world.channels, c.ID)
	for _, m := range c.messages {
		m.deleted = true
	}
	if c.guild != nil {
		c.guild.channels = slices.DeleteFunc(c.guild.channels, func(o *Channel) bool { return o == c })
	}
}

// json returns the channel object.
// https://discord.com/developers/docs/resources/channel#channel-object
func (c *Channel) json() object {
	out := object{"id": c.ID, "type": int(c.Type), "flags": 0, "last_message_id": c.lastMessageID()}
	if c.guild == nil {
		out["recipients"] = []object{c.recipient.json()}
		return out
	}
	out["guild_id"] = c.guild.ID
	out["name"] = c.Name
	out["parent_id"] = nil
	out["rate_limit_per_user"] = 0
	if c.Type.isThread() {
		out["parent_id"] = c.parent.ID
		out["owner_id"] = c.guild.owner
		out["message_count"] = len(c.messages)
		out["total_message_sent"] = len(c.messages)
		out["member_count"] = len(c.guild.members)
		out["thread_metadata"] = object{
			"archived": c.archived, "locked": c.locked, "auto_archive_duration": 1440,
			"archive_timestamp": isoTime(snowflakeTime(c.ID)), "create_timestamp": isoTime(snowflakeTime(c.ID)),
		}
		return out
	}
	out["nsfw"] = c.nsfw
	out["topic"] = nil
	out["position"] = 0
	overwrites := []object{}
	for _, who := range slices.Sorted(maps.Keys(c.overwrites)) {
		o := c.overwrites[who]
		kind := 1
		if c.guild.roles[who] != nil {
			kind = 0
		}
		overwrites = append(overwrites, object{"id": who, "type": kind, "allow": o.allow.String(), "deny": o.deny.String()})
	}
	out["permission_overwrites"] = overwrites
	return out
}

// partialJSON returns the channel as an interaction carries it.
func (c *Channel) partialJSON(viewer string) object {
	out := c.json()
	delete(out, "permission_overwrites")
	out["permissions"] = c.permissions(viewer).String()
	if c.guild != nil {
		out["nsfw"] = c.isNSFW()
	}
	return out
}

func (c *Channel) isNSFW() bool {
	if c.parent != nil {
		return c.parent.nsfw
	}
	return c.nsfw
}

func (c *Channel) lastMessageID() any {
	for _, m := range slices.Backward(c.messages) {
		if m.ephemeralTo == "" {
			return m.id
		}
	}
	return nil
}
