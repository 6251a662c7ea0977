package slack

import (
	"encoding/json"
	"strings"
)

// Limits of message text, in characters.
// https://docs.slack.dev/reference/methods/chat.postMessage
const (
	maxPostText   = 40_000 // longer text is cut
	maxUpdateText = 4_000  // longer text is refused: msg_too_long
)

// content is what a message says: text, blocks, attachments, metadata.
type content struct {
	text        string
	blocks      Blocks
	attachments []any
	metadata    any
	gaveText    bool
	gaveBlocks  bool
}

// readContent takes and checks what a call wants a message to say.
func (s *Server) readContent(c *call, embed bool) (content, error) {
	m := content{text: c.str("text"), gaveText: c.has("text")}
	blocks, err := c.value("blocks")
	if err != nil {
		return m, refuse("invalid_blocks_format")
	}
	if m.gaveBlocks = blocks != nil; m.gaveBlocks {
		if err := s.checkMessageBlocks(blocks, embed, "/blocks"); err != nil {
			return m, err
		}
		m.blocks = toBlocks(blocks)
	}
	attachments, err := c.value("attachments")
	if err != nil {
		return m, refuse("invalid_attachments")
	}
	if m.attachments, err = s.checkAttachments(attachments, embed); err != nil {
		return m, err
	}
	m.metadata, err = c.metadata()
	return m, err
}

func (s *Server) checkMessageBlocks(blocks any, embed bool, at string) error {
	list, ok := blocks.([]any)
	if !ok {
		return refuse("invalid_blocks_format")
	}
	v := &validation{surface: onMessage, app: s.app, embed: embed}
	v.checkBlocks(at, list)
	if len(v.problems) > 0 {
		return refuse("invalid_blocks", v.problems...)
	}
	return nil
}

func (s *Server) checkAttachments(x any, embed bool) ([]any, error) {
	if x == nil {
		return nil, nil
	}
	list, ok := x.([]any)
	if !ok {
		return nil, refuse("invalid_attachments")
	}
	if len(list) > maxAttachments {
		return nil, refuse("too_many_attachments")
	}
	for _, a := range list {
		if blocks := asObj(a)["blocks"]; blocks != nil {
			if err := s.checkMessageBlocks(blocks, embed, "/attachments/blocks"); err != nil {
				return nil, err
			}
		}
	}
	return list, nil
}

// metadata is the message metadata of a call: event_type and event_payload.
func (c *call) metadata() (any, error) {
	x, err := c.value("metadata")
	if err != nil {
		return nil, refuse("invalid_metadata_format")
	}
	if x == nil {
		return nil, nil
	}
	o := asObj(x)
	if len(o) > 0 && (str(o["event_type"]) == "" || asObj(o["event_payload"]) == nil) {
		return nil, refuse("invalid_metadata_schema")
	}
	return x, nil
}

func cut(text string, most int) string {
	if r := []rune(text); len(r) > most {
		return string(r[:most])
	}
	return text
}

func (s *Server) chatPostMessage(c *call) (obj, error) {
	name, err := c.need("channel")
	if err != nil {
		return nil, err
	}
	m, err := s.readContent(c, c.token.has("links.embed:write"))
	if err != nil {
		return nil, err
	}
	if m.text == "" && len(m.blocks) == 0 && len(m.attachments) == 0 {
		return nil, refuse("no_text")
	}
	thread := c.str("thread_ts")
	if thread != "" && !validTS(thread) {
		return nil, refuse("invalid_thread_ts", thread+" is not a valid thread_ts")
	}
	ch, w, err := s.target(c, name)
	if err != nil {
		return nil, err
	}
	if err := s.mayPost(c, ch, w, thread); err != nil {
		return nil, err
	}
	r := &record{
		ch: ch, author: w.bot, via: w, thread: thread, text: cut(m.text, maxPostText), blocks: m.blocks, attachments: m.attachments,
		broadcast: thread != "" && c.bool("reply_broadcast"), metadata: m.metadata,
		unfurl: c.str("unfurl_media") != "false" || c.bool("unfurl_links"),
	}
	if c.bool("link_names") || c.str("parse") == "full" {
		r.text = s.linkNames(w, r.text)
	}
	s.post(r)
	return obj{"channel": ch.spec.ID, "ts": r.ts, "message": r.object()}, nil
}

