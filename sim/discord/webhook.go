package discord

import "maps"

// webhook finds the interaction whose token the path carries.
func (c *call) webhook() (*Interaction, *apiError) {
	if c.param("application") != c.s.app {
		return nil, errUnknownWebhook
	}
	i := c.s.interactions[c.param("token")]
	switch {
	case i == nil:
		return nil, errUnknownWebhook
	case i.expired():
		return nil, errWebhookToken
	case i.acked.IsZero() || i.callback == callbackAutocomplete:
		return nil, errUnknownWebhook
	}
	if i.Channel.guild != nil && c.s.world.channels[i.Channel.ID] == nil {
		return nil, errUnknownChannel
	}
	c.uploadChannel = i.Channel.ID
	return i, nil
}

// webhookMessage finds a message that the interaction's token may touch: its
// original response, or a follow-up.
func (c *call) webhookMessage() (*Interaction, *message, *apiError) {
	i, err := c.webhook()
	if err != nil {
		return nil, nil, err
	}
	m := i.original
	if id := c.param("message"); id != "@original" {
		m = c.s.world.messages[id]
		if m != nil && m != i.original && m.interaction != i {
			m = nil
		}
	}
	if m == nil || m.deleted {
		return nil, nil, errUnknownMessage
	}
	return i, m, nil
}

// followup answers POST /webhooks/{application}/{token}.
func (c *call) followup() (int, any, *apiError) {
	i, err := c.webhook()
	if err != nil {
		return 0, nil, err
	}
	// The first follow-up of a deferred response edits the loading message,
	// whose visibility is fixed.
	// https://discord.com/developers/docs/interactions/receiving-and-responding#followup-messages
	if m := i.original; m != nil && !m.deleted && m.flags&flagLoading != 0 {
		body := withoutFlag(c.json, flagEphemeral)
		d, files, err := c.compose("", body, webhookEdit, m, i.limit)
		if err != nil {
			return 0, nil, err
		}
		c.s.edit(m, d, files, rulesOf(body, true))
		return 200, m.json(), nil
	}
	switch {
	case i.userInstall && i.followups >= maxUserFollowups:
		return 0, nil, errTooManyFollowups
	case i.Channel.archived && i.Channel.locked:
		return 0, nil, errArchivedThread
	}
	d, files, err := c.compose("", c.json, webhookCreate, nil, i.limit)
	if err != nil {
		return 0, nil, err
	}
	m := i.reply(d.flags&flagEphemeral != 0)
	m.kind = typeDefault
	if i.original != nil && !i.original.deleted {
		m.kind, m.replyTo = typeReply, i.original
	}
	d.flags = m.flagsFor(d.flags)
	i.Channel.archived = false // a message reopens a thread
	c.s.post(m, d, files, rulesOf(c.json, true))
	i.followups++
	return 200, m.json(), nil
}

// withoutFlag returns the body with one flag cleared.
func withoutFlag(body object, flag int) object {
	flags := intOf(body["flags"])
	if flags&flag == 0 {
		return body
	}
	out := maps.Clone(body)
	out["flags"] = jsonInt(flags &^ flag)
	return out
}

func (c *call) getResponse() (int, any, *apiError) {
	_, m, err := c.webhookMessage()
	if err != nil {
		return 0, nil, err
	}
	return 200, m.json(), nil
}

func (c *call) editResponse() (int, any, *apiError) {
	i, m, err := c.webhookMessage()
	switch {
	case err != nil:
		return 0, nil, err
	case m.channel.archived && m.ephemeralTo == "":
		return 0, nil, errArchivedThread
	}
	d, files, err := c.compose("", c.json, webhookEdit, m, i.limit)
	if err != nil {
		return 0, nil, err
	}
	if c.tooManyOldEdits(m) {
		return 0, nil, errTooManyOldEdits
	}
	c.s.edit(m, d, files, rulesOf(c.json, true))
	return 200, m.json(), nil
}

func (c *call) deleteResponse() (int, any, *apiError) {
	_, m, err := c.webhookMessage()
	if err != nil {
		return 0, nil, err
	}
	c.s.remove(m)
	return 204, nil, nil
}

// tooManyOldEdits counts an edit of a message older than an hour: three in
// six seconds and channel are allowed.
func (c *call) tooManyOldEdits(m *message) bool {
	now := c.s.now()
	if now.Sub(m.created) <= oldMessageAfter || c.s.opts.RateLimits.Off {
		return false
	}
	remaining, _ := m.channel.oldEdits.take(oldEditRule, now)
	return remaining < 0
}
