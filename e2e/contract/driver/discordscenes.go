package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/sim/discord"
)

func (p *discordPlay) suggestions(ctx context.Context) error {
	for _, option := range []string{"size", "lora", "duration"} {
		i, err := p.ada.Autocomplete(ctx, p.videos, "ltx", option, discord.Arg("prompt", "a cowboy"), discord.Arg(option, "1"))
		if err != nil {
			return err
		}
		if err := i.WaitAck(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (p *discordPlay) makeVideo(ctx context.Context) error {
	i, err := p.slash(ctx, p.ada, "a cowboy walks through a dusty town", discord.Arg("camera", "dolly_in"),
		discord.Arg("size", "16:9"), discord.Arg("duration", "5.1"), discord.Arg("seed", "7"), discord.Arg("audio", false),
		discord.Arg("advanced", "video_cfg_scale=4 scheduler=ltx2"))
	if err != nil {
		return err
	}
	if p.video, err = p.delivered(ctx, i); err != nil {
		return err
	}
	return same("videos and pings", fmt.Sprint(len(p.video.Attachments), p.video.Pings.Users), fmt.Sprint(1, []string{p.ada.ID}))
}

func (p *discordPlay) hostile(ctx context.Context) error {
	i, err := p.slash(ctx, p.ada, "@everyone <@&1> **a fox** `says` ||hello|| [here](https://example.com)\n# and\n> more", discord.Arg("size", "4000x4000"))
	if err != nil {
		return err
	}
	m, err := p.delivered(ctx, i)
	if err != nil {
		return err
	}
	return same("pings", fmt.Sprint(m.Pings), fmt.Sprint(discord.Pings{Users: []string{p.ada.ID}}))
}

func (p *discordPlay) details(ctx context.Context) error {
	i, err := p.press(ctx, p.ada, p.video, view.ActDetails)
	if err != nil {
		return err
	}
	_, err = answered(ctx, i)
	return err
}

func (p *discordPlay) repeats(ctx context.Context) error {
	for _, action := range []view.Action{view.ActAgain, view.ActSame} {
		i, err := p.press(ctx, p.ada, p.video, action)
		if err != nil {
			return err
		}
		if _, err := p.delivered(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

// openForm opens the form of the video.
func (p *discordPlay) openForm(ctx context.Context) (*discord.Interaction, error) {
	i, err := p.press(ctx, p.ada, p.video, view.ActEdit)
	if err != nil {
		return nil, err
	}
	_, err = i.WaitModal(ctx)
	return i, err
}

func (p *discordPlay) edit(ctx context.Context) error {
	form, err := p.openForm(ctx)
	if err != nil {
		return err
	}
	sent, err := p.ada.SubmitModal(ctx, form, map[string]any{"prompt": "a horse gallops through the same town", "model": "ltx-2.3"})
	if err != nil {
		return err
	}
	_, err = p.delivered(ctx, sent)
	return err
}

// mistake fills a form in wrongly, and opens it again from the answer.
func (p *discordPlay) mistake(ctx context.Context) error {
	form, err := p.openForm(ctx)
	if err != nil {
		return err
	}
	sent, err := p.ada.SubmitModal(ctx, form, map[string]any{"duration": "an hour"})
	if err != nil {
		return err
	}
	refusal, err := answered(ctx, sent)
	if err != nil {
		return err
	}
	if len(refusal.Buttons) != 1 {
		return fmt.Errorf("%q has %d buttons, want 1", refusal.Text(), len(refusal.Buttons))
	}
	again, err := p.ada.Click(ctx, refusal, refusal.Buttons[0].CustomID)
	if err != nil {
		return err
	}
	_, err = again.WaitModal(ctx)
	return err
}

// wrong sends what a client would not let anybody send, and what it would.
func (p *discordPlay) wrong(ctx context.Context) error {
	const text = 3 // type of an option
	option := func(name, value string) map[string]any {
		return map[string]any{"name": name, "type": text, "value": value}
	}
	for _, options := range [][]any{
		{option("prompt", "a fox"), option("camera", "spin")},
		{option("prompt", "a fox"), option("lora", "https://civitai.com/models/123")},
		{option("prompt", "a fox"), option("size", "@everyone <@&1> **large** `")},
		{option("prompt", "a fox"), option("camra", "dolly_in")},
		{option("prompt", "")},
	} {
		i, err := p.ada.SlashRaw(ctx, p.videos, "ltx", map[string]any{"name": "ltx", "options": options})
		if err != nil {
			return err
		}
		if _, err := answered(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

func (p *discordPlay) remix(ctx context.Context) error {
	for _, message := range []discord.Message{p.ada.Say(p.videos, "a lighthouse in a storm camera:jib_up"), p.video} {
		i, err := p.ada.MessageCommand(ctx, message, "Remix with LTX")
		if err != nil {
			return err
		}
		if _, err := i.WaitModal(ctx); err != nil {
			return err
		}
		sent, err := p.ada.SubmitModal(ctx, i, nil)
		if err != nil {
			return err
		}
		if _, err := p.delivered(ctx, sent); err != nil {
			return err
		}
	}
	return nil
}

func (p *discordPlay) private(ctx context.Context) error {
	i, err := p.slash(ctx, p.ada, "a secret garden", discord.Arg("private", true))
	if err != nil {
		return err
	}
	m, err := p.delivered(ctx, i)
	if err != nil {
		return err
	}
	return same("reader", m.EphemeralTo, p.ada.ID)
}

func (p *discordPlay) huge(ctx context.Context) error {
	i, err := p.slash(ctx, p.ada, "a huge-file of a mountain")
	if err != nil {
		return err
	}
	m, err := p.delivered(ctx, i)
	if err == nil && len(m.Attachments) > 0 {
		err = errors.New("it was uploaded")
	}
	return err
}

func (p *discordPlay) refused(ctx context.Context) error {
	i, err := p.slash(ctx, p.ada, "nsfw")
	if err != nil {
		return err
	}
	_, err = p.ends(ctx, i, generate.Failed)
	return err
}

// failed lets the model fail in its ways, and tries again after one of them.
func (p *discordPlay) failed(ctx context.Context) error {
	for _, prompt := range []string{"server-error", "no-media", "broken-lora"} {
		i, err := p.slash(ctx, p.ada, prompt)
		if err != nil {
			return err
		}
		if _, err := p.ends(ctx, i, generate.Failed); err != nil {
			return err
		}
		card, err := i.WaitResponse(ctx, hasAction(view.ActRetry, view.ActEdit))
		if err != nil {
			return err
		}
		if prompt != "no-media" {
			continue
		}
		retry, err := p.press(ctx, p.ada, card, view.ActRetry)
		if err != nil {
			return err
		}
		if _, err := p.ends(ctx, retry, generate.Failed); err != nil {
			return err
		}
	}
	return nil
}

func (p *discordPlay) cancelled(ctx context.Context) error {
	i, err := p.slash(ctx, p.ada, "stays-running")
	if err != nil {
		return err
	}
	if _, err := p.ends(ctx, i, generate.Running); err != nil {
		return err
	}
	card, err := i.WaitResponse(ctx, hasAction(view.ActCancel))
	if err != nil {
		return err
	}
	other, err := p.press(ctx, p.eve, card, view.ActCancel)
	if err != nil {
		return err
	}
	if _, err := answered(ctx, other); err != nil {
		return err
	}
	if _, err := p.press(ctx, p.ada, card, view.ActCancel); err != nil {
		return err
	}
	_, err = p.ends(ctx, i, generate.Cancelled)
	return err
}

// waiting starts more jobs than one person may have at a time, and cancels
// them by command.
func (p *discordPlay) waiting(ctx context.Context) error {
	const jobs = 4 // one more than may run
	started := make([]*discord.Interaction, jobs)
	for n := range started {
		i, err := p.slash(ctx, p.ada, "stays-queued")
		if err != nil {
			return err
		}
		if err := i.WaitAck(ctx); err != nil {
			return err
		}
		started[n] = i
	}
	if _, err := started[jobs-1].WaitResponse(ctx, hasAction(view.ActCancel)); err != nil {
		return err
	}
	list, err := p.ada.Slash(ctx, p.videos, "ltx-jobs list")
	if err != nil {
		return err
	}
	if _, err := answered(ctx, list); err != nil {
		return err
	}
	for _, i := range started {
		cancel, err := p.ada.Slash(ctx, p.videos, "ltx-jobs cancel", discord.Arg("job", generate.NewID("discord:"+i.ID)))
		if err != nil {
			return err
		}
		if _, err := answered(ctx, cancel); err != nil {
			return err
		}
	}
	for _, i := range started {
		if _, err := p.ends(ctx, i, generate.Cancelled); err != nil {
			return err
		}
	}
	return nil
}

func (p *discordPlay) answers(ctx context.Context) error {
	_, job, _ := view.ParseButtonID(p.video.Buttons[0].CustomID)
	for _, line := range []string{
		"/ltx-help", "/ltx-help topic:prompt", "/ltx-help topic:options", "/ltx-help topic:examples", "/ltx-help topic:quota",
		"/ltx-jobs list", "/ltx-jobs show job:" + job, "/ltx-jobs show job:nothing", "/ltx-jobs cancel job:" + job,
		"/ltx-quota show", "/ltx-loras list", "/ltx-admin status",
	} {
		i, err := p.ada.Type(ctx, p.videos, line)
		if err != nil {
			return fmt.Errorf("%s: %w", line, err)
		}
		if _, err := answered(ctx, i); err != nil {
			return fmt.Errorf("%s: %w", line, err)
		}
	}
	i, err := p.ada.Autocomplete(ctx, p.videos, "ltx-jobs show", "job", discord.Arg("job", ""))
	if err != nil {
		return err
	}
	return i.WaitAck(ctx)
}

// limit makes one video more than may be.
func (p *discordPlay) limit(ctx context.Context) error {
	first, err := p.slash(ctx, p.eve, "an owl")
	if err != nil {
		return err
	}
	if _, err := p.delivered(ctx, first); err != nil {
		return err
	}
	second, err := p.slash(ctx, p.eve, "another owl")
	if err != nil {
		return err
	}
	_, err = answered(ctx, second)
	return err
}

func (p *discordPlay) forbidden(ctx context.Context) error {
	closed := p.guild.NewChannel("closed")
	closed.Deny(p.server.Bot(), discord.SendMessages|discord.AttachFiles)
	i, err := p.ada.Slash(ctx, closed, "ltx", discord.Arg("prompt", "a fox"))
	if err != nil {
		return err
	}
	_, err = answered(ctx, i)
	return err
}

// expired lets the token of an interaction expire while the video is made: the
// card and the video go by the bot's own token.
func (p *discordPlay) expired(ctx context.Context) error {
	i, err := p.slash(ctx, p.ada, "takes-long to make a tower")
	if err != nil {
		return err
	}
	if _, err := p.ends(ctx, i, generate.Running); err != nil {
		return err
	}
	const life = 15 * time.Minute
	p.server.Advance(life + time.Second)
	if _, err := p.delivered(ctx, i); err != nil {
		return err
	}
	_, err = p.server.WaitRequest(ctx, served(discord.RouteEditMessage))
	return err
}

// gone deletes the channel while the video is made: it goes by direct message.
func (p *discordPlay) gone(ctx context.Context) error {
	temporary := p.guild.NewChannel("temporary")
	i, err := p.ada.Slash(ctx, temporary, "ltx", discord.Arg("prompt", "a ship"))
	if err != nil {
		return err
	}
	if _, err := p.ends(ctx, i, generate.Queued, generate.Running); err != nil {
		return err
	}
	temporary.Delete()
	m, err := p.delivered(ctx, i)
	if err != nil {
		return err
	}
	return same("channel", m.ChannelID, p.ada.DM().ID)
}

func (p *discordPlay) deleted(ctx context.Context) error {
	i, err := p.press(ctx, p.ada, p.video, view.ActDelete)
	if err != nil {
		return err
	}
	if err := i.WaitAck(ctx); err != nil {
		return err
	}
	_, err = p.server.WaitRequest(ctx, served(discord.RouteDeleteResponse))
	return err
}
