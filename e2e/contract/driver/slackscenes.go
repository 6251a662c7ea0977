package main

import (
	"context"
	"errors"
	"fmt"

	botslack "ltxbot/bot/slack"
	"ltxbot/bot/view"
	"ltxbot/sim/slack"
)

func (p *slackPlay) makeVideo(ctx context.Context) {
	line := "a cowboy walks through a dusty town camera:dolly_in size:16:9 duration:5.1 seed:7 audio:no advanced:\"video_cfg_scale=4 scheduler=ltx2\""
	must(p.say(ctx, p.ann, line))
	p.video = got(p.delivered(ctx, p.videos))
	if len(p.server.Files()) != 1 {
		must(fmt.Errorf("%d files, want 1", len(p.server.Files())))
	}
	must(same("pings", fmt.Sprint(p.video.Pings.Users), fmt.Sprint([]string{p.ann.ID()})))
}

func (p *slackPlay) hostile(ctx context.Context) {
	must(p.say(ctx, p.ann, "<!channel> @here *a fox* `says` ~hello~ & <https://example.com|here> size:4000x4000"))
	m := got(p.delivered(ctx, p.videos))
	must(same("pings", fmt.Sprint(m.Pings), fmt.Sprint(slack.Pings{Users: []string{p.ann.ID()}})))
}

func (p *slackPlay) details(ctx context.Context) {
	must(p.press(ctx, p.ann, p.video, view.ActDetails))
	must(p.answered(ctx, p.videos, p.ann))
}

func (p *slackPlay) repeats(ctx context.Context) {
	for _, action := range []view.Action{view.ActAgain, view.ActSame} {
		must(p.press(ctx, p.ann, p.video, action))
		got(p.delivered(ctx, p.videos))
	}
}

// form waits for the bot's form.
func (p *slackPlay) form(ctx context.Context) (slack.View, error) {
	return p.ann.WaitView(ctx, func(v slack.View) bool { return v.CallbackID == botslack.CallbackForm })
}

// fillIn sends the form with some fields changed.
func (p *slackPlay) fillIn(ctx context.Context, values map[string][]string) error {
	view, err := p.form(ctx)
	if err != nil {
		return err
	}
	_, err = p.ann.SubmitView(ctx, view, values)
	return err
}

func (p *slackPlay) edit(ctx context.Context) {
	must(p.press(ctx, p.ann, p.video, view.ActEdit))
	form := got(p.form(ctx))
	got(p.ann.Click(ctx, form, "model", "ltx-2.3"))
	if _, err := p.ann.WaitView(ctx, func(v slack.View) bool { return v.ID == form.ID && v.Hash != form.Hash }); err != nil {
		must(fmt.Errorf("the form does not follow the model: %w", err))
	}
	must(p.fillIn(ctx, map[string][]string{"prompt": {"a horse gallops through the same town"}}))
	got(p.delivered(ctx, p.videos))
}

// mistake fills a form in wrongly: the answer stands under the field.
func (p *slackPlay) mistake(ctx context.Context) {
	must(p.press(ctx, p.eve, p.video, view.ActEdit))
	view := got(p.eve.WaitView(ctx, func(v slack.View) bool { return v.CallbackID == botslack.CallbackForm }))
	options := got(p.eve.Suggest(ctx, view, "size", "16"))
	if len(options) == 0 {
		must(errors.New("there are no suggestions for the size"))
	}
	_, err := p.eve.SubmitView(ctx, view, map[string][]string{"duration": {"an hour"}})
	var wrong *slack.ActionError
	if !errors.As(err, &wrong) || wrong.Fields["duration"] == "" {
		must(fmt.Errorf("a form with a mistake: got %w, want the mistake", err))
	}
	must(p.eve.CloseView(ctx, view, true))
}

func (p *slackPlay) wrong(ctx context.Context) {
	for _, line := range []string{
		"a fox camera:spin", "a fox lora:https://civitai.com/models/123", "a fox size:<!channel>", "a fox camra:dolly_in", "hlep", "quoat",
		"a fox duration:40", "prompt:\"\"",
	} {
		if err := p.say(ctx, p.ann, line); err != nil {
			must(fmt.Errorf("%s: %w", line, err))
		}
		if err := p.answered(ctx, p.videos, p.ann); err != nil {
			must(fmt.Errorf("%s: %w", line, err))
		}
	}
}

func (p *slackPlay) empty(ctx context.Context) {
	must(p.say(ctx, p.ann, ""))
	must(p.fillIn(ctx, map[string][]string{"prompt": {"a robot on a desk"}}))
	got(p.delivered(ctx, p.videos))
	got(p.ann.GlobalShortcut(ctx, botslack.ShortcutGlobal))
	must(p.fillIn(ctx, map[string][]string{"prompt": {"a robot in the kitchen"}, "where": {p.videos.ID()}}))
	got(p.delivered(ctx, p.videos))
}

func (p *slackPlay) remix(ctx context.Context) {
	for _, message := range []slack.Message{p.ann.Say(p.videos, "a lighthouse in a storm camera:jib_up", ""), p.video} {
		got(p.ann.MessageShortcut(ctx, message, botslack.ShortcutMessage))
		must(p.fillIn(ctx, nil))
		got(p.delivered(ctx, p.videos))
	}
}

func (p *slackPlay) mention(ctx context.Context) {
	parent := p.ann.Say(p.videos, "let us make some videos", "")
	got(p.ann.Mention(p.videos, "a ship at sea camera:jib_down", parent.TS))
	m := got(p.delivered(ctx, p.videos))
	must(same("thread", m.ThreadTS, parent.TS))
}

