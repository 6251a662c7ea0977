package main

import (
	"context"
	"errors"

	"ltxbot/config"
)

// botOnLocalSlack lets our bot work on a Slack that is not of our making: a
// mistake that the bot and sim/slack share shows there.
func botOnLocalSlack(ctx context.Context, b *bench) (err error) {
	server, err := startLocalSlack(ctx, b)
	if server != nil {
		defer server.close()
	}
	if err != nil {
		return err
	}
	play := &localPlay{localSlack: server, seen: map[string]bool{}}
	stage, err := newStage(ctx, b, func(cfg *config.Config, tier *config.Tier) {
		cfg.Slack.BotToken = config.NewSecret(localToken)
		cfg.Slack.AppToken = config.NewSecret(localAppToken)
		cfg.Slack.APIURL = "http://" + server.addr + "/api/"
		tier.Members = []string{"slack:T0ACME0001:" + localAnn}
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stage.close(ctx)) }()
	return b.play(ctx, []scene{
		{"a connection", play.connect},
		{"a video", play.video},
		{"details of a video", play.details},
		{"an edited video", play.edit},
		{"help", play.help},
		{"a prompt that is refused", play.refused},
		{"a cancelled job", play.cancel},
		{"the Home tab", play.home},
		{"a deleted video", play.delete},
	})
}

// localPlay is what a person does with the bot.
type localPlay struct {
	*localSlack

	made localMessage    // the first video: the text with the buttons
	seen map[string]bool // messages that a scene has waited for
}

func (p *localPlay) connect(ctx context.Context) {
	must(p.wait(ctx, "a connection", func(s localState) bool { return s.Apps[0].Connected }))
}

// next waits for a message that no scene has waited for.
func (p *localPlay) next(ctx context.Context, what string, is func(localMessage) bool) (found localMessage, err error) {
	err = p.wait(ctx, what, func(s localState) bool {
		for _, m := range s.Messages[localChannel] {
			if !p.seen[m.TS] && is(m) {
				found = m
				return true
			}
		}
		return false
	})
	p.seen[found.TS] = true
	return found, err
}

func (p *localPlay) say(ctx context.Context, text string) error {
	return p.control(ctx, "command", map[string]any{"channel": localChannel, "user": localAnn, "command": "/ltx", "text": text})
}

// press presses the button of a message.
func (p *localPlay) press(ctx context.Context, on localMessage, action string) error {
	id := on.button(action)
	if id == "" {
		return errors.New("there is no button " + action)
	}
	return p.control(ctx, "interact", map[string]any{
		"channel": localChannel, "user": localAnn, "messageTs": on.TS,
		"action": map[string]any{"type": "button", "action_id": id, "block_id": "buttons"},
	})
}

// delivered waits for a file, and for the text with the buttons below it.
func (p *localPlay) delivered(ctx context.Context) (localMessage, error) {
	if _, err := p.next(ctx, "a file", func(m localMessage) bool { return len(m.Files) == 1 }); err != nil {
		return localMessage{}, err
	}
	return p.next(ctx, "a video", func(m localMessage) bool { return m.button("again") != "" && m.Ephemeral == "" })
}

func (p *localPlay) video(ctx context.Context) {
	must(p.say(ctx, "a cowboy walks through a dusty town camera:dolly_in"))
	p.made = got(p.delivered(ctx))
}

// answered waits for a message that only the person sees.
func (p *localPlay) answered(ctx context.Context) {
	got(p.next(ctx, "an answer", func(m localMessage) bool { return m.Ephemeral == localAnn }))
}

func (p *localPlay) details(ctx context.Context) {
	must(p.press(ctx, p.made, "details"))
	p.answered(ctx)
}

func (p *localPlay) edit(ctx context.Context) {
	must(p.press(ctx, p.made, "edit"))
	must(p.wait(ctx, "a form", func(s localState) bool { return len(s.Modals) > 0 }))
	prompt := map[string]any{"prompt": map[string]any{"type": "plain_text_input", "value": "a horse in the same town"}}
	must(p.tell(ctx, map[string]any{"t": "view_submit", "user": localAnn, "values": map[string]any{"prompt": prompt}}))
	got(p.delivered(ctx))
}

func (p *localPlay) help(ctx context.Context) {
	must(p.say(ctx, "help"))
	p.answered(ctx)
}

func (p *localPlay) refused(ctx context.Context) {
	must(p.say(ctx, "nsfw"))
	got(p.next(ctx, "a refusal", func(m localMessage) bool { return m.button("edit") != "" && m.button("again") == "" }))
}

func (p *localPlay) cancel(ctx context.Context) {
	must(p.say(ctx, "stays-running"))
	card := got(p.next(ctx, "a card", func(m localMessage) bool { return m.button("cancel") != "" }))
	must(p.press(ctx, card, "cancel"))
	must(p.wait(ctx, "a cancelled job", func(s localState) bool {
		for _, m := range s.Messages[localChannel] {
			if m.TS == card.TS {
				return m.button("cancel") == "" && m.button("retry") != ""
			}
		}
		return false
	}))
}

func (p *localPlay) home(ctx context.Context) {
	must(p.control(ctx, "open-home", map[string]any{"user": localAnn}))
	must(p.wait(ctx, "the Home tab", func(s localState) bool { return len(s.Homes) > 0 }))
}

func (p *localPlay) delete(ctx context.Context) {
	must(p.press(ctx, p.made, "delete"))
	must(p.wait(ctx, "a deleted video", func(s localState) bool {
		for _, m := range s.Messages[localChannel] {
			if m.TS == p.made.TS {
				return false
			}
		}
		return true
	}))
}
