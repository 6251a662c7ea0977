package discord

import (
	"cmp"
	"context"
	"time"
)

// Interaction types.
// https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-object-interaction-type
const (
	typePing         = 1
	typeCommand      = 2
	typeComponent    = 3
	typeAutocomplete = 4
	typeModalSubmit  = 5
)

// Deadlines of an interaction.
// https://discord.com/developers/docs/interactions/receiving-and-responding#responding-to-an-interaction
const (
	responseDeadline = 3 * time.Second
	tokenLifetime    = 15 * time.Minute
)

// maxUserFollowups is how many follow-ups an interaction may have in a guild
// that the bot is not in.
// https://discord.com/developers/docs/interactions/receiving-and-responding#create-followup-message
const maxUserFollowups = 5

// An Interaction is one thing that a person did: a command, a click, a form.
type Interaction struct {
	ID      string
	User    *User
	Channel *Channel

	server      *Server
	token       string
	kind        int
	name        string   // of the command
	command     *command // nil unless one was invoked
	target      *message // of a component or message command
	parent      *Interaction
	userInstall bool
	limit       int // attachment_size_limit
	created     time.Time
	sessions    int // connections that got it
	acked       time.Time
	callback    int // type of the first response
	original    *message
	followups   int
	modal       *Modal
	choices     []Choice
	focused     *option // that is being completed
}

// newInteraction records an interaction that is about to be delivered.
func (s *Server) newInteraction(kind int, u *User, ch *Channel) *Interaction {
	i := &Interaction{
		ID: s.newID(), User: u, Channel: ch, server: s, token: randomText(218), kind: kind, created: s.now(),
		limit: u.limitIn(ch),
	}
	i.userInstall = ch.guild != nil && ch.guild.members[s.bot.ID] == nil
	s.interactions[i.token] = i
	return i
}

// Token returns the interaction's token, for tests that speak the API
// themselves. It is a secret.
func (i *Interaction) Token() string { return i.token }

// expired says whether the token can no longer be used.
func (i *Interaction) expired() bool { return i.server.now().Sub(i.created) > tokenLifetime }

// late says whether nothing answered in time.
func (i *Interaction) late() bool {
	return i.acked.IsZero() && i.server.now().Sub(i.created) > i.server.answerWithin()
}

// answerWithin is how long the bot may take.
func (s *Server) answerWithin() time.Duration { return cmp.Or(s.opts.AnswerWithin, responseDeadline) }

// Acked reports whether the bot has answered, and after how long.
func (i *Interaction) Acked() (time.Duration, bool) {
	i.server.mu.Lock()
	defer i.server.mu.Unlock()
	if i.acked.IsZero() {
		return 0, false
	}
	return i.acked.Sub(i.created), true
}

// Failed reports whether the person sees "The application did not respond".
func (i *Interaction) Failed() bool {
	i.server.mu.Lock()
	defer i.server.mu.Unlock()
	return i.late()
}

// Deliveries returns how many gateway connections got the interaction.
func (i *Interaction) Deliveries() int {
	i.server.mu.Lock()
	defer i.server.mu.Unlock()
	return i.sessions
}

// CallbackType returns the type of the first response, 0 before it.
func (i *Interaction) CallbackType() int {
	i.server.mu.Lock()
	defer i.server.mu.Unlock()
	return i.callback
}

// Response returns the original response: the message that the interaction
// created, or for a component the one that it updated.
func (i *Interaction) Response() (Message, bool) {
	i.server.mu.Lock()
	defer i.server.mu.Unlock()
	if i.original == nil {
		return Message{}, false
	}
	return i.original.snapshot(), true
}

// Modal returns the form that the bot opened, if it did.
func (i *Interaction) Modal() (Modal, bool) {
	i.server.mu.Lock()
	defer i.server.mu.Unlock()
	if i.modal == nil {
		return Modal{}, false
	}
	return *i.modal, true
}

// Choices returns the suggestions that the bot made for an autocomplete.
func (i *Interaction) Choices() []Choice {
	i.server.mu.Lock()
	defer i.server.mu.Unlock()
	return i.choices
}

