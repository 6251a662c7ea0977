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

func (p *discordPlay) suggestions(ctx context.Context) {
	for _, option := range []string{"size", "lora", "duration"} {
		i := got(p.ada.Autocomplete(ctx, p.videos, "ltx", option, discord.Arg("prompt", "a cowboy"), discord.Arg(option, "1")))
		must(i.WaitAck(ctx))
	}
}

func (p *discordPlay) makeVideo(ctx context.Context) {
	i := got(p.slash(ctx, p.ada, "a cowboy walks through a dusty town", discord.Arg("camera", "dolly_in"),
		discord.Arg("size", "16:9"), discord.Arg("duration", "5.1"), discord.Arg("seed", "7"), discord.Arg("audio", false),
		discord.Arg("advanced", "video_cfg_scale=4 scheduler=ltx2")))
	p.video = got(p.delivered(ctx, i))
	must(same("videos and pings", fmt.Sprint(len(p.video.Attachments), p.video.Pings.Users), fmt.Sprint(1, []string{p.ada.ID})))
}

func (p *discordPlay) hostile(ctx context.Context) {
	i := got(p.slash(ctx, p.ada, "@everyone <@&1> **a fox** `says` ||hello|| [here](https://example.com)\n# and\n> more", discord.Arg("size", "4000x4000")))
	m := got(p.delivered(ctx, i))
	must(same("pings", fmt.Sprint(m.Pings), fmt.Sprint(discord.Pings{Users: []string{p.ada.ID}})))
}

func (p *discordPlay) details(ctx context.Context) {
	i := got(p.press(ctx, p.ada, p.video, view.ActDetails))
	got(answered(ctx, i))
}

func (p *discordPlay) repeats(ctx context.Context) {
	for _, action := range []view.Action{view.ActAgain, view.ActSame} {
		i := got(p.press(ctx, p.ada, p.video, action))
		got(p.delivered(ctx, i))
	}
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

func (p *discordPlay) edit(ctx context.Context) {
	form := got(p.openForm(ctx))
	sent := got(p.ada.SubmitModal(ctx, form, map[string]any{"prompt": "a horse gallops through the same town", "model": "ltx-2.3"}))
	got(p.delivered(ctx, sent))
}

// mistake fills a form in wrongly, and opens it again from the answer.
func (p *discordPlay) mistake(ctx context.Context) {
	form := got(p.openForm(ctx))
	sent := got(p.ada.SubmitModal(ctx, form, map[string]any{"duration": "an hour"}))
	refusal := got(answered(ctx, sent))
	if len(refusal.Buttons) != 1 {
		must(fmt.Errorf("%q has %d buttons, want 1", refusal.Text(), len(refusal.Buttons)))
	}
	again := got(p.ada.Click(ctx, refusal, refusal.Buttons[0].CustomID))
	got(again.WaitModal(ctx))
}

// wrong sends what a client would not let anybody send, and what it would.
func (p *discordPlay) wrong(ctx context.Context) {
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
		i := got(p.ada.SlashRaw(ctx, p.videos, "ltx", map[string]any{"name": "ltx", "options": options}))
		got(answered(ctx, i))
	}
}

func (p *discordPlay) remix(ctx context.Context) {
	for _, message := range []discord.Message{p.ada.Say(p.videos, "a lighthouse in a storm camera:jib_up"), p.video} {
		i := got(p.ada.MessageCommand(ctx, message, "Remix with LTX"))
		got(i.WaitModal(ctx))
		sent := got(p.ada.SubmitModal(ctx, i, nil))
		got(p.delivered(ctx, sent))
	}
}

func (p *discordPlay) private(ctx context.Context) {
	i := got(p.slash(ctx, p.ada, "a secret garden", discord.Arg("private", true)))
	m := got(p.delivered(ctx, i))
	must(same("reader", m.EphemeralTo, p.ada.ID))
}

func (p *discordPlay) huge(ctx context.Context) {
	i := got(p.slash(ctx, p.ada, "a huge-file of a mountain"))
	m, err := p.delivered(ctx, i)
	if err == nil && len(m.Attachments) > 0 {
		err = errors.New("it was uploaded")
	}
	must(err)
}

func (p *discordPlay) refused(ctx context.Context) {
	i := got(p.slash(ctx, p.ada, "nsfw"))
	got(p.ends(ctx, i, generate.Failed))
}

// failed lets the model fail in its ways, and tries again after one of them.
func (p *discordPlay) failed(ctx context.Context) {
	for _, prompt := range []string{"server-error", "no-media", "broken-lora"} {
		i := got(p.slash(ctx, p.ada, prompt))
		got(p.ends(ctx, i, generate.Failed))
		card := got(i.WaitResponse(ctx, hasAction(view.ActRetry, view.ActEdit)))
		if prompt != "no-media" {
			continue
		}
		retry := got(p.press(ctx, p.ada, card, view.ActRetry))
		got(p.ends(ctx, retry, generate.Failed))
	}
}

