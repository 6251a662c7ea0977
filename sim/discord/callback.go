package discord

import "slices"

// Interaction callback types.
// https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-response-object-interaction-callback-type
const (
	callbackPong          = 1
	callbackMessage       = 4
	callbackDefer         = 5
	callbackDeferUpdate   = 6
	callbackUpdate        = 7
	callbackAutocomplete  = 8
	callbackModal         = 9
	maxAutocompleteChoice = 25
)

// callbackKinds says to which interactions each callback type may answer.
var callbackKinds = map[int][]int{
	callbackPong:         {typePing},
	callbackMessage:      {typeCommand, typeComponent, typeModalSubmit},
	callbackDefer:        {typeCommand, typeComponent, typeModalSubmit},
	callbackDeferUpdate:  {typeComponent, typeModalSubmit},
	callbackUpdate:       {typeComponent, typeModalSubmit},
	callbackAutocomplete: {typeAutocomplete},
	callbackModal:        {typeCommand, typeComponent},
}

var callbackSchema = fieldsOf(map[string]schema{
	"type": need(wholeOf(1, 4, 5, 6, 7, 8, 9)), "data": orNull(schema{}),
})

// callback answers POST /interactions/{id}/{token}/callback.
func (c *call) callback() (int, any, *apiError) {
	i := c.s.interactions[c.param("token")]
	if i == nil || i.ID != c.param("interaction") {
		return 0, nil, errUnknownInteraction
	}
	if err := c.respond(i); err != nil {
		return 0, nil, err
	}
	if c.r.URL.Query().Get("with_response") == "true" {
		return 200, i.callbackResponse(), nil
	}
	return 204, nil, nil
}

// respond applies the call's body as the first response to i.
func (c *call) respond(i *Interaction) *apiError {
	switch {
	case !i.acked.IsZero():
		return errAlreadyAcked
	case i.late():
		return errUnknownInteraction
	}
	if err := c.validate(callbackSchema); err != nil {
		return err
	}
	t := intOf(c.json["type"])
	if !i.accepts(t) {
		return invalidForm(fieldError{path: "type", code: "INTERACTION_CALLBACK_TYPE_INVALID", message: "This callback type cannot answer this interaction"})
	}
	data, isObject := c.json["data"].(object)
	if c.json["data"] != nil && !isObject {
		return invalidForm(fieldError{path: "data", code: "MODEL_TYPE_CONVERT", message: "Only dictionaries may be used in a ModelType"})
	}
	if err := c.apply(i, t, data); err != nil {
		return err
	}
	i.acked, i.callback = c.s.now(), t
	c.s.changed(Change{Kind: InteractionAnswered, Interaction: i})
	return nil
}

// accepts says whether callback type t may answer i.
func (i *Interaction) accepts(t int) bool {
	if !slices.Contains(callbackKinds[t], i.kind) {
		return false
	}
	// A form that a command opened has no message to update.
	return (t != callbackUpdate && t != callbackDeferUpdate) || i.target != nil
}

func (c *call) apply(i *Interaction, t int, data object) *apiError {
	switch t {
	case callbackMessage:
		return c.respondMessage(i, data)
	case callbackDefer:
		return c.respondLater(i, data)
	case callbackDeferUpdate:
		i.original = i.target
	case callbackUpdate:
		return c.respondUpdate(i, data)
	case callbackAutocomplete:
		return c.respondChoices(i, data)
	case callbackModal:
		return c.respondModal(i, data)
	}
	return nil
}

// reply returns a new message that answers i, ephemeral if asked or forced.
func (i *Interaction) reply(ephemeral bool) *message {
	m := &message{channel: i.Channel, author: i.server.bot, interaction: i}
	switch {
	case i.kind == typeCommand && i.target != nil:
		m.kind = typeContextMenu
	case i.kind == typeCommand:
		m.kind = typeChatCommand
	case i.target != nil:
		m.kind, m.replyTo = typeReply, i.target
	}
	if ephemeral || i.forcedEphemeral() {
		m.ephemeralTo = i.User.ID
	}
	return m
}

