package discord

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"ltxbot/bot/command"
	"ltxbot/core/ltx"
)

// Types of interactions.
// https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-object-interaction-type
const (
	interactionPing         = 1
	interactionCommand      = 2
	interactionComponent    = 3
	interactionAutocomplete = 4
	interactionModal        = 5
)

// Types of the first answer to an interaction.
// https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-response-object-interaction-callback-type
const (
	callbackPong         = 1
	callbackMessage      = 4
	callbackDefer        = 5
	callbackDeferUpdate  = 6
	callbackAutocomplete = 8
	callbackModal        = 9
)

// Life of an interaction.
// https://discord.com/developers/docs/interactions/receiving-and-responding#responding-to-an-interaction
const (
	answerWithin = 3 * time.Second  // for the first answer
	tokenLife    = 14 * time.Minute // of 15: the last minute is left to clocks and slow networks
)

// interaction is one thing that a person did, as Discord sends it. It is
// decoded here: components of types that are not known yet must not make it
// unreadable.
type interaction struct {
	ID            string          `json:"id"`
	ApplicationID string          `json:"application_id"`
	Type          int             `json:"type"`
	Token         string          `json:"token"` // a secret: who has it writes as the bot
	Data          interactionData `json:"data"`
	GuildID       string          `json:"guild_id"`
	ChannelID     string          `json:"channel_id"`
	Channel       struct {
		ID       string `json:"id"`
		Type     int    `json:"type"`
		ParentID string `json:"parent_id"`
		NSFW     bool   `json:"nsfw"`
		Thread   struct {
			Locked bool `json:"locked"`
		} `json:"thread_metadata"`
	} `json:"channel"`
	Member *struct {
		User        user     `json:"user"`
		Nick        string   `json:"nick"`
		Roles       []string `json:"roles"`
		Permissions string   `json:"permissions"`
	} `json:"member"`
	User                user    `json:"user"` // in direct messages
	Locale              string  `json:"locale"`
	AppPermissions      string  `json:"app_permissions"`
	AttachmentSizeLimit int64   `json:"attachment_size_limit"`
	Message             *posted `json:"message"` // of a button, or of the button that opened a modal
	// Owners say who installed the application for this: ownerGuild for a
	// server, "1" for a person.
	Owners map[string]string `json:"authorizing_integration_owners"`

	received time.Time
	second   bool // another process may have it, too, and answers first
}

// ownerGuild is the installation in a server among the owners.
// https://discord.com/developers/docs/resources/application#application-object-application-integration-types
const ownerGuild = "0"

type user struct {
	ID       string `json:"id"`
	Username string `json:"username"`
	Global   string `json:"global_name"` // the name that the person chose, if any
}

// name is what a person is called where they have no nickname.
func (u user) name() string { return cmp.Or(u.Global, u.Username) }

// named is a role, a channel, or a member's nickname.
type named struct {
	Name string `json:"name"`
	Nick string `json:"nick"`
}

// interactionData is what was chosen, pressed or filled in.
type interactionData struct {
	Name       string           `json:"name"`
	Options    []option         `json:"options"`
	TargetID   string           `json:"target_id"`
	CustomID   string           `json:"custom_id"`
	Values     []string         `json:"values"` // that were chosen in a menu
	Components []modalComponent `json:"components"`
	Resolved   struct {
		Messages map[string]posted `json:"messages"`
		Users    map[string]user   `json:"users"`
		Members  map[string]named  `json:"members"`
		Roles    map[string]named  `json:"roles"`
		Channels map[string]named  `json:"channels"`

		Attachments map[string]attachment `json:"attachments"`
	} `json:"resolved"`
}

// option is one option of a command, or one of its subcommands.
type option struct {
	Name    string          `json:"name"`
	Type    int             `json:"type"`
	Value   json.RawMessage `json:"value"`
	Options []option        `json:"options"`
	Focused bool            `json:"focused"`
}

