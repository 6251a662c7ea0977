package view_test

import (
	"testing"
	"time"

	"ltxbot/bot/command"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
	"ltxbot/core/usd"
)

const (
	ann  = "discord:80351110224678912"
	bob  = "discord:80351110224678999"
	acme = "acme"
	jobA = "k3f92mq7abcd"
	jobB = "m4g03nr8bcde"
)

func rules() ltx.Rules { return ltx.Rules{Seed: func() int64 { return 4242 }} }

// request makes a request of a line as people type it.
func request(t *testing.T, line string) ltx.Request {
	t.Helper()
	l, err := command.Parse(line)
	if err != nil {
		t.Fatal(err)
	}
	r, err := rules().Parse(l.Settings)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const cowboy = "a cowboy walks through a dusty town camera:dolly_in"

// secretLine uses a LoRA behind a token.
const secretLine = cowboy + " lora:https://civitai.com/api/download/models/123?token=hunter2@0.8 seed:7"

// job is ann's.
func job(t *testing.T, id, line string, state generate.State) generate.Job {
	t.Helper()
	return generate.Job{
		ID: id, State: state, Admitted: true, Team: acme, Member: ann,
		Place:    generate.Place{Platform: "discord", Tenant: "1", Channel: "2", User: "80351110224678912", Locale: "en-US"},
		Request:  request(t, line),
		Estimate: 128_500,
		Gauges:   gauges(),
		Created:  time.Now().Add(-90 * time.Second),
		Progress: generate.Progress{Position: -1},
	}
}

func gauges() []quota.Gauge {
	member, team := quota.Scope{Kind: quota.Member, ID: ann}, quota.Scope{Kind: quota.Team, ID: acme}
	midnight := time.Date(2000, 1, 2, 0, 0, 0, 0, time.UTC)
	month := time.Date(2000, 2, 1, 0, 0, 0, 0, time.UTC)
	return []quota.Gauge{
		{Scope: member, Unit: quota.Videos, Window: quota.Day, Used: 3, Max: 10, Resets: midnight},
		{Scope: member, Unit: quota.Dollars, Window: quota.Month, Used: 410_000, Max: int64(10 * usd.Dollar), Resets: month},
		{Scope: team, Unit: quota.Dollars, Window: quota.Month, Used: 4_100_000, Max: int64(200 * usd.Dollar), Resets: month},
		{Scope: member, Unit: quota.Videos, Window: quota.Month, Used: 17},
	}
}