func (s *Server) chatPostEphemeral(c *call) (obj, error) {
	name, err := c.need("channel")
	if err != nil {
		return nil, err
	}
	to, err := c.need("user")
	if err != nil {
		return nil, err
	}
	m, err := s.readContent(c, c.token.has("links.embed:write"))
	if err != nil {
		return nil, err
	}
	if m.text == "" && len(m.blocks) == 0 && len(m.attachments) == 0 {
		return nil, refuse("no_text")
	}
	ch, w, err := s.lookup(c, name)
	if err != nil {
		return nil, err
	}
	if err := s.mayPost(c, ch, w, c.str("thread_ts")); err != nil {
		return nil, err
	}
	u := s.users[to]
	if u == nil || !ch.has(u) {
		return nil, refuse("user_not_in_channel")
	}
	r := &record{
		ch: ch, author: w.bot, via: w, to: u, thread: c.str("thread_ts"), text: cut(m.text, maxPostText), blocks: m.blocks,
		attachments: m.attachments,
	}
	s.post(r)
	return obj{"message_ts": r.ts}, nil
}

func (s *Server) chatUpdate(c *call) (obj, error) {
	name, err := c.need("channel")
	if err != nil {
		return nil, err
	}
	ts, err := c.need("ts")
	if err != nil {
		return nil, err
	}
	m, err := s.readContent(c, c.token.has("links.embed:write"))
	if err != nil {
		return nil, err
	}
	if len([]rune(m.text)) > maxUpdateText {
		return nil, refuse("msg_too_long")
	}
	ch, w, err := s.lookup(c, name)
	if err != nil {
		return nil, err
	}
	r := ch.find(ts)
	switch {
	case r == nil || r.to != nil:
		return nil, refuse("message_not_found")
	case r.via != w:
		return nil, refuse("cant_update_message")
	case ch.spec.Archived:
		return nil, refuse("is_inactive")
	case w.spec.EditWindow > 0 && s.clock.Now().Sub(tsTime(ts)) > w.spec.EditWindow:
		return nil, refuse("edit_window_closed")
	case !m.gaveText && !m.gaveBlocks && !c.has("attachments") && !c.has("metadata") && !c.has("file_ids"):
		return nil, refuse("no_text")
	}
	before := r.object()
	s.edit(r, m)
	s.tellChanged(r, before)
	return obj{"channel": ch.spec.ID, "ts": r.ts, "text": r.text, "message": r.object()}, nil
}

// edit gives a message new content: text without blocks removes the blocks,
// and shows "(edited)"; edits notify nobody.
// https://docs.slack.dev/reference/methods/chat.update
func (s *Server) edit(r *record, m content) {
	r.edits = append(r.edits, Edit{At: s.clock.Now(), Text: r.text, Blocks: r.blocks})
	if m.gaveText || m.gaveBlocks {
		if m.gaveText {
			r.text = m.text
		}
		r.blocks = s.identify(m.blocks)
		r.state = initialState(r.blocks, r.state)
		r.flagged = r.flagged || !m.gaveBlocks
	}
	if m.attachments != nil {
		r.attachments = m.attachments
	}
	if m.metadata != nil {
		r.metadata = m.metadata
		if len(asObj(m.metadata)) == 0 {
			r.metadata = nil
		}
	}
	r.edited = s.newTS()
	s.changed()
}

func (s *Server) chatDelete(c *call) (obj, error) {
	name, err := c.need("channel")
	if err != nil {
		return nil, err
	}
	ts, err := c.need("ts")
	if err != nil {
		return nil, err
	}
	ch, w, err := s.lookup(c, name)
	if err != nil {
		return nil, err
	}
	r := ch.find(ts)
	switch {
	case r == nil || r.to != nil:
		return nil, refuse("message_not_found")
	case r.via != w:
		return nil, refuse("cant_delete_message")
	}
	s.remove(r)
	return obj{"channel": ch.spec.ID, "ts": ts}, nil
}

func (s *Server) chatPermalink(c *call) (obj, error) {
	ch, w, err := s.lookup(c, c.str("channel"))
	if err != nil {
		return nil, err
	}
	ts := c.str("message_ts")
	if ch.find(ts) == nil {
		return nil, refuse("message_not_found")
	}
	link := "https://" + w.spec.Domain + ".slack.com/archives/" + ch.spec.ID + "/p" + strings.Replace(ts, ".", "", 1)
	return obj{"channel": ch.spec.ID, "permalink": link}, nil
}

// Delete removes the message as a person with the right to do so would. It
// reports whether it was there.
func (c *Channel) Delete(ts string) bool {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	r := c.find(ts)
	if r == nil {
		return false
	}
	c.s.remove(r)
	return true
}

// contentOf takes what an answer or a response URL wants a message to say.
func (s *Server) contentOf(raw json.RawMessage, w *Workspace) (content, obj, error) {
	var x any
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &x); err != nil {
			return content{}, nil, refuse("invalid_payload")
		}
	}
	if text, ok := x.(string); ok {
		x = obj{"text": text}
	}
	args, ok := x.(obj)
	if !ok && x != nil {
		return content{}, nil, refuse("invalid_payload")
	}
	m, err := s.readContent(&call{args: args}, w.token.has("links.embed:write"))
	return m, args, err
}