func (p *discordPlay) cancelled(ctx context.Context) {
	i := got(p.slash(ctx, p.ada, "stays-running"))
	got(p.ends(ctx, i, generate.Running))
	card := got(i.WaitResponse(ctx, hasAction(view.ActCancel)))
	other := got(p.press(ctx, p.eve, card, view.ActCancel))
	got(answered(ctx, other))
	got(p.press(ctx, p.ada, card, view.ActCancel))
	got(p.ends(ctx, i, generate.Cancelled))
}

// waiting starts more jobs than one person may have at a time, and cancels
// them by command.
func (p *discordPlay) waiting(ctx context.Context) {
	const jobs = 4 // one more than may run
	started := make([]*discord.Interaction, jobs)
	for n := range started {
		i := got(p.slash(ctx, p.ada, "stays-queued"))
		must(i.WaitAck(ctx))
		started[n] = i
	}
	got(started[jobs-1].WaitResponse(ctx, hasAction(view.ActCancel)))
	list := got(p.ada.Slash(ctx, p.videos, "ltx-jobs list"))
	got(answered(ctx, list))
	for _, i := range started {
		cancel := got(p.ada.Slash(ctx, p.videos, "ltx-jobs cancel", discord.Arg("job", generate.NewID("discord:"+i.ID))))
		got(answered(ctx, cancel))
	}
	for _, i := range started {
		got(p.ends(ctx, i, generate.Cancelled))
	}
}

func (p *discordPlay) answers(ctx context.Context) {
	_, job, _ := view.ParseButtonID(p.video.Buttons[0].CustomID)
	for _, line := range []string{
		"/ltx-help", "/ltx-help topic:prompt", "/ltx-help topic:options", "/ltx-help topic:examples", "/ltx-help topic:quota",
		"/ltx-jobs list", "/ltx-jobs show job:" + job, "/ltx-jobs show job:nothing", "/ltx-jobs cancel job:" + job,
		"/ltx-quota show", "/ltx-loras list", "/ltx-admin status",
	} {
		i, err := p.ada.Type(ctx, p.videos, line)
		if err != nil {
			must(fmt.Errorf("%s: %w", line, err))
		}
		if _, err := answered(ctx, i); err != nil {
			must(fmt.Errorf("%s: %w", line, err))
		}
	}
	i := got(p.ada.Autocomplete(ctx, p.videos, "ltx-jobs show", "job", discord.Arg("job", "")))
	must(i.WaitAck(ctx))
}

// limit makes one video more than may be.
func (p *discordPlay) limit(ctx context.Context) {
	first := got(p.slash(ctx, p.eve, "an owl"))
	got(p.delivered(ctx, first))
	second := got(p.slash(ctx, p.eve, "another owl"))
	got(answered(ctx, second))
}

func (p *discordPlay) forbidden(ctx context.Context) {
	closed := p.guild.NewChannel("closed")
	closed.Deny(p.server.Bot(), discord.SendMessages|discord.AttachFiles)
	i := got(p.ada.Slash(ctx, closed, "ltx", discord.Arg("prompt", "a fox")))
	got(answered(ctx, i))
}

// expired lets the token of an interaction expire while the video is made: the
// card and the video go by the bot's own token.
func (p *discordPlay) expired(ctx context.Context) {
	i := got(p.slash(ctx, p.ada, "takes-long to make a tower"))
	got(p.ends(ctx, i, generate.Running))
	const life = 15 * time.Minute
	p.server.Advance(life + time.Second)
	got(p.delivered(ctx, i))
	got(p.server.WaitRequest(ctx, served(discord.RouteEditMessage)))
}

// gone deletes the channel while the video is made: it goes by direct message.
func (p *discordPlay) gone(ctx context.Context) {
	temporary := p.guild.NewChannel("temporary")
	i := got(p.ada.Slash(ctx, temporary, "ltx", discord.Arg("prompt", "a ship")))
	got(p.ends(ctx, i, generate.Queued, generate.Running))
	temporary.Delete()
	m := got(p.delivered(ctx, i))
	must(same("channel", m.ChannelID, p.ada.DM().ID))
}

func (p *discordPlay) deleted(ctx context.Context) {
	i := got(p.press(ctx, p.ada, p.video, view.ActDelete))
	must(i.WaitAck(ctx))
	got(p.server.WaitRequest(ctx, served(discord.RouteDeleteResponse)))
}
