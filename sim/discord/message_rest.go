package discord

import (
	"slices"
	"strconv"
	"time"
)

// nonceLifetime is how long enforce_nonce remembers; the documents say "a few
// minutes".
// https://discord.com/developers/docs/resources/message#create-message
const nonceLifetime = 3 * time.Minute

// createMessage answers POST /channels/{channel}/messages.
func (c *call) createMessage() (int, any, *apiError) {
	ch, err := c.s.openToBot(c.param("channel"))
	if err != nil {
		return 0, nil, err
	}
	if err := c.maySend(ch); err != nil {
		return 0, nil, err
	}
	c.uploadChannel = ch.ID
	d, files, err := c.compose("", c.json, botCreate, nil, ch.guild.uploadLimit())
	if err != nil {
		return 0, nil, err
	}
	if old := ch.sameNonce(c.json, c.s.now()); old != nil {
		return 200, old.json(), nil
	}
	m := &message{channel: ch, author: c.s.bot, nonce: c.json["nonce"]}
	if m.replyTo, err = c.reference(ch); err != nil {
		return 0, nil, err
	}
	if m.replyTo != nil {
		m.kind = typeReply
	}
	ch.archived = false // a message reopens a thread
	c.s.post(m, d, files, rulesOf(c.json, false))
	return 200, m.json(), nil
}

// maySend checks the bot's permissions for the message of the call.
func (c *call) maySend(ch *Channel) *apiError {
	if ch.Type == Forum {
		return errNotTextChannel
	}
	if ch.guild == nil {
		shared := c.s.shareGuild(ch.recipient)
		if ch.recipient.refusesDMs || (!shared && !ch.recipient.installed) {
			return errCannotDM
		}
		return nil
	}
	p := ch.permissions(c.s.bot.ID)
	switch {
	case !p.has(ch.sendPermission()),
		len(c.uploads) > 0 && !p.has(AttachFiles),
		len(listIn(c.json["embeds"])) > 0 && !p.has(EmbedLinks):
		return errMissingPermissions
	case ch.locked && !p.has(ManageThreads):
		return ch.lockedError()
	case c.json["message_reference"] != nil && !p.has(ReadMessageHistory):
		return errReplyHistory
	}
	return nil
}

// lockedError is the refusal of a locked thread.
func (ch *Channel) lockedError() *apiError {
	if ch.archived {
		return errArchivedThread
	}
	return errLockedThread
}

// shareGuild says whether the bot and u are in a guild together.
func (s *Server) shareGuild(u *User) bool {
	for _, g := range s.world.guilds {
		if g.members[u.ID] != nil && g.members[s.bot.ID] != nil {
			return true
		}
	}
	return false
}

// sameNonce returns the message that the bot already made with this nonce, if
// the body asks for that.
func (ch *Channel) sameNonce(body object, now time.Time) *message {
	if !boolIn(body["enforce_nonce"]) || idIn(body["nonce"]) == "" {
		return nil
	}
	for _, m := range slices.Backward(ch.messages) {
		if now.Sub(m.created) > nonceLifetime {
			return nil
		}
		if !m.deleted && m.author == ch.server.bot && idIn(m.nonce) == idIn(body["nonce"]) {
			return m
		}
	}
	return nil
}

// reference finds the message that the body replies to.
func (c *call) reference(ch *Channel) (*message, *apiError) {
	ref, ok := c.json["message_reference"].(object)
	if !ok {
		return nil, nil
	}
	if intOf(ref["type"]) != 0 {
		return nil, invalidForm(fieldError{path: "message_reference.type", code: "SIM_FORWARD", message: "The simulator has no forwarded messages."})
	}
	if at := idIn(ref["channel_id"]); at != "" && at != ch.ID {
		return nil, invalidForm(fieldError{path: "message_reference", code: "REPLIES_CANNOT_REFERENCE_OTHER_CHANNEL", message: "Cannot reply to a message in a different channel"})
	}
	m := c.s.world.messages[idIn(ref["message_id"])]
	if m != nil && m.channel == ch && m.ephemeralTo == "" {
		return m, nil
	}
	if ref["fail_if_not_exists"] != nil && !boolIn(ref["fail_if_not_exists"]) {
		return nil, nil
	}
	return nil, invalidForm(fieldError{path: "message_reference", code: "REPLIES_UNKNOWN_MESSAGE", message: "Unknown message"})
}