// forcedEphemeral: without USE_EXTERNAL_APPS a user-installed application
// answers only the person.
func (i *Interaction) forcedEphemeral() bool {
	return i.userInstall && !i.Channel.permissions(i.User.ID).has(UseExternalApps)
}

// flagsFor makes the ephemeral bit agree with where the message goes.
func (m *message) flagsFor(flags int) int {
	if m.ephemeralTo != "" {
		return flags | flagEphemeral
	}
	return flags &^ flagEphemeral
}

func (c *call) respondMessage(i *Interaction, data object) *apiError {
	c.uploadChannel = i.Channel.ID
	d, files, err := c.compose("data.", data, webhookCreate, nil, i.limit)
	if err != nil {
		return err
	}
	m := i.reply(d.flags&flagEphemeral != 0)
	d.flags = m.flagsFor(d.flags)
	i.original = c.s.post(m, d, files, rulesOf(data, true))
	return nil
}

func (c *call) respondLater(i *Interaction, data object) *apiError {
	check := &checker{}
	if data != nil {
		check.check("data", followupSchema, data)
	}
	flags := intOf(data["flags"])
	if flags&^flagEphemeral != 0 {
		check.add("data.flags", "MESSAGE_FLAGS_INVALID", "Only the EPHEMERAL flag can be set on a deferred response")
	}
	if d := mergeDraft(data, nil); !d.empty(nil) || len(c.uploads) > 0 {
		check.add("data", "SIM_CONTENT_LOST", "A deferred response has no content; the real service would drop it silently.")
	}
	if err := check.result(); err != nil {
		return err
	}
	m := i.reply(flags&flagEphemeral != 0)
	i.original = c.s.post(m, draft{flags: m.flagsFor(flags) | flagLoading}, nil, mentionRules{})
	return nil
}

func (c *call) respondUpdate(i *Interaction, data object) *apiError {
	c.uploadChannel = i.Channel.ID
	if i.target.deleted {
		return errUnknownMessage
	}
	if data != nil {
		d, files, err := c.compose("data.", data, webhookEdit, i.target, i.limit)
		if err != nil {
			return err
		}
		c.s.edit(i.target, d, files, rulesOf(data, true))
	}
	i.original = i.target
	return nil
}

var choicesSchema = fieldsOf(map[string]schema{
	"choices": orNull(listOf(fieldsOf(map[string]schema{
		"name": need(text(1, maxChoiceName)), "name_localizations": localizations(maxChoiceName), "value": need(schema{}),
	}), 0, maxAutocompleteChoice)),
})

func (c *call) respondChoices(i *Interaction, data object) *apiError {
	check := &checker{}
	var body any
	if data != nil {
		body = data
	}
	check.check("data", choicesSchema, body)
	kind := optionString
	if i.command != nil && i.focused != nil {
		kind = i.focused.kind
	}
	i.choices = nil
	for n, ch := range objectsIn(data["choices"]) {
		check.checkChoiceValue(join(at("data.choices", n), "value"), kind, ch["value"])
		i.choices = append(i.choices, Choice{Name: textIn(ch["name"]), Value: ch["value"]})
	}
	return check.result()
}

func (c *call) respondModal(i *Interaction, data object) *apiError {
	check := &checker{}
	var body any
	if data != nil {
		body = data
	}
	check.check("data", modalSchema, body)
	check.checkModal("data", data)
	if err := check.result(); err != nil {
		return err
	}
	i.modal = newModal(data)
	return nil
}

// callbackResponse is what ?with_response=true answers.
// https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-callback-interaction-callback-response-object
func (i *Interaction) callbackResponse() object {
	about := object{"id": i.ID, "type": i.kind, "channel_id": i.Channel.ID}
	if i.Channel.guild != nil {
		about["guild_id"] = i.Channel.guild.ID
	}
	out := object{"interaction": about}
	if m := i.original; m != nil {
		about["response_message_id"] = m.id
		about["response_message_loading"] = m.flags&flagLoading != 0
		about["response_message_ephemeral"] = m.ephemeralTo != ""
		resource := object{"type": i.callback}
		if i.callback == callbackMessage || i.callback == callbackUpdate || i.callback == callbackDefer {
			resource["message"] = m.json()
		}
		out["resource"] = resource
	}
	return out
}
