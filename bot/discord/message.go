package discord

import (
	"encoding/json"
	"strconv"
	"strings"

	"ltxbot/bot/text"
	"ltxbot/bot/view"
)

// Flags of messages.
// https://discord.com/developers/docs/resources/message#message-object-message-flags
const (
	flagEphemeral    = 1 << 6
	flagLoading      = 1 << 7 // "the bot is thinking"
	flagComponentsV2 = 1 << 15
)

// outgoing is every message and every edit that the bot sends. There is no
// other way to a message: what may ping is decided here, and without a
// decision nothing pings.
type outgoing struct {
	Flags      int
	Components []component
	Ping       []string // user ids that a mention in the text notifies
	Files      []upload
	Kept       []attachmentPart // files that are there, and stay in an edit; nil = nothing is said about them
	Nonce      string           // makes posting twice as good as once, for some minutes
	ReplyTo    string           // message id
}

// newMessage lays out what the bot says.
func newMessage(m view.Message) outgoing {
	return outgoing{Flags: flagComponentsV2, Components: render(m, nil)}
}

// newVideo lays out what the bot says with videos.
func newVideo(m view.Message, files []upload) outgoing {
	return outgoing{Flags: flagComponentsV2, Components: render(m, files), Files: files}
}

// onlyFor makes a message that nobody but the caller sees.
func (o outgoing) onlyFor() outgoing {
	o.Flags |= flagEphemeral
	return o
}

// allowedMentions is sent with everything: without it an edit falls back to
// defaults that ping.
// https://discord.com/developers/docs/resources/message#allowed-mentions-object
type allowedMentions struct {
	Parse []string `json:"parse"`
	Users []string `json:"users,omitempty"`
}

type attachmentPart struct {
	ID          string `json:"id"`
	Filename    string `json:"filename"`
	Description string `json:"description,omitempty"`
}

type messageReference struct {
	MessageID       string `json:"message_id"`
	FailIfNotExists bool   `json:"fail_if_not_exists"`
}

// MarshalJSON is the body as Discord takes it.
func (o outgoing) MarshalJSON() ([]byte, error) {
	wire := struct {
		Flags           int               `json:"flags,omitempty"`
		Components      []component       `json:"components"`
		AllowedMentions allowedMentions   `json:"allowed_mentions"`
		Attachments     []attachmentPart  `json:"attachments,omitzero"`
		Nonce           string            `json:"nonce,omitempty"`
		EnforceNonce    bool              `json:"enforce_nonce,omitempty"`
		Reference       *messageReference `json:"message_reference,omitempty"`
	}{
		Flags: o.Flags, Components: o.Components,
		AllowedMentions: allowedMentions{Parse: []string{}, Users: o.Ping},
		Attachments:     o.Kept,
		Nonce:           o.Nonce, EnforceNonce: o.Nonce != "",
	}
	for i, f := range o.Files {
		wire.Attachments = append(wire.Attachments, attachmentPart{ID: strconv.Itoa(i), Filename: f.file.Name, Description: cut(text.Clean(f.alt), maxAltText)})
	}
	if o.ReplyTo != "" {
		wire.Reference = &messageReference{MessageID: o.ReplyTo}
	}
	return json.Marshal(wire)
}

// posted is what the bot reads of a message.
type posted struct {
	ID         string          `json:"id"`
	ChannelID  string          `json:"channel_id"`
	Flags      int             `json:"flags"`
	Content    string          `json:"content"`
	Nonce      any             `json:"nonce"`
	Components json.RawMessage `json:"components"`

	Attachments []attachment `json:"attachments"`
	Embeds      []struct {
		Title       string `json:"title"`
		Description string `json:"description"`
	} `json:"embeds"`
}

// nested is what the bot reads of a component, whatever its type.
type nested struct {
	CustomID   string   `json:"custom_id"`
	Content    string   `json:"content"`
	Components []nested `json:"components"`
	Accessory  *nested  `json:"accessory"`
}

// walk calls visit for each component of the message. Types that the bot does
// not know are no hindrance.
func (p posted) walk(visit func(nested)) {
	var top []nested
	if json.Unmarshal(p.Components, &top) != nil {
		return
	}
	var each func([]nested)
	each = func(list []nested) {
		for _, c := range list {
			visit(c)
			each(c.Components)
			if c.Accessory != nil {
				visit(*c.Accessory)
			}
		}
	}
	each(top)
}

// job is the id of the job that the message's buttons are about, or "".
func (p posted) job() string {
	id := ""
	p.walk(func(c nested) {
		if _, job, ok := view.ParseButtonID(c.CustomID); ok && id == "" {
			id = job
		}
	})
	return id
}

// text is what a person reads in the message.
func (p posted) text() string {
	parts := []string{p.Content}
	for _, e := range p.Embeds {
		parts = append(parts, e.Title, e.Description)
	}
	p.walk(func(c nested) { parts = append(parts, c.Content) })
	return strings.TrimSpace(strings.Join(parts, "\n"))
}
