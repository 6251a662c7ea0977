package discord_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ltxbot/bot"
	"ltxbot/bot/discord"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares JSON as it is sent with a file in testdata.
func golden(t *testing.T, name string, v any) {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, raw, "", "  "); err != nil {
		t.Fatal(err)
	}
	pretty.WriteByte('\n')
	// As people read it; json.Marshal writes it so that HTML is safe.
	text := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(pretty.String())
	path := filepath.Join("testdata", name+".json")
	if *update {
		if err := os.MkdirAll("testdata", 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if text != string(want) {
		t.Errorf("%s is not as it was (run with -update if that is right):\n%s", path, text)
	}
}

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
		golden(t, "card_"+string(state), discord.NewMessage(view.Card(service.Printer(j.Place.Locale), j)))
	}
}

func TestVideoMessagesAsSent(t *testing.T) {
	t.Parallel()
	service, j := bot.New(bot.Config{}), goldenJob(t)
	j.State = generate.Delivering
	file := discord.NewVideoForTest(view.Result(service.Printer(j.Place.Locale), j, view.ResultFacts{Fit: generate.FitOriginal}), "ltx-k3f92mq7abcd.mp4", view.AltText(service.Printer(j.Place.Locale), j))
	file.Ping, file.Nonce, file.ReplyTo = []string{j.Place.User}, "k3f92mq7abcd-video", "99"
	golden(t, "video", file)
	link := discord.NewMessage(view.Result(service.Printer(j.Place.Locale), j, view.ResultFacts{Fit: generate.FitLink, URL: j.Output.URL}))
	link.Ping = []string{j.Place.User}
	golden(t, "video_link", link)
}

func TestFormsAsSent(t *testing.T) {
	t.Parallel()
	service, j := bot.New(bot.Config{}), goldenJob(t)
	golden(t, "form_new", discord.NewModal(service.Form("en-US", nil), ""))
	edit := service.Form("en-US", &j.Request)
	edit.Job = j.ID
	golden(t, "form_edit", discord.NewModal(edit, ""))
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
	golden(t, "commands", commands)
}
