package main

import (
	"context"
	"errors"
	"fmt"

	botslack "ltxbot/bot/slack"
	"ltxbot/bot/view"
	"ltxbot/sim/slack"
)

func (p *slackPlay) makeVideo(ctx context.Context) error {
	line := "a cowboy walks through a dusty town camera:dolly_in size:16:9 duration:5.1 seed:7 audio:no advanced:\"video_cfg_scale=4 scheduler=ltx2\""
	if err := p.say(ctx, p.ann, line); err != nil {
		return err
	}
	var err error
	if p.video, err = p.delivered(ctx, p.videos); err != nil {
		return err
	}
	if len(p.server.Files()) != 1 {
		return fmt.Errorf("%d files, want 1", len(p.server.Files()))
	}
	return same("pings", fmt.Sprint(p.video.Pings.Users), fmt.Sprint([]string{p.ann.ID()}))
}

func (p *slackPlay) hostile(ctx context.Context) error {
	if err := p.say(ctx, p.ann, "<!channel> @here *a fox* `says` ~hello~ & <https://example.com|here> size:4000x4000"); err != nil {
		return err
	}
	m, err := p.delivered(ctx, p.videos)
	if err != nil {
		return err
	}
	return same("pings", fmt.Sprint(m.Pings), fmt.Sprint(slack.Pings{Users: []string{p.ann.ID()}}))
}

func (p *slackPlay) details(ctx context.Context) error {
	if err := p.press(ctx, p.ann, p.video, view.ActDetails); err != nil {
		return err
	}
	return p.answered(ctx, p.videos, p.ann)
}