// text is the option's value as a person would type it. Quotes round all of it
// are not part of it, but of a prompt, which is read by the grammar of lines.
func (o option) text() string {
	var s string
	switch {
	case json.Unmarshal(o.Value, &s) != nil:
		return string(o.Value) // a number, or true and false
	case o.Name == promptOption:
		return s
	}
	return command.Unquote(s)
}

// modalComponent is a component of a submitted modal.
type modalComponent struct {
	Type       int              `json:"type"`
	CustomID   string           `json:"custom_id"`
	Value      json.RawMessage  `json:"value"`
	Values     []string         `json:"values"`
	Component  *modalComponent  `json:"component"`
	Components []modalComponent `json:"components"`
}

// decodeInteraction reads an INTERACTION_CREATE event or the body of an HTTP
// request.
func decodeInteraction(raw []byte, received time.Time) (*interaction, error) {
	i := &interaction{received: received}
	if err := json.Unmarshal(raw, i); err != nil {
		return nil, err
	}
	return i, nil
}

// user is who did it.
func (i *interaction) user() string {
	if i.Member != nil {
		return i.Member.User.ID
	}
	return i.User.ID
}

// event names the interaction among all events of all platforms.
func (i *interaction) event() string { return "discord:" + i.ID }

// subcommand is the subcommand that was chosen, with its options.
func (i *interaction) subcommand() (name string, options []option) {
	for _, o := range i.Data.Options {
		if o.Type == optionSubcommand {
			return o.Name, o.Options
		}
	}
	return "", i.Data.Options
}

// settings are the options as a person would have typed them, and the files.
func (i *interaction) settings() []ltx.Setting {
	_, options := i.subcommand()
	out := make([]ltx.Setting, 0, len(options))
	for _, o := range options {
		if a, ok := i.Data.Resolved.Attachments[o.text()]; ok && o.Type == optionAttachment {
			out = append(out, ltx.FileSetting(o.Name, a.given().Media))
			continue
		}
		out = append(out, ltx.Setting{Key: o.Name, Value: o.text()})
	}
	return out
}

// value is the text of one option, or "".
func (i *interaction) value(name string) string {
	_, options := i.subcommand()
	for _, o := range options {
		if o.Name == name {
			return o.text()
		}
	}
	return ""
}

// focused is the option that is being typed.
func (i *interaction) focused() (option, bool) {
	_, options := i.subcommand()
	for _, o := range options {
		if o.Focused {
			return o, true
		}
	}
	return option{}, false
}

// fields are the values of a submitted modal by the ids of its inputs.
func (i *interaction) fields() []ltx.Setting {
	var out []ltx.Setting
	var each func([]modalComponent)
	each = func(list []modalComponent) {
		for _, c := range list {
			switch {
			case c.Type == typeFileUpload:
				out = append(out, i.uploads(c)...)
			case c.CustomID != "":
				out = append(out, ltx.Setting{Key: c.CustomID, Value: c.text()})
			}
			if c.Component != nil {
				each([]modalComponent{*c.Component})
			}
			each(c.Components)
		}
	}
	each(i.Data.Components)
	return out
}

// uploads are the files of a field. A field without one says nothing: what the
// edited job has stays.
func (i *interaction) uploads(c modalComponent) []ltx.Setting {
	var out []ltx.Setting
	for _, id := range c.Values {
		if a, ok := i.Data.Resolved.Attachments[id]; ok {
			out = append(out, ltx.FileSetting(c.CustomID, a.given().Media))
		}
	}
	return out
}

// text is what was filled in, or the chosen values with commas.
func (c modalComponent) text() string {
	var s string
	if json.Unmarshal(c.Value, &s) == nil && s != "" {
		return s
	}
	return strings.Join(c.Values, ",")
}

// permissions reads a set of permission bits, which Discord sends as a text.
// https://discord.com/developers/docs/topics/permissions
func permissions(text string) uint64 {
	p, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0
	}
	return p
}
