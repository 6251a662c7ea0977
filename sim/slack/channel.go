package slack

import (
	"slices"
	"strings"
)

// Kind is the kind of a conversation.
type Kind string

// The kinds of conversation. MPIM is a group direct message; IM is one between
// two, where one of them may be the app.
const (
	Public  Kind = "public_channel"
	Private Kind = "private_channel"
	MPIM    Kind = "mpim"
	IM      Kind = "im"
)

// ChannelSpec describes a conversation to add. The zero value is an empty
// public channel without the bot.
type ChannelSpec struct {
	// ID is the channel's id, at least nine characters; empty means made up.
	ID string
	// Name is the channel's name without the #; empty means "general" for the
	// first one and made up for others.
	Name string
	// Kind is Public when empty.
	Kind Kind
	// Members are in the conversation from the start; list Workspace.Bot to
	// have the app in it.
	Members []*User
	// Archived, ReadOnly (only admins may post) and ThreadOnly channels refuse
	// the app's messages.
	Archived, ReadOnly, ThreadOnly bool
	// NoJoin is a public channel that an app may not join by itself.
	NoJoin bool
	// Shared are other workspaces that share the channel by Slack Connect.
	Shared []*Workspace
}

// A Channel is a conversation of any kind.
type Channel struct {
	s        *Server
	ws       *Workspace
	spec     ChannelSpec
	kind     Kind
	members  []*User
	messages []*record
}

// AddChannel adds a conversation to the workspace.
func (w *Workspace) AddChannel(spec ChannelSpec) *Channel {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	c := w.addChannel(spec)
	w.s.changed()
	return c
}

func (w *Workspace) addChannel(spec ChannelSpec) *Channel {
	if spec.Kind == "" {
		spec.Kind = Public
	}
	if spec.ID == "" {
		prefix := map[Kind]string{Public: "C", Private: "C", MPIM: "C", IM: "D"}[spec.Kind]
		spec.ID = w.s.newID(prefix)
	}
	if spec.Name == "" {
		spec.Name = "general"
		if len(w.rooms) > 0 {
			spec.Name = strings.ToLower(spec.ID)
		}
	}
	c := &Channel{s: w.s, ws: w, spec: spec, kind: spec.Kind, members: slices.Clone(spec.Members)}
	w.rooms = append(w.rooms, c)
	w.s.channels[spec.ID] = c
	return c
}

// ID is the channel's id.
func (c *Channel) ID() string { return c.spec.ID }

// Name is the channel's name without the #.
func (c *Channel) Name() string { return c.spec.Name }

// Workspace is the workspace that owns the channel.
func (c *Channel) Workspace() *Workspace { return c.ws }

// Add makes users members of the channel; add Workspace.Bot to invite the app.
func (c *Channel) Add(users ...*User) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	for _, u := range users {
		if !c.has(u) {
			c.members = append(c.members, u)
		}
	}
	c.s.changed()
}

// Remove takes users out of the channel.
func (c *Channel) Remove(users ...*User) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.members = slices.DeleteFunc(c.members, func(u *User) bool { return slices.Contains(users, u) })
	c.s.changed()
}

// Has reports whether u is a member of the channel.
func (c *Channel) Has(u *User) bool {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.has(u)
}

// Archive archives the channel, or brings it back.
func (c *Channel) Archive(archived bool) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.spec.Archived = archived
	c.s.changed()
}

func (c *Channel) has(u *User) bool { return slices.Contains(c.members, u) }

// open reports whether u may see the channel: as a member, or because it is
// public in the user's own workspace.
func (c *Channel) open(u *User) bool {
	return c.has(u) || c.kind == Public && u.ws == c.ws && !u.spec.Guest && !u.spec.SingleChannelGuest
}

// in reports whether the channel exists in w, as its own or shared with it.
func (c *Channel) in(w *Workspace) bool {
	return c.ws == w || slices.Contains(c.spec.Shared, w)
}

// commandName is the channel_name of command payloads.
func (c *Channel) commandName() string {
	switch c.kind {
	case IM:
		return "directmessage"
	case Private, MPIM:
		return "privategroup"
	case Public:
	}
	return c.spec.Name
}

// object is the conversation as conversations.info returns it to the app
// installed in w.
func (c *Channel) object(w *Workspace) obj {
	o := obj{
		"id": c.spec.ID, "created": 1700000000, "is_archived": c.spec.Archived, "is_im": c.kind == IM, "is_mpim": c.kind == MPIM,
		"is_private": c.kind != Public, "is_channel": c.kind == Public, "is_group": c.kind == Private,
		"is_ext_shared": len(c.spec.Shared) > 0, "is_shared": len(c.spec.Shared) > 0, "is_org_shared": false,
		"is_pending_ext_shared": false, "context_team_id": w.spec.ID, "updated": 1700000000000,
	}
	if c.kind == IM {
		for _, u := range c.members {
			if u != w.bot {
				o["user"] = u.spec.ID
			}
		}
		o["is_open"] = true
		return o
	}
	o["name"], o["name_normalized"] = c.spec.Name, c.spec.Name
	o["is_member"], o["is_general"], o["is_read_only"] = c.has(w.bot), c.spec.Name == "general", c.spec.ReadOnly
	o["creator"] = w.slack.spec.ID
	o["topic"] = obj{"value": "", "creator": "", "last_set": 0}
	o["purpose"] = obj{"value": "", "creator": "", "last_set": 0}
	if c.spec.ThreadOnly {
		o["is_thread_only"] = true
	}
	return o
}
