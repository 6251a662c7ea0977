package slack

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// The kinds of events, as Socket Mode names them.
// https://docs.slack.dev/apis/events-api/using-socket-mode
const (
	kindCommand     = "slash_commands"
	kindInteraction = "interactive"
	kindEvent       = "events_api"
)

// inbound is one thing that a person did, or that happened to the app. It is
// decoded here and not by slack-go, which refuses a whole event, and leaves it
// without an acknowledgement, for a block it does not know in a message that
// somebody else wrote.
type inbound struct {
	kind        string
	command     *slashCommand
	interaction *interaction
	event       *event
	received    time.Time
	ack         *acknowledgement
}

// slashCommand is a slash command.
// https://docs.slack.dev/interactivity/implementing-slash-commands
type slashCommand struct {
	Workspace   string `json:"team_id"`
	Enterprise  string `json:"enterprise_id"`
	OrgWide     string `json:"is_enterprise_install"` // "true" or "false"
	Channel     string `json:"channel_id"`
	ChannelName string `json:"channel_name"`
	User        string `json:"user_id"`
	Text        string `json:"text"`
	ResponseURL string `json:"response_url"` // a secret: who has it writes as the bot
	TriggerID   string `json:"trigger_id"`
}

// id is an object of which only the id counts.
type id struct {
	ID string `json:"id"`
}

