package slack

import (
	"encoding/json"
	"slices"
	"time"
)

// A Message is what a person sees of one message, at the moment it was asked
// for.
type Message struct {
	// Channel and TS name the message; ThreadTS is its parent's TS in a thread.
	Channel, TS, ThreadTS string
	// Author is the name shown beside it and AuthorID the user's id.
	Author, AuthorID string
	// FromApp says that the app posted it.
	FromApp bool
	// Text is the top-level text: all there is without blocks, otherwise the
	// notification and what screen readers read.
	Text string
	// Blocks is the layout, with the ids that Slack adds.
	Blocks Blocks
	// Files are the files shared by it.
	Files []File
	// EphemeralTo is the id of the only person who sees it, or empty.
	EphemeralTo string
	// Broadcast says that a thread reply is shown in the channel too.
	Broadcast bool
	// Edits is what the message said before each edit, oldest first.
	Edits []Edit
	// Edited says that people see "(edited)".
	Edited bool
	// Deleted messages are listed by Channel.All only.
	Deleted bool
	// Orphan is a reply to a thread that never existed: Slack accepts it and
	// nobody sees it.
	Orphan bool
	// Pings says whom it notified when it was posted.
	Pings Pings
	// Unfurl says that links and media may be expanded.
	Unfurl bool
	// Metadata is the message metadata as it was sent.
	Metadata json.RawMessage
}

// An Edit is an earlier version of a message.
type Edit struct {
	At     time.Time
	Text   string
	Blocks Blocks
}

// record is a message as Slack keeps it.
type record struct {
	ts, thread  string
	ch          *Channel
	author      *User
	via         *Workspace // the installation that posted it; nil for people
	text        string
	blocks      Blocks
	attachments []any
	files       []*file
	to          *User
	broadcast   bool
	edits       []Edit
	edited      string
	flagged     bool
	deleted     bool
	orphan      bool
	pings       Pings
	unfurl      bool
	metadata    any
	state       state
}

// post adds r to its channel; s.mu is held.
func (s *Server) post(r *record) {
	r.ts = s.newTS()
	for _, f := range r.files {
		f.shares = append(f.shares, share{r.ch, r.ts, r.thread})
	}
	if r.thread != "" {
		parent := r.ch.find(r.thread)
		r.orphan = parent == nil
		if parent != nil && parent.thread != "" {
			r.thread = parent.thread
		}
	}
	r.blocks = s.identify(r.blocks)
	r.state = initialState(r.blocks, nil)
	r.pings = s.pings(r)
	r.ch.messages = append(r.ch.messages, r)
	s.tellPosted(r)
	s.changed()
}

func (c *Channel) find(ts string) *record {
	for _, r := range c.messages {
		if r.ts == ts && !r.deleted {
			return r
		}
	}
	return nil
}

// Messages are the conversation's messages and thread replies, oldest first,
// with those that only one person sees, without deleted ones.
func (c *Channel) Messages() []Message {
	return c.list(func(r *record) bool { return !r.deleted })
}

// Seen are the messages that u sees.
func (c *Channel) Seen(u *User) []Message {
	return c.list(func(r *record) bool {
		return !r.deleted && !r.orphan && (r.to == nil && c.open(u) || r.to == u)
	})
}

// All are the conversation's messages with deleted ones.
func (c *Channel) All() []Message {
	return c.list(func(*record) bool { return true })
}

// Message is the message named ts, and whether there is one.
func (c *Channel) Message(ts string) (Message, bool) {
	list := c.list(func(r *record) bool { return r.ts == ts && !r.deleted })
	if len(list) == 0 {
		return Message{}, false
	}
	return list[0], true
}

func (c *Channel) list(keep func(*record) bool) []Message {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	var list []Message
	for _, r := range c.messages {
		if keep(r) {
			list = append(list, r.snapshot())
		}
	}
	return list
}

func (r *record) snapshot() Message {
	m := Message{
		Channel: r.ch.spec.ID, TS: r.ts, ThreadTS: r.thread, Author: r.author.spec.RealName, AuthorID: r.author.spec.ID,
		FromApp: r.via != nil, Text: r.text, Blocks: r.blocks, Broadcast: r.broadcast, Edits: slices.Clone(r.edits),
		Edited: r.flagged, Deleted: r.deleted, Orphan: r.orphan, Pings: r.pings, Unfurl: r.unfurl,
	}
	if r.to != nil {
		m.EphemeralTo = r.to.spec.ID
	}
	for _, f := range r.files {
		if !f.deleted {
			m.Files = append(m.Files, f.snapshot())
		}
	}
	if r.metadata != nil {
		m.Metadata = marshal(r.metadata)
	}
	return m
}

// object is the message as the Web API and payloads carry it.
func (r *record) object() obj {
	o := obj{"type": "message", "user": r.author.spec.ID, "ts": r.ts, "text": r.text, "team": r.ch.ws.spec.ID}
	if r.via != nil {
		o["bot_id"], o["app_id"] = r.via.bots, r.ch.s.app.ID
		o["bot_profile"] = obj{
			"id": r.via.bots, "app_id": r.ch.s.app.ID, "name": r.ch.s.app.Name, "user_id": r.via.bot.spec.ID,
			"deleted": false, "updated": 1700000000, "team_id": r.via.spec.ID, "icons": obj{},
		}
	}
	if len(r.blocks) > 0 {
		o["blocks"] = r.blocks
	}
	if len(r.attachments) > 0 {
		o["attachments"] = r.attachments
	}
	if r.thread != "" {
		o["thread_ts"] = r.thread
		if parent := r.ch.find(r.thread); parent != nil {
			o["parent_user_id"] = parent.author.spec.ID
		}
	}
	switch {
	case r.broadcast:
		o["subtype"] = "thread_broadcast"
	case len(r.files) > 0 && r.via == nil:
		o["subtype"] = "file_share"
	}
	if r.edited != "" && r.flagged {
		o["edited"] = obj{"user": r.author.spec.ID, "ts": r.edited}
	}
	if r.metadata != nil {
		o["metadata"] = r.metadata
	}
	if len(r.files) > 0 {
		list := make([]any, 0, len(r.files))
		for _, f := range r.files {
			list = append(list, f.object())
		}
		o["files"], o["upload"] = list, true
	}
	return o
}

// marshal encodes what came from JSON or was built to become it.
func marshal(x any) json.RawMessage {
	raw, err := json.Marshal(x)
	if err != nil {
		return nil
	}
	return raw
}
