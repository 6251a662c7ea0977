// Package bench_test measures the whole bot against the simulators. Its
// numbers are for reading: nothing here passes or fails by a time.
//
//	go test -run '^$' -bench . ./bench
package bench_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"ltxbot/app"
	"ltxbot/config"
	simdiscord "ltxbot/sim/discord"
	simfal "ltxbot/sim/fal"
)

// world is a running bot on a store on disk, with Discord and fal simulated.
type world struct {
	discord *simdiscord.Server
	fal     *simfal.Server
	guild   *simdiscord.Guild
	app     *app.App
}

func newWorld(b *testing.B) *world {
	b.Helper()
	w := &world{}
	var err error
	// As on a real account, few videos are made at a time; the rest wait at fal.
	if w.fal, err = simfal.Start(simfal.Options{Concurrency: 10}); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(w.fal.Close)
	if w.discord, err = simdiscord.Start(simdiscord.Options{RateLimits: simdiscord.RateLimits{Off: true}}); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = w.discord.Close() })
	w.guild = w.discord.NewGuild("bench")
	cfg := config.Default()
	cfg.HTTP.Listen = "127.0.0.1:0"
	cfg.Store.URL = config.NewSecret("bolt:" + filepath.Join(b.TempDir(), "ltx.db"))
	cfg.Fal.Key = config.NewSecret(w.fal.Key())
	cfg.Fal.QueueURL, cfg.Fal.RestURL, cfg.Fal.APIURL = w.fal.QueueURL(), w.fal.RESTURL(), w.fal.APIURL()
	cfg.Fal.MediaHosts = []string{w.fal.MediaHost()}
	cfg.Discord.Token = config.NewSecret(w.discord.Token())
	cfg.Discord.APIURL = w.discord.APIURL()
	cfg.Slack.BotToken = config.NewSecret("")
	cfg.Quota.Member = config.Limit{}
	cfg.Quota.Team = config.Limit{}
	cfg.Quota.Bot = config.Limit{}
	if w.app, err = app.New(b.Context(), cfg, app.Options{Logger: slog.New(slog.DiscardHandler)}); err != nil {
		b.Fatal(err)
	}
	if err := w.app.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = w.app.Stop(b.Context()) })
	return w
}

// perSecond is how many commands people type.
const perSecond = 200

// BenchmarkAck types 200 commands a second for b.N seconds and reports how long
// people wait for the bot to say that it has heard them.
func BenchmarkAck(b *testing.B) {
	w := newWorld(b)
	channel := w.guild.NewChannel("videos")
	people := make([]*simdiscord.User, 50)
	for i := range people {
		people[i] = w.discord.NewUser(fmt.Sprintf("user%d", i))
		w.guild.Join(people[i])
	}
	var typed []*simdiscord.Interaction
	tick := time.NewTicker(time.Second / perSecond)
	defer tick.Stop()
	b.ResetTimer()
	for n := range b.N * perSecond {
		<-tick.C
		i, err := people[n%len(people)].Slash(b.Context(), channel, "ltx",
			simdiscord.Arg("prompt", fmt.Sprintf("a red canoe on a lake, take %d", n)))
		if err != nil {
			b.Fatal(err)
		}
		typed = append(typed, i)
	}
	var took []time.Duration
	for _, i := range typed {
		if err := i.WaitAck(b.Context()); err != nil {
			b.Fatal(err)
		}
		d, _ := i.Acked()
		took = append(took, d)
	}
	b.StopTimer()
	slices.Sort(took)
	at := func(q float64) float64 {
		return float64(took[int(q*float64(len(took)-1))].Microseconds()) / 1000
	}
	b.ReportMetric(at(0.5), "ms-p50")
	b.ReportMetric(at(0.99), "ms-p99")
	b.ReportMetric(at(1), "ms-max")
}
