package discord_test

import (
	"testing"
	"time"

	"ltxbot/bot"
	"ltxbot/bot/discord"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
	"ltxbot/internal/golden"
)

// goldenJob is a job with something of everything.
func goldenJob(t *testing.T) generate.Job {
	t.Helper()
	rules := ltx.Rules{}
	r, err := rules.Parse([]ltx.Setting{
		{Key: "prompt", Value: "a *cowboy* walks through <@123> a dusty town\n# @everyone https://evil.example"},
		{Key: "camera", Value: "dolly_in"},
		{Key: "seed", Value: "42"},
		{Key: "size", Value: "1000x600"},
	})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	seed := int64(42)
	return generate.Job{
		ID: "k3f92mq7abcd", Member: "discord:80351110224678912", Team: "discord:1", Request: r, Estimate: 130_000,
		Place:    generate.Place{Platform: "discord", Tenant: "1", Channel: "2", User: "80351110224678912", Locale: "en-US"},
		Admitted: true, Created: began, Submitted: began.Add(time.Second), Started: began.Add(5 * time.Second),
		Fetched: began.Add(50 * time.Second), Finished: began.Add(51 * time.Second), Seconds: 45,
		Gauges:   []quota.Gauge{{Scope: quota.Scope{Kind: quota.Member}, Unit: quota.Videos, Window: "day", Used: 3, Max: 10}},
		Output:   ltx.Output{URL: "https://v3.fal.media/files/b/x.mp4", Width: 1024, Height: 640, Frames: 121, FPS: 24, Seed: &seed},
		Progress: generate.Progress{Position: 2, Percent: 42},
	}
}

func TestCardsAsSent(t *testing.T) {
	t.Parallel()
	service := bot.New(bot.Config{})
	for _, state := range generate.States {
		j := goldenJob(t)
		j.State = state
		if state == generate.Failed {
			j.Failure.Kind = generate.FailRefused
		}
		golden.JSON(t, "card_"+string(state)+".json", discord.NewMessage(view.Card(service.Printer(j.Place.Locale), j)))
	}
}

func TestVideoMessagesAsSent(t *testing.T) {
	t.Parallel()
	service, j := bot.New(bot.Config{}), goldenJob(t)
	j.State = generate.Delivering
	file := discord.NewVideoForTest(view.Result(service.Printer(j.Place.Locale), j, view.ResultFacts{Fit: generate.FitOriginal}), "ltx-k3f92mq7abcd.mp4", view.AltText(service.Printer(j.Place.Locale), j))
	file.Ping, file.Nonce, file.ReplyTo = []string{j.Place.User}, "k3f92mq7abcd-video", "99"
	golden.JSON(t, "video.json", file)
	link := discord.NewMessage(view.Result(service.Printer(j.Place.Locale), j, view.ResultFacts{Fit: generate.FitLink, URL: j.Output.URL}))
	link.Ping = []string{j.Place.User}
	golden.JSON(t, "video_link.json", link)
}

func TestFormsAsSent(t *testing.T) {
	t.Parallel()
	service, j := bot.New(bot.Config{}), goldenJob(t)
	golden.JSON(t, "form_new.json", discord.NewModal(service.Form(t.Context(), bot.Caller{Locale: "en-US"}, generate.Job{}), ""))
	edit := service.Form(t.Context(), bot.Caller{Locale: "en-US"}, j)
	edit.Job = j.ID
	golden.JSON(t, "form_edit.json", discord.NewModal(edit, ""))
}

func TestCommandsAsRegistered(t *testing.T) {
	t.Parallel()
	b, err := discord.New(discord.Config{Token: "t", Service: bot.New(bot.Config{})})
	if err != nil {
		t.Fatal(err)
	}
	commands := b.CommandsForTest("")
	for n := range commands {
		commands[n] = commands[n].InEnglish()
	}
	golden.JSON(t, "commands.json", commands)
}