// interaction is a pressed button, a submitted form, a shortcut, or a menu
// that asks for choices.
// https://docs.slack.dev/reference/interaction-payloads
type interaction struct {
	Type       string `json:"type"`
	CallbackID string `json:"callback_id"`
	TriggerID  string `json:"trigger_id"`
	Team       id     `json:"team"`
	Enterprise id     `json:"enterprise"`
	OrgWide    bool   `json:"is_enterprise_install"`
	User       struct {
		ID   string `json:"id"`
		Team string `json:"team_id"`
	} `json:"user"`
	Channel struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"channel"`
	Container struct {
		Message   string `json:"message_ts"`
		Channel   string `json:"channel_id"`
		Thread    string `json:"thread_ts"`
		Ephemeral bool   `json:"is_ephemeral"`
	} `json:"container"`
	Message     posted   `json:"message"`
	View        openView `json:"view"`
	Actions     []action `json:"actions"`
	ResponseURL string   `json:"response_url"`
	// ResponseURLs are those of conversations that were chosen in a form.
	ResponseURLs []struct {
		Channel string `json:"channel_id"`
		URL     string `json:"response_url"`
	} `json:"response_urls"`

	// Of a menu that asks for choices.
	ActionID string `json:"action_id"`
	Value    string `json:"value"`
}

// The types of interactions.
const (
	typePress      = "block_actions"
	typeSubmit     = "view_submission"
	typeSuggest    = "block_suggestion"
	typeShortcut   = "shortcut"
	typeOfMessage  = "message_action"
	typeViewClosed = "view_closed"
)

// action is one pressed button.
type action struct {
	ActionID string `json:"action_id"`
	BlockID  string `json:"block_id"`
	Type     string `json:"type"`
	Value    string `json:"value"`
	At       string `json:"action_ts"`
	Option   chosen `json:"selected_option"` // of a menu
}

// posted is what the bot reads of a message.
type posted struct {
	TS     string          `json:"ts"`
	Team   string          `json:"team"` // the workspace of its author
	Thread string          `json:"thread_ts"`
	Text   string          `json:"text"`
	Bot    string          `json:"bot_id"`
	Blocks json.RawMessage `json:"blocks"`
	Files  []sharedFile    `json:"files"`
}

// openView is what the bot reads of a form or a Home tab.
type openView struct {
	ID         string `json:"id"`
	Type       string `json:"type"`
	Hash       string `json:"hash"`
	CallbackID string `json:"callback_id"`
	Installed  string `json:"app_installed_team_id"` // where the bot is that opened it
	Private    string `json:"private_metadata"`
	State      struct {
		Values map[string]map[string]input `json:"values"`
	} `json:"state"`
}

// has reports whether the view has a field.
func (v openView) has(field string) bool {
	_, ok := v.State.Values[field]
	return ok
}

// input is what was typed or chosen in a field of a form.
type input struct {
	Type         string       `json:"type"`
	Value        string       `json:"value"`
	Conversation string       `json:"selected_conversation"`
	Option       chosen       `json:"selected_option"`
	Options      []chosen     `json:"selected_options"`
	Files        []sharedFile `json:"files"`
}

// chosen is what was chosen in a menu.
type chosen struct {
	Value string `json:"value"`
}

// text is what was typed, or the values that were chosen with commas.
func (i input) text() string {
	values := make([]string, 0, len(i.Options))
	for _, o := range i.Options {
		values = append(values, o.Value)
	}
	return cmp.Or(i.Option.Value, strings.Join(values, ","), i.Value)
}

// event is something that happened, of the Events API.
// https://docs.slack.dev/apis/events-api
type event struct {
	ID         string `json:"event_id"`
	Type       string `json:"type"`      // of the envelope: event_callback, url_verification
	Challenge  string `json:"challenge"` // of url_verification
	Workspace  string `json:"team_id"`
	Enterprise string `json:"enterprise_id"`
	// Authorizations are the installations that see the event, of which Slack
	// tells one. In a shared channel, the workspace above may be another.
	Authorizations []struct {
		Workspace  string `json:"team_id"`
		Enterprise string `json:"enterprise_id"`
		OrgWide    bool   `json:"is_enterprise_install"`
		User       string `json:"user_id"`
		Bot        bool   `json:"is_bot"` // the user is the app's
	} `json:"authorizations"`
	Event struct {
		Type    string    `json:"type"`
		Subtype string    `json:"subtype"` // of a message
		Hidden  bool      `json:"hidden"`
		User    string    `json:"user"`
		Team    string    `json:"user_team"`
		Bot     string    `json:"bot_id"`
		Channel string    `json:"channel"`
		Kind    string    `json:"channel_type"`
		Text    string    `json:"text"`
		TS      string    `json:"ts"`
		Thread  string    `json:"thread_ts"`
		Edited  *id       `json:"edited"` // the message was changed
		Tab     string    `json:"tab"`
		View    *openView `json:"view"`

		Files []sharedFile `json:"files"`
	} `json:"event"`
}

// The events of messages.
// https://docs.slack.dev/reference/events/app_mention
// https://docs.slack.dev/reference/events/message.im
const (
	eventMention = "app_mention"
	eventMessage = "message"
)

// decode reads one payload.
func decode(kind string, payload []byte, received time.Time) (inbound, error) {
	in := inbound{kind: kind, received: received}
	var into any
	switch kind {
	case kindCommand:
		in.command = &slashCommand{}
		into = in.command
	case kindInteraction:
		in.interaction = &interaction{}
		into = in.interaction
	case kindEvent:
		in.event = &event{}
		into = in.event
	default:
		return in, fmt.Errorf("event of kind %q", kind)
	}
	if err := json.Unmarshal(payload, into); err != nil {
		return in, fmt.Errorf("read event of kind %s: %w", kind, err)
	}
	return in, nil
}

// An origin is who did something, and where.
type origin struct {
	Event       string // names what happened, among all events of all platforms
	Workspace   string // of the installation
	Enterprise  string // that the workspace belongs to, or ""
	OrgWide     bool   // the installation is that of the whole organisation
	User        string
	UserTeam    string // the user's own workspace, if it was told
	Channel     string // "" for a global shortcut and the Home tab
	ChannelName string // Slack's: "directmessage", "privategroup", or the name
	Thread      string // ts of the thread's first message
	Message     string // ts of the message that says it; "" when none does
	ResponseURL string // a secret
	Trigger     string // opens one form, within seconds
	Received    time.Time
	Edited      bool             // it is a message that was changed
	ack         *acknowledgement // of the event; nil = there is none
}

// acknowledge acknowledges the event, if that was not done before. It comes
// before everything that may take long, but after a job is recorded.
func (o origin) acknowledge() {
	if o.ack != nil {
		o.ack.give(nil)
	}
}

// installation is what the token is found by that serves the origin.
func (o origin) installation() string { return installationKey(o.OrgWide, o.Workspace, o.Enterprise) }

func (in inbound) origin() origin {
	o := in.place()
	o.ack = in.ack
	return o
}

// place is origin without the acknowledgement.
func (in inbound) place() origin {
	switch {
	case in.command != nil:
		c := in.command
		return origin{
			Event: eventOf(c.TriggerID), Workspace: c.Workspace, Enterprise: c.Enterprise, OrgWide: c.OrgWide == "true",
			User: c.User, UserTeam: c.Workspace,
			Channel: c.Channel, ChannelName: c.ChannelName, ResponseURL: c.ResponseURL, Trigger: c.TriggerID, Received: in.received,
		}
	case in.interaction != nil:
		i := in.interaction
		o := origin{
			Event: eventOf(i.TriggerID), Workspace: i.Team.ID, Enterprise: i.Enterprise.ID, OrgWide: i.OrgWide,
			User: i.User.ID, UserTeam: i.User.Team,
			Channel: i.Channel.ID, ChannelName: i.Channel.Name, ResponseURL: i.ResponseURL, Trigger: i.TriggerID, Received: in.received,
		}
		if strings.HasPrefix(i.View.Installed, "T") {
			o.Workspace = i.View.Installed // somebody of another may have filled the form in
		}
		if o.Channel == "" {
			o.Channel = i.Container.Channel
		}
		if o.Thread = i.Message.Thread; o.Thread == "" {
			o.Thread = i.Container.Thread
		}
		return o
	case in.event != nil:
		e := in.event
		o := origin{
			Event: eventOf(e.ID), Workspace: e.Workspace, Enterprise: e.Enterprise, User: e.Event.User, UserTeam: e.Event.Team,
			Channel: e.Event.Channel, Thread: e.Event.Thread, Received: in.received,
		}
		if len(e.Authorizations) > 0 {
			a := e.Authorizations[0]
			o.OrgWide = a.OrgWide
			o.Workspace, o.Enterprise = cmp.Or(a.Workspace, o.Workspace), cmp.Or(a.Enterprise, o.Enterprise)
		}
		if e.Event.Type == eventMention || e.Event.Type == eventMessage {
			// A message is one order, however often it is edited: each time
			// Slack brings it under another event id.
			o.Event, o.Edited, o.Message = MessageEvent(o.Channel, e.Event.TS), e.Event.Edited != nil, e.Event.TS
		}
		if e.Event.Kind == "im" {
			o.ChannelName = directMessage
		}
		return o
	}
	return origin{}
}

// atHome corrects the workspace that an interaction names. People of another
// one, who share a channel with the bot, may name their own there. What counts
// is where the bot is at home: of the only installation, or of the bot's message
// that has the button.
// https://docs.slack.dev/apis/slack-connect
func (b *Bot) atHome(i *interaction) {
	if i == nil || i.OrgWide {
		return
	}
	var at identity
	if token, one := b.tokens.(oneToken); one {
		at = b.clientOf(string(token)).known()
	}
	if at.Workspace == "" && i.Type == typePress && i.Enterprise.ID == "" {
		at.Workspace = i.Message.Team
	}
	if at.Workspace == "" || at.Workspace == i.Team.ID {
		return
	}
	i.User.Team = cmp.Or(i.User.Team, i.Team.ID)
	i.Team.ID, i.Enterprise.ID = at.Workspace, at.Enterprise
}

// eventOf is the event with a name, and no event without one.
func eventOf(name string) string {
	if name == "" {
		return ""
	}
	return platform + ":" + name
}

// MessageEvent is the event of a message that makes a video.
func MessageEvent(channel, ts string) string { return eventOf("message:" + channel + ":" + ts) }