// botMessage finds a message that the bot may see by its token. Ephemeral
// ones are not among them.
func (c *call) botMessage() (*message, *apiError) {
	ch, err := c.s.openToBot(c.param("channel"))
	if err != nil {
		return nil, err
	}
	m := c.s.world.messages[c.param("message")]
	if m == nil || m.channel != ch || m.ephemeralTo != "" {
		return nil, errUnknownMessage
	}
	if ch.guild != nil && m.author != c.s.bot && !ch.permissions(c.s.bot.ID).has(ReadMessageHistory) {
		return nil, errMissingAccess
	}
	return m, nil
}

func (c *call) getMessage() (int, any, *apiError) {
	m, err := c.botMessage()
	if err != nil {
		return 0, nil, err
	}
	return 200, m.json(), nil
}

func (c *call) editMessage() (int, any, *apiError) {
	m, err := c.botMessage()
	if err != nil {
		return 0, nil, err
	}
	ch := m.channel
	switch {
	case m.author != c.s.bot:
		return 0, nil, errForeignMessage
	case ch.archived:
		return 0, nil, errArchivedThread
	case len(c.uploads) > 0 && ch.guild != nil && !ch.permissions(c.s.bot.ID).has(AttachFiles):
		return 0, nil, errMissingPermissions
	}
	c.uploadChannel = ch.ID
	d, files, err := c.compose("", c.json, botEdit, m, ch.guild.uploadLimit())
	if err != nil {
		return 0, nil, err
	}
	if c.tooManyOldEdits(m) {
		return 0, nil, errTooManyOldEdits
	}
	c.s.edit(m, d, files, rulesOf(c.json, false))
	return 200, m.json(), nil
}

func (c *call) deleteMessage() (int, any, *apiError) {
	m, err := c.botMessage()
	if err != nil {
		return 0, nil, err
	}
	if m.author != c.s.bot && (m.channel.guild == nil || !m.channel.permissions(c.s.bot.ID).has(ManageMessages)) {
		return 0, nil, errMissingPermissions
	}
	c.s.remove(m)
	return 204, nil, nil
}

const (
	defaultPage = 50
	maxPage     = 100
)

// listMessages answers GET /channels/{channel}/messages, newest first.
func (c *call) listMessages() (int, any, *apiError) {
	ch, err := c.s.openToBot(c.param("channel"))
	if err != nil {
		return 0, nil, err
	}
	q := c.r.URL.Query()
	if q.Has("around") {
		return 0, nil, invalidForm(fieldError{path: "around", code: "SIM_UNSUPPORTED", message: "The simulator lists after and before."})
	}
	if q.Has("before") && q.Has("after") {
		return 0, nil, invalidForm(fieldError{path: "after", code: "SIM_EXCLUSIVE", message: "Only one of before, after and around may be passed."})
	}
	limit := defaultPage
	if text := q.Get("limit"); text != "" {
		n, convErr := strconv.Atoi(text)
		if convErr != nil || n < 1 || n > maxPage {
			return 0, nil, invalidForm(fieldError{path: "limit", code: "NUMBER_TYPE_MAX", message: "int value should be between 1 and 100."})
		}
		limit = n
	}
	out := []object{}
	if ch.guild != nil && !ch.permissions(c.s.bot.ID).has(ReadMessageHistory) {
		return 200, out, nil
	}
	after, before := q.Get("after"), q.Get("before")
	var found []*message
	for _, m := range ch.messages {
		if !m.deleted && m.ephemeralTo == "" && (after == "" || older(after, m.id)) && (before == "" || older(m.id, before)) {
			found = append(found, m)
		}
	}
	if len(found) > limit {
		if after != "" {
			found = found[:limit]
		} else {
			found = found[len(found)-limit:]
		}
	}
	for _, m := range slices.Backward(found) {
		out = append(out, m.json())
	}
	return 200, out, nil
}
