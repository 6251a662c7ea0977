package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	botdiscord "ltxbot/bot/discord"
	"ltxbot/bot/view"
	"ltxbot/config"
	"ltxbot/core/generate"
	"ltxbot/sim/discord"
)

// botOnDiscord plays people who use our bot in every way on sim/discord,
// keeps all that the bot and the simulator said to one another, and has it
// validated by what Discord and discord.js publish.
func botOnDiscord(ctx context.Context, b *bench) error {
	server, err := discord.Start(discord.Options{IdentifyEvery: -1, AnswerWithin: answerWithin})
	if err != nil {
		return err
	}
	defer func() { _ = server.Close() }()
	record, err := newRecorder(ctx, server.BaseURL(), discordPath)
	if err != nil {
		return err
	}
	defer record.close()
	guild := server.NewGuild("Acme")
	studio := guild.NewRole("studio", discord.ManageGuild)
	play := &discordPlay{
		presses: map[string]string{},
		server:  server, guild: guild, videos: guild.NewChannel("videos"),
		ada: server.NewUser("ada"), eve: server.NewUser("eve"),
	}
	guild.Join(play.ada, studio)
	guild.Join(play.eve)
	on := func(guilds ...string) func(*config.Config, *config.Tier) {
		return func(cfg *config.Config, tier *config.Tier) {
			cfg.Discord.Token = config.NewSecret(server.Token())
			cfg.Discord.ApplicationID = server.ApplicationID()
			cfg.Discord.APIURL = record.url("/api")
			cfg.Discord.Guilds = guilds
			tier.DiscordRoles = []string{studio.ID}
		}
	}
	if play.stage, err = newStage(ctx, b, on()); err != nil {
		return err
	}
	if err := errors.Join(b.play(ctx, play.scenes()), play.close(ctx)); err != nil {
		return err
	}
	// Another start moves the commands from everywhere to one guild.
	if play.stage, err = newStage(ctx, b, on(guild.ID)); err != nil {
		return err
	}
	if err := play.close(ctx); err != nil {
		return err
	}
	path := filepath.Join(b.tmp, "bot-discord.jsonl")
	if err := record.save(path); err != nil {
		return err
	}
	return errors.Join(
		b.validate(ctx, "discord.requests", path),
		b.validate(ctx, "discord.answers", path),
		record.refused(discordRefusals),
	)
}

// discordRefusals are answers that scenes provoke.
var discordRefusals = map[string]string{
	"Unknown Channel":       "its channel was deleted",
	"Unknown Message":       "its card was in the channel",
	"Invalid Webhook Token": "its interaction has expired",
}

// discordPlay is what people do with the bot.
type discordPlay struct {
	*stage

	server   *discord.Server
	guild    *discord.Guild
	videos   *discord.Channel
	ada, eve *discord.User
	video    discord.Message   // the newest video of ada
	presses  map[string]string // the events of presses, by interaction
}

func (p *discordPlay) scenes() []scene {
	return []scene{
		{"suggestions", p.suggestions},
		{"a video", p.makeVideo},
		{"a prompt in markdown that mentions everyone", p.hostile},
		{"details of a video", p.details},
		{"the same video again", p.repeats},
		{"an edited video", p.edit},
		{"a mistake in a form", p.mistake},
		{"a mistake in a command", p.wrong},
		{"a remix of a message", p.remix},
		{"a video that only one person sees", p.private},
		{"a video too large to upload", p.huge},
		{"a prompt that is refused", p.refused},
		{"a model that fails", p.failed},
		{"a cancelled job", p.cancelled},
		{"jobs that wait for their turn", p.waiting},
		{"help, jobs, quota, LoRAs and administration", p.answers},
		{"a limit that is reached", p.limit},
		{"a place where the bot may not post", p.forbidden},
		{"an interaction that has expired", p.expired},
		{"a channel that is gone", p.gone},
		{"a deleted video", p.deleted},
	}
}

// slash uses a command that makes a video.
func (p *discordPlay) slash(ctx context.Context, who *discord.User, prompt string, more ...discord.Argument) (*discord.Interaction, error) {
	return who.Slash(ctx, p.videos, "ltx", append([]discord.Argument{discord.Arg("prompt", prompt)}, more...)...)
}

// ends waits until the job of an interaction is in one of the states.
func (p *discordPlay) ends(ctx context.Context, i *discord.Interaction, states ...generate.State) (generate.Job, error) {
	if i == nil {
		return generate.Job{}, errors.New("there is no interaction")
	}
	event, pressed := p.presses[i.ID]
	if !pressed {
		event = "discord:" + i.ID
	}
	return p.until(ctx, event, states...)
}

// delivered waits for the video of an interaction.
func (p *discordPlay) delivered(ctx context.Context, i *discord.Interaction) (discord.Message, error) {
	j, err := p.ends(ctx, i, generate.Delivered)
	if err != nil {
		return discord.Message{}, err
	}
	m, ok := p.server.Message(j.Receipt.Message)
	if !ok {
		return m, errors.New("there is no message with the video")
	}
	return m, nil
}

// answered waits for a message that only one person sees.
func answered(ctx context.Context, i *discord.Interaction) (discord.Message, error) {
	m, err := i.WaitResponse(ctx, func(m discord.Message) bool { return !m.Loading })
	if err == nil && m.EphemeralTo == "" {
		err = fmt.Errorf("everybody sees %q", m.Text())
	}
	return m, err
}

// press presses a button of a job.
func (p *discordPlay) press(ctx context.Context, who *discord.User, on discord.Message, action view.Action) (*discord.Interaction, error) {
	for _, b := range on.Buttons {
		if a, _, ok := view.ParseButtonID(b.CustomID); ok && a == action {
			i, err := who.Click(ctx, on, b.CustomID)
			if err == nil {
				p.presses[i.ID] = botdiscord.PressEvent(i.ID, on.ID, who.ID, b.CustomID)
			}
			return i, err
		}
	}
	return nil, fmt.Errorf("there is no button %s on %q", action, on.Text())
}

// hasAction finds a message with a button for one of the actions.
func hasAction(actions ...view.Action) func(discord.Message) bool {
	return func(m discord.Message) bool {
		return slices.ContainsFunc(m.Buttons, func(b discord.Button) bool {
			a, _, ok := view.ParseButtonID(b.CustomID)
			return ok && slices.Contains(actions, a)
		})
	}
}