func (p *slackPlay) private(ctx context.Context) {
	must(p.say(ctx, p.ann, "a secret garden private:yes"))
	got(p.delivered(ctx, p.ann.DM()))
}

func (p *slackPlay) huge(ctx context.Context) {
	files := len(p.server.Files())
	must(p.say(ctx, p.ann, "a huge-file of a mountain"))
	got(p.delivered(ctx, p.videos))
	if len(p.server.Files()) != files {
		must(errors.New("it was uploaded"))
	}
}

// failed lets the model fail in its ways, and tries again after one of them.
func (p *slackPlay) failed(ctx context.Context) {
	for _, prompt := range []string{"nsfw", "broken-lora", "no-media"} {
		must(p.say(ctx, p.ann, prompt))
		card, err := p.next(ctx, p.videos, withButton(view.ActEdit))
		if err != nil {
			must(fmt.Errorf("%s: %w", prompt, err))
		}
		if prompt != "no-media" {
			continue
		}
		must(p.press(ctx, p.ann, card, view.ActRetry))
		got(p.next(ctx, p.videos, withButton(view.ActRetry)))
	}
}

// gone waits until a message has no button for an action.
func (p *slackPlay) gone(ctx context.Context, m slack.Message, action view.Action) error {
	_, err := p.videos.WaitMessage(ctx, func(now slack.Message) bool {
		_, ok := buttonOf(now.Blocks, action)
		return now.TS == m.TS && !ok
	})
	return err
}

func (p *slackPlay) cancelled(ctx context.Context) {
	must(p.say(ctx, p.ann, "stays-running"))
	card := got(p.next(ctx, p.videos, withButton(view.ActCancel)))
	must(p.press(ctx, p.eve, card, view.ActCancel))
	must(p.answered(ctx, p.videos, p.eve))
	must(p.press(ctx, p.ann, card, view.ActCancel))
	must(p.gone(ctx, card, view.ActCancel))
}

// waiting starts more jobs than one person may have at a time, and cancels
// them by command.
func (p *slackPlay) waiting(ctx context.Context) {
	const jobs = 4 // one more than may run
	cards := make([]slack.Message, jobs)
	for n := range cards {
		must(p.say(ctx, p.ann, "stays-queued"))
		cards[n] = got(p.next(ctx, p.videos, withButton(view.ActCancel)))
	}
	must(p.say(ctx, p.ann, "jobs"))
	must(p.answered(ctx, p.videos, p.ann))
	for _, card := range cards {
		id, _ := buttonOf(card.Blocks, view.ActCancel)
		_, job, _ := view.ParseButtonID(id)
		must(p.say(ctx, p.ann, "cancel "+job))
		must(p.answered(ctx, p.videos, p.ann))
	}
	for _, card := range cards {
		must(p.gone(ctx, card, view.ActCancel))
	}
}

func (p *slackPlay) answers(ctx context.Context) {
	id, _ := buttonOf(p.video.Blocks, view.ActAgain)
	_, job, _ := view.ParseButtonID(id)
	for _, line := range []string{
		"help", "help prompt", "help options", "help examples", "help quota",
		"jobs", "show " + job, "show nothing", "show", "cancel " + job, "quota", "loras", "admin",
	} {
		if err := p.say(ctx, p.ann, line); err != nil {
			must(fmt.Errorf("%s: %w", line, err))
		}
		if err := p.answered(ctx, p.videos, p.ann); err != nil {
			must(fmt.Errorf("%s: %w", line, err))
		}
	}
}

func (p *slackPlay) home(ctx context.Context) {
	p.ann.OpenHome()
	home := got(p.ann.WaitHome(ctx, func(v slack.View) bool { return len(v.Blocks.Buttons()) > 0 }))
	got(p.ann.Click(ctx, home, home.Blocks.Buttons()[0].ActionID))
	view := got(p.form(ctx))
	must(p.ann.CloseView(ctx, view, true))
}

// limit makes one video more than may be.
func (p *slackPlay) limit(ctx context.Context) {
	must(p.say(ctx, p.eve, "an owl"))
	got(p.delivered(ctx, p.videos))
	must(p.say(ctx, p.eve, "another owl"))
	must(p.answered(ctx, p.videos, p.eve))
}

func (p *slackPlay) outside(ctx context.Context) {
	closed := p.acme.AddChannel(slack.ChannelSpec{Name: "closed", Kind: slack.Private, Members: []*slack.User{p.ann}})
	got(p.ann.Slash(ctx, closed, "/ltx", "a fox"))
	must(p.answered(ctx, closed, p.ann))
}

// archived archives the channel while the video is made: it goes by direct
// message.
func (p *slackPlay) archived(ctx context.Context) {
	temporary := p.acme.AddChannel(slack.ChannelSpec{Name: "temporary", Members: []*slack.User{p.ann, p.acme.Bot()}})
	got(p.ann.Slash(ctx, temporary, "/ltx", "takes-long to make a ship"))
	got(p.next(ctx, temporary, withButton(view.ActCancel)))
	temporary.Archive(true)
	got(p.delivered(ctx, p.ann.DM()))
}

func (p *slackPlay) deleted(ctx context.Context) {
	must(p.press(ctx, p.ann, p.video, view.ActDelete))
	must(p.server.Wait(ctx, func() bool {
		_, there := p.videos.Message(p.video.TS)
		return !there
	}))
}
