package discord

import (
	"strings"
	"time"
)

// Message types.
// https://discord.com/developers/docs/resources/message#message-object-message-types
const (
	typeDefault     = 0
	typeReply       = 19
	typeChatCommand = 20
	typeContextMenu = 23
)

// A message is one message as the service stores it.
type message struct {
	id          string
	channel     *Channel
	author      *User
	kind        int
	content     string
	embeds      []object
	components  []object
	files       []*file
	flags       int
	nonce       any
	replyTo     *message
	interaction *Interaction // that it answers, nil for an ordinary message
	ephemeralTo string       // user id
	created     time.Time
	edited      time.Time
	history     []Revision
	mentions    mentions
	pings       Pings
	deleted     bool
}

// A draft is the content of a message before it is stored.
type draft struct {
	content    string
	embeds     []object
	components []object
	flags      int
	poll       bool
	stickers   bool
	attached   any // the body's attachments list, nil when absent
}

// mergeDraft applies body to old: for a new message (old is nil) an absent
// field is empty, for an edit it keeps its value and null clears it.
func mergeDraft(body object, old *message) draft {
	d := draft{poll: body["poll"] != nil, stickers: len(listIn(body["sticker_ids"])) > 0, attached: body["attachments"]}
	if old != nil {
		d.content, d.embeds, d.components, d.flags = old.content, old.embeds, old.components, old.flags
	}
	if v, ok := body["content"]; ok {
		d.content = textIn(v)
	}
	if v, ok := body["embeds"]; ok {
		d.embeds = objectsIn(v)
	}
	if v, ok := body["components"]; ok {
		d.components = objectsIn(v)
	}
	if v := body["flags"]; v != nil {
		const fixed = flagEphemeral | flagLoading
		d.flags = intOf(v)&^fixed | d.flags&fixed
		if old == nil {
			d.flags = intOf(v)
		}
	}
	return d
}

// fileNames returns the names of the old files that an edit keeps.
func (d draft) fileNames(old *message) []string {
	if old == nil {
		return nil
	}
	listed := map[string]bool{}
	for _, a := range objectsIn(d.attached) {
		listed[idIn(a["id"])] = true
	}
	var names []string
	for _, f := range old.files {
		if d.attached == nil || listed[f.id] {
			names = append(names, f.name)
		}
	}
	return names
}

func (d draft) empty(files []*file) bool {
	return strings.TrimSpace(d.content) == "" && len(d.embeds) == 0 && len(d.components) == 0 &&
		len(files) == 0 && !d.poll && !d.stickers
}

// compose validates the call's body as a message, which is at prefix in the
// JSON, and returns the draft and its files. limit is the largest attachment
// in bytes.
func (c *call) compose(prefix string, body object, k bodyKind, old *message, limit int) (draft, []*file, *apiError) {
	if body == nil {
		body = object{}
	}
	for _, u := range c.uploads {
		if u.size > int64(limit) {
			return draft{}, nil, errTooLarge
		}
	}
	check := &checker{}
	files, names := c.planFiles(check, prefix, body, old)
	check.checkMessage(prefix, body, k, old, names)
	if err := check.result(); err != nil {
		return draft{}, nil, err
	}
	d := mergeDraft(body, old)
	if d.empty(files) {
		return draft{}, nil, errEmptyMessage
	}
	return d, files, nil
}

// post stores a new message and shows it.
func (s *Server) post(m *message, d draft, files []*file, rules mentionRules) *message {
	m.id, m.created = s.newID(), s.now()
	m.set(d, files)
	m.notify(rules)
	m.channel.messages = append(m.channel.messages, m)
	s.world.messages[m.id] = m
	s.changed(Change{Kind: MessagePosted, Message: m.snapshot()})
	s.dispatchMessage("MESSAGE_CREATE", m)
	return m
}

// edit changes a message. It never notifies anybody.
func (s *Server) edit(m *message, d draft, files []*file, rules mentionRules) {
	m.history = append(m.history, Revision{At: m.stamp(), Text: m.text(), Flags: m.flags})
	m.edited = s.now()
	m.flags &^= flagLoading
	d.flags &^= flagLoading
	m.set(d, files)
	m.remention(rules)
	s.changed(Change{Kind: MessageEdited, Message: m.snapshot()})
	s.dispatchMessage("MESSAGE_UPDATE", m)
}

func (m *message) set(d draft, files []*file) {
	m.content, m.embeds, m.flags = strings.TrimSpace(d.content), d.embeds, d.flags
	m.components = numbered(d.components)
	m.files = files
	for _, f := range files {
		f.keep(m)
	}
}

func (m *message) stamp() time.Time {
	if m.edited.IsZero() {
		return m.created
	}
	return m.edited
}

// remove deletes a message for everybody.
func (s *Server) remove(m *message) {
	m.deleted = true
	delete(s.world.messages, m.id)
	s.changed(Change{Kind: MessageDeleted, Message: m.snapshot()})
	s.dispatchMessage("MESSAGE_DELETE", m)
}

// numbered returns a copy of the components in which each has a number, as
// the service assigns them.
func numbered(components []object) []object {
	used := map[int]bool{}
	walk("", components, func(_ string, c object) { used[intOf(c["id"])] = true })
	next := 1
	var number func(object) object
	number = func(c object) object {
		out := object{}
		for k, v := range c {
			if v != nil {
				out[k] = v
			}
		}
		if intOf(c["id"]) == 0 {
			for used[next] {
				next++
			}
			used[next] = true
			out["id"] = jsonInt(next)
		}
		if inner := objectsIn(c["components"]); len(inner) > 0 {
			list := make([]any, 0, len(inner))
			for _, i := range inner {
				list = append(list, number(i))
			}
			out["components"] = list
		}
		if inner, ok := c["accessory"].(object); ok {
			out["accessory"] = number(inner)
		}
		return out
	}
	out := make([]object, 0, len(components))
	for _, c := range components {
		out = append(out, number(c))
	}
	return out
}
