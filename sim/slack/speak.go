package slack

import "strings"

// Say posts what u types, in a thread when threadTS is not empty. The text is
// Slack's mrkdwn, so <@U…> mentions somebody. The app is told when the message
// mentions it, or is a direct message to it.
func (u *User) Say(c *Channel, text, threadTS string) Message {
	u.s.mu.Lock()
	defer u.s.mu.Unlock()
	r := &record{ch: c, author: u, text: text, thread: threadTS, unfurl: true}
	u.s.post(r)
	return r.snapshot()
}

// Mention posts a message that begins by mentioning the app, in a thread when
// threadTS is not empty. The app gets the event app_mention when it is a member
// of the channel; otherwise the code is bot_not_in_channel, the message being
// there nevertheless.
func (u *User) Mention(c *Channel, text, threadTS string) (Message, error) {
	u.s.mu.Lock()
	w := u.ws
	if w.token == nil && c.ws.token != nil {
		w = c.ws
	}
	in := c.has(w.bot)
	u.s.mu.Unlock()
	m := u.Say(c, "<@"+w.bot.spec.ID+"> "+text, threadTS)
	if !in {
		return m, &ActionError{Action: "mention", Code: "bot_not_in_channel"}
	}
	return m, nil
}

// EditMessage changes what u wrote. An app that the new text mentions gets the
// event app_mention again, with the same ts, a new event id, and "edited".
// https://github.com/slack-go/slack/pull/1256
func (u *User) EditMessage(m Message, text string) error {
	u.s.mu.Lock()
	defer u.s.mu.Unlock()
	c := u.s.channels[m.Channel]
	if c == nil {
		return &ActionError{Action: "edit", Code: "channel_not_found"}
	}
	r := c.find(m.TS)
	if r == nil || r.author != u || r.via != nil {
		return &ActionError{Action: "edit", Code: "message_not_found"}
	}
	before := r.object()
	u.s.edit(r, content{text: text, gaveText: true})
	u.s.tellMentioned(r)
	u.s.tellChanged(r, before)
	return nil
}

// remove deletes a message; s.mu is held.
func (s *Server) remove(r *record) {
	r.deleted = true
	s.tellDM(r, obj{"subtype": "message_deleted", "hidden": true, "ts": s.newTS(), "deleted_ts": r.ts, "previous_message": r.object()})
	s.changed()
}

// tellPosted tells the app of a new message that concerns it; s.mu is held.
func (s *Server) tellPosted(r *record) {
	if r.to != nil || r.orphan {
		return
	}
	s.tellMentioned(r)
	s.tellDM(r, r.object())
}

// tellChanged tells the app of a changed direct message; s.mu is held.
func (s *Server) tellChanged(r *record, before obj) {
	s.tellDM(r, obj{"subtype": "message_changed", "hidden": true, "ts": s.newTS(), "message": r.object(), "previous_message": before})
}

// tellMentioned sends app_mention to each installation whose bot user a message
// mentions, where it is a member and outside direct messages; s.mu is held.
// https://docs.slack.dev/reference/events/app_mention
func (s *Server) tellMentioned(r *record) {
	for _, w := range s.workspaces {
		named := strings.Contains(r.text, "<@"+w.bot.spec.ID+">") || strings.Contains(r.text, "<@"+w.bot.spec.ID+"|")
		if !named || r.author == w.bot || r.ch.kind == IM || !r.ch.in(w) || !r.ch.has(w.bot) {
			continue
		}
		event := r.object()
		foreignFiles(event, r.files, w)
		event["type"], event["channel"], event["user_team"] = "app_mention", r.ch.spec.ID, r.author.ws.spec.ID
		s.emit(w, event)
	}
}

// tellDM sends message.im for what happens in the app's direct messages, its
// own messages among them; s.mu is held.
func (s *Server) tellDM(r *record, event obj) {
	if r.ch.kind != IM || !r.ch.has(r.ch.ws.bot) {
		return
	}
	event["type"], event["channel"], event["channel_type"] = "message", r.ch.spec.ID, "im"
	s.emit(r.ch.ws, event)
}