// WaitAck blocks until the bot has answered in any way.
func (i *Interaction) WaitAck(ctx context.Context) error {
	return i.server.await(ctx, "an answer to an interaction", func() bool { return !i.acked.IsZero() })
}

// WaitModal blocks until the bot has opened a form.
func (i *Interaction) WaitModal(ctx context.Context) (Modal, error) {
	if err := i.server.await(ctx, "a form", func() bool { return i.modal != nil }); err != nil {
		return Modal{}, err
	}
	m, _ := i.Modal()
	return m, nil
}

// WaitResponse blocks until the original response fulfils ok.
func (i *Interaction) WaitResponse(ctx context.Context, ok func(Message) bool) (Message, error) {
	var found Message
	err := i.server.await(ctx, "a response to an interaction", func() bool {
		if i.original == nil {
			return false
		}
		found = i.original.snapshot()
		return ok(found)
	})
	return found, err
}

// metadata returns the message interaction metadata object.
// https://discord.com/developers/docs/resources/message#message-interaction-metadata-object
func (i *Interaction) metadata() object {
	out := object{
		"id": i.ID, "type": i.kind, "user": i.User.json(), "authorizing_integration_owners": i.owners(),
	}
	if i.kind == typeComponent && i.target != nil {
		out["interacted_message_id"] = i.target.id
	}
	if i.kind == typeCommand {
		out["name"] = i.name
		if i.target != nil {
			out["target_message_id"] = i.target.id
		}
	}
	if i.parent != nil {
		out["triggering_interaction_metadata"] = i.parent.metadata()
	}
	return out
}

// owners returns authorizing_integration_owners.
func (i *Interaction) owners() object {
	out := object{}
	switch {
	case i.Channel.guild == nil:
		out["0"] = "0"
	case !i.userInstall:
		out["0"] = i.Channel.guild.ID
	}
	if i.User.installed {
		out["1"] = i.User.ID
	}
	return out
}

// Interaction contexts.
const (
	contextGuild = 0
	contextBotDM = 1
)

// payload returns the interaction object.
// https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-object
func (i *Interaction) payload(data object) object {
	s, ch := i.server, i.Channel
	out := object{
		"id": i.ID, "application_id": s.app, "type": i.kind, "token": i.token, "version": 1,
		"channel": ch.partialJSON(i.User.ID), "channel_id": ch.ID,
		"app_permissions": ch.permissions(s.bot.ID).String(), "locale": i.User.locale,
		"entitlements": []object{}, "entitlement_sku_ids": []string{},
		"authorizing_integration_owners": i.owners(), "attachment_size_limit": i.limit, "context": contextGuild,
	}
	if data != nil {
		out["data"] = data
	}
	if i.userInstall {
		out["app_permissions"] = (ch.permissions(i.User.ID) & (EmbedLinks | AttachFiles | MentionEveryone)).String()
	}
	if (i.kind == typeComponent || i.kind == typeModalSubmit) && i.target != nil {
		out["message"] = i.target.json()
	}
	if ch.guild == nil {
		out["user"], out["context"] = i.User.json(), contextBotDM
		return out
	}
	g := ch.guild
	member := g.members[i.User.ID].json()
	member["permissions"] = ch.permissions(i.User.ID).String()
	out["member"] = member
	out["guild_id"], out["guild_locale"] = g.ID, g.locale
	out["guild"] = object{"id": g.ID, "locale": g.locale, "features": []string{}}
	return out
}

// deliver sends the interaction to the bot: to the configured URL, or to
// every connected session of the shard. The caller holds the lock; what is
// returned has to be called without it.
func (i *Interaction) deliver(data object) (post func(ctx context.Context) error) {
	s := i.server
	payload := i.payload(data)
	s.changed(Change{Kind: InteractionCreated, Interaction: i})
	if s.webhookURL != "" {
		return func(ctx context.Context) error { return s.postInteraction(ctx, s.webhookURL, i, payload) }
	}
	guild := ""
	if i.Channel.guild != nil {
		guild = i.Channel.guild.ID
	}
	i.sessions = s.dispatch(guild, 0, "INTERACTION_CREATE", payload)
	return func(context.Context) error { return nil }
}