func (p *slackPlay) repeats(ctx context.Context) error {
	for _, action := range []view.Action{view.ActAgain, view.ActSame} {
		if err := p.press(ctx, p.ann, p.video, action); err != nil {
			return err
		}
		if _, err := p.delivered(ctx, p.videos); err != nil {
			return err
		}
	}
	return nil
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

func (p *slackPlay) edit(ctx context.Context) error {
	if err := p.press(ctx, p.ann, p.video, view.ActEdit); err != nil {
		return err
	}
	form, err := p.form(ctx)
	if err != nil {
		return err
	}
	if _, err = p.ann.Click(ctx, form, "model", "ltx-2.3"); err != nil {
		return err
	}
	if _, err = p.ann.WaitView(ctx, func(v slack.View) bool { return v.ID == form.ID && v.Hash != form.Hash }); err != nil {
		return fmt.Errorf("the form does not follow the model: %w", err)
	}
	if err := p.fillIn(ctx, map[string][]string{"prompt": {"a horse gallops through the same town"}}); err != nil {
		return err
	}
	_, err = p.delivered(ctx, p.videos)
	return err
}

// mistake fills a form in wrongly: the answer stands under the field.
func (p *slackPlay) mistake(ctx context.Context) error {
	if err := p.press(ctx, p.eve, p.video, view.ActEdit); err != nil {
		return err
	}
	view, err := p.eve.WaitView(ctx, func(v slack.View) bool { return v.CallbackID == botslack.CallbackForm })
	if err != nil {
		return err
	}
	options, err := p.eve.Suggest(ctx, view, "size", "16")
	if err != nil {
		return err
	}
	if len(options) == 0 {
		return errors.New("there are no suggestions for the size")
	}
	_, err = p.eve.SubmitView(ctx, view, map[string][]string{"duration": {"an hour"}})
	var wrong *slack.ActionError
	if !errors.As(err, &wrong) || wrong.Fields["duration"] == "" {
		return fmt.Errorf("a form with a mistake: got %w, want the mistake", err)
	}
	return p.eve.CloseView(ctx, view, true)
}

func (p *slackPlay) wrong(ctx context.Context) error {
	for _, line := range []string{
		"a fox camera:spin", "a fox lora:https://civitai.com/models/123", "a fox size:<!channel>", "a fox camra:dolly_in", "hlep", "quoat",
		"a fox duration:40", "prompt:\"\"",
	} {
		if err := p.say(ctx, p.ann, line); err != nil {
			return fmt.Errorf("%s: %w", line, err)
		}
		if err := p.answered(ctx, p.videos, p.ann); err != nil {
			return fmt.Errorf("%s: %w", line, err)
		}
	}
	return nil
}

func (p *slackPlay) empty(ctx context.Context) error {
	if err := p.say(ctx, p.ann, ""); err != nil {
		return err
	}
	if err := p.fillIn(ctx, map[string][]string{"prompt": {"a robot on a desk"}}); err != nil {
		return err
	}
	if _, err := p.delivered(ctx, p.videos); err != nil {
		return err
	}
	if _, err := p.ann.GlobalShortcut(ctx, botslack.ShortcutGlobal); err != nil {
		return err
	}
	if err := p.fillIn(ctx, map[string][]string{"prompt": {"a robot in the kitchen"}, "where": {p.videos.ID()}}); err != nil {
		return err
	}
	_, err := p.delivered(ctx, p.videos)
	return err
}

func (p *slackPlay) remix(ctx context.Context) error {
	for _, message := range []slack.Message{p.ann.Say(p.videos, "a lighthouse in a storm camera:jib_up", ""), p.video} {
		if _, err := p.ann.MessageShortcut(ctx, message, botslack.ShortcutMessage); err != nil {
			return err
		}
		if err := p.fillIn(ctx, nil); err != nil {
			return err
		}
		if _, err := p.delivered(ctx, p.videos); err != nil {
			return err
		}
	}
	return nil
}

func (p *slackPlay) mention(ctx context.Context) error {
	parent := p.ann.Say(p.videos, "let us make some videos", "")
	_, err := p.ann.Mention(p.videos, "a ship at sea camera:jib_down", parent.TS)
	if err != nil {
		return err
	}
	m, err := p.delivered(ctx, p.videos)
	if err != nil {
		return err
	}
	return same("thread", m.ThreadTS, parent.TS)
}

func (p *slackPlay) private(ctx context.Context) error {
	if err := p.say(ctx, p.ann, "a secret garden private:yes"); err != nil {
		return err
	}
	_, err := p.delivered(ctx, p.ann.DM())
	return err
}

func (p *slackPlay) huge(ctx context.Context) error {
	files := len(p.server.Files())
	if err := p.say(ctx, p.ann, "a huge-file of a mountain"); err != nil {
		return err
	}
	if _, err := p.delivered(ctx, p.videos); err != nil {
		return err
	}
	if len(p.server.Files()) != files {
		return errors.New("it was uploaded")
	}
	return nil
}

// failed lets the model fail in its ways, and tries again after one of them.
func (p *slackPlay) failed(ctx context.Context) error {
	for _, prompt := range []string{"nsfw", "broken-lora", "no-media"} {
		if err := p.say(ctx, p.ann, prompt); err != nil {
			return err
		}
		card, err := p.next(ctx, p.videos, withButton(view.ActEdit))
		if err != nil {
			return fmt.Errorf("%s: %w", prompt, err)
		}
		if prompt != "no-media" {
			continue
		}
		if err := p.press(ctx, p.ann, card, view.ActRetry); err != nil {
			return err
		}
		if _, err := p.next(ctx, p.videos, withButton(view.ActRetry)); err != nil {
			return err
		}
	}
	return nil
}

// gone waits until a message has no button for an action.
func (p *slackPlay) gone(ctx context.Context, m slack.Message, action view.Action) error {
	_, err := p.videos.WaitMessage(ctx, func(now slack.Message) bool {
		_, ok := buttonOf(now.Blocks, action)
		return now.TS == m.TS && !ok
	})
	return err
}

func (p *slackPlay) cancelled(ctx context.Context) error {
	if err := p.say(ctx, p.ann, "stays-running"); err != nil {
		return err
	}
	card, err := p.next(ctx, p.videos, withButton(view.ActCancel))
	if err != nil {
		return err
	}
	if err := p.press(ctx, p.eve, card, view.ActCancel); err != nil {
		return err
	}
	if err := p.answered(ctx, p.videos, p.eve); err != nil {
		return err
	}
	if err := p.press(ctx, p.ann, card, view.ActCancel); err != nil {
		return err
	}
	return p.gone(ctx, card, view.ActCancel)
}

// waiting starts more jobs than one person may have at a time, and cancels
// them by command.
func (p *slackPlay) waiting(ctx context.Context) error {
	const jobs = 4 // one more than may run
	var cards []slack.Message
	for range jobs {
		if err := p.say(ctx, p.ann, "stays-queued"); err != nil {
			return err
		}
		card, err := p.next(ctx, p.videos, withButton(view.ActCancel))
		if err != nil {
			return err
		}
		cards = append(cards, card)
	}
	if err := p.say(ctx, p.ann, "jobs"); err != nil {
		return err
	}
	if err := p.answered(ctx, p.videos, p.ann); err != nil {
		return err
	}
	for _, card := range cards {
		id, _ := buttonOf(card.Blocks, view.ActCancel)
		_, job, _ := view.ParseButtonID(id)
		if err := p.say(ctx, p.ann, "cancel "+job); err != nil {
			return err
		}
		if err := p.answered(ctx, p.videos, p.ann); err != nil {
			return err
		}
	}
	for _, card := range cards {
		if err := p.gone(ctx, card, view.ActCancel); err != nil {
			return err
		}
	}
	return nil
}

func (p *slackPlay) answers(ctx context.Context) error {
	id, _ := buttonOf(p.video.Blocks, view.ActAgain)
	_, job, _ := view.ParseButtonID(id)
	for _, line := range []string{
		"help", "help prompt", "help options", "help examples", "help quota",
		"jobs", "show " + job, "show nothing", "show", "cancel " + job, "quota", "loras", "admin",
	} {
		if err := p.say(ctx, p.ann, line); err != nil {
			return fmt.Errorf("%s: %w", line, err)
		}
		if err := p.answered(ctx, p.videos, p.ann); err != nil {
			return fmt.Errorf("%s: %w", line, err)
		}
	}
	return nil
}

func (p *slackPlay) home(ctx context.Context) error {
	p.ann.OpenHome()
	home, err := p.ann.WaitHome(ctx, func(v slack.View) bool { return len(v.Blocks.Buttons()) > 0 })
	if err != nil {
		return err
	}
	if _, err := p.ann.Click(ctx, home, home.Blocks.Buttons()[0].ActionID); err != nil {
		return err
	}
	view, err := p.form(ctx)
	if err != nil {
		return err
	}
	return p.ann.CloseView(ctx, view, true)
}

// limit makes one video more than may be.
func (p *slackPlay) limit(ctx context.Context) error {
	if err := p.say(ctx, p.eve, "an owl"); err != nil {
		return err
	}
	if _, err := p.delivered(ctx, p.videos); err != nil {
		return err
	}
	if err := p.say(ctx, p.eve, "another owl"); err != nil {
		return err
	}
	return p.answered(ctx, p.videos, p.eve)
}

func (p *slackPlay) outside(ctx context.Context) error {
	closed := p.acme.AddChannel(slack.ChannelSpec{Name: "closed", Kind: slack.Private, Members: []*slack.User{p.ann}})
	if _, err := p.ann.Slash(ctx, closed, "/ltx", "a fox"); err != nil {
		return err
	}
	return p.answered(ctx, closed, p.ann)
}

// archived archives the channel while the video is made: it goes by direct
// message.
func (p *slackPlay) archived(ctx context.Context) error {
	temporary := p.acme.AddChannel(slack.ChannelSpec{Name: "temporary", Members: []*slack.User{p.ann, p.acme.Bot()}})
	if _, err := p.ann.Slash(ctx, temporary, "/ltx", "takes-long to make a ship"); err != nil {
		return err
	}
	if _, err := p.next(ctx, temporary, withButton(view.ActCancel)); err != nil {
		return err
	}
	temporary.Archive(true)
	_, err := p.delivered(ctx, p.ann.DM())
	return err
}

func (p *slackPlay) deleted(ctx context.Context) error {
	if err := p.press(ctx, p.ann, p.video, view.ActDelete); err != nil {
		return err
	}
	return p.server.Wait(ctx, func() bool {
		_, there := p.videos.Message(p.video.TS)
		return !there
	})
}
