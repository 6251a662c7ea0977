package slack

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"ltxbot/bot"
	"ltxbot/bot/adapter"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
)

// Buttons that only Slack has.
const (
	buttonDM   = "v1:dm:"        // and a job: make it again, for the requester's direct messages
	buttonForm = "v1:form:empty" // open an empty form
)

// press handles a button. Buttons carry an action and a job id, so they work
// on messages of any age, in any process. A double click is one press.
func (b *Bot) press(ctx context.Context, in inbound) {
	o := in.origin()
	for _, a := range in.interaction.Actions {
		switch {
		case a.Type == "button":
		case view.IsMenu(a.ActionID):
			a.ActionID = a.Option.Value // the button that was chosen
		case in.interaction.View.CallbackID == CallbackForm:
			b.follow(ctx, in)
			return
		default:
			continue // it counts when the form is sent
		}
		place := strings.Join([]string{o.Workspace, o.Channel, in.interaction.Container.Message, in.interaction.View.ID}, " ")
		if !b.clicks.First(strings.Join([]string{place, o.User, a.ActionID}, " ")) {
			continue
		}
		o.Event = pressEvent(o, in.interaction, a)
		b.pressed(ctx, o, in.interaction, a)
	}
}

// pressEvent names a press.
func pressEvent(o origin, i *interaction, a action) string {
	return cmp.Or(PressEvent(o.Channel, i.Container.Message, i.View.ID, o.User, a.ActionID, a.At), o.Event)
}

// PressEvent is the event of a press that makes a video: the user's, on this
// button of this message or view, at this moment. Two presses at the same
// moment, perhaps brought to two processes, are one job. It is empty when at is
// no action_ts.
func PressEvent(channel, message, view, user, button, at string) string {
	seconds, err := strconv.ParseFloat(at, 64)
	if err != nil {
		return ""
	}
	moment := int64(seconds / adapter.DoubleClick.Seconds())
	return eventOf(strings.Join([]string{channel, message, view, user, button, strconv.FormatInt(moment, 10)}, ":"))
}

// FormEvent is the event of a form that was sent, by the id of its view.
func FormEvent(view string) string { return eventOf("view:" + view) }

// pressWithin bounds what is done before a form that a press opens: its
// trigger lives for three seconds.
const pressWithin = 1500 * time.Millisecond

func (b *Bot) pressed(ctx context.Context, o origin, i *interaction, a action) {
	if a.ActionID == buttonForm {
		b.openEmpty(ctx, o)
		return
	}
	if ts, ok := strings.CutPrefix(a.ActionID, buttonMake); ok {
		o.Event = MessageEvent(o.Channel, ts)
		var said proposal
		if json.Unmarshal([]byte(a.Value), &said) != nil {
			b.tell(ctx, o, b.sentence(b.people.locale(o), "slack.unknown_button"))
			return
		}
		if b.run(ctx, o, said.Typed, said.files()...) {
			b.replace(ctx, o, b.sentence(b.people.locale(o), "slack.making"))
		}
		return
	}
	actionID, toDM := a.ActionID, false
	if job, ok := strings.CutPrefix(a.ActionID, buttonDM); ok {
		actionID, toDM = view.ButtonID(view.ActRetry, job), true
	}
	action, job, ok := view.ParseButtonID(actionID)
	if !ok {
		b.tell(ctx, o, b.sentence(b.people.locale(o), "slack.unknown_button"))
		return
	}
	if bot.OpensForm(action) {
		b.open(ctx, o, action, job)
		return
	}
	reply, cancel := context.WithTimeout(ctx, replyWithin)
	defer cancel()
	p := b.pressNow(reply, o, action, job)
	switch {
	case p.Ask != nil:
		if toDM {
			p.Ask.Place.Private = true
		}
		b.generate(ctx, o, *p.Ask)
	case p.Delete:
		b.remove(reply, o, i, a, job)
	case p.Remove:
		b.removeTake(reply, o, job)
	case p.Reply != nil && i.View.Type == typeHome:
		b.publish(reply, o, i.View.Hash, p.Reply)
	case p.Reply != nil:
		b.tell(reply, o, *p.Reply)
	}
}

// pressNow says what follows from a pressed button. What makes a video is found
// out from memory: its event is acknowledged when the job is recorded.
func (b *Bot) pressNow(ctx context.Context, o origin, action view.Action, job string) bot.Press {
	if slices.Contains(makers, action) {
		c, _, known := b.identifyCached(ctx, o)
		if p := b.cfg.Service.Press(ctx, c, action, job); p.Ask != nil || known {
			return p
		}
	}
	o.acknowledge()
	return b.cfg.Service.Press(ctx, b.caller(ctx, o), action, job)
}

// makers are the actions that make a video.
var makers = []view.Action{view.ActAgain, view.ActSame, view.ActVerbatim, view.ActRetry, view.ActFinish}

// open opens a form for a job. Rights need no question to Slack: the form
// shows nothing that the card does not, and what it sends is checked.
func (b *Bot) open(ctx context.Context, o origin, action view.Action, job string) {
	quick, cancel := context.WithTimeout(ctx, pressWithin)
	defer cancel()
	c := b.unidentified(o)
	switch p := b.cfg.Service.Press(quick, c, action, job); {
	case p.Form != nil:
		b.openForm(ctx, o, *p.Form)
	case p.Reply != nil:
		b.tell(ctx, o, *p.Reply)
	}
}

// directButton offers to make a job again and send it by direct message.
func (b *Bot) directButton(j generate.Job) slack.Block {
	label := cut(b.text(j.Place.Locale, "slack.button.dm"), maxButtonLabel)
	button := slack.NewButtonBlockElement(buttonDM+j.ID, j.ID, plainText(label))
	button.Style = slack.StylePrimary
	return slack.NewActionBlock("", button)
}
