package app

import (
	"context"
	"net/http"
	"time"

	"ltxbot/bot"
	"ltxbot/bot/discord"
	"ltxbot/bot/slack"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
)

// addPlatforms builds the chat platforms that are switched on.
func (a *App) addPlatforms(couriers map[string]generate.Courier, mux *http.ServeMux) error {
	if a.cfg.Discord.On() {
		b, err := a.newDiscord()
		if err != nil {
			return err
		}
		couriers["discord"] = b
		a.platforms = append(a.platforms, discordPlatform{b, a.log})
		a.watchPlatform("discord", b)
		a.announces("discord", b)
		if a.cfg.Discord.Mode == "http" {
			mux.Handle("POST /discord/interactions", b.Handler())
		}
	}
	if a.cfg.Slack.On() {
		b, err := a.newSlack()
		if err != nil {
			return err
		}
		couriers["slack"] = b
		a.platforms = append(a.platforms, b)
		a.watchPlatform("slack", b)
		a.announces("slack", b)
		b.RegisterInstall(mux)
		if a.cfg.Slack.Mode == "http" {
			b.Register(mux)
		}
	}
	return nil
}

// newDesk makes the desk of a platform, where the bot's command is what
// people type there.
func (a *App) newDesk(platform, command string) *bot.Desk {
	desk := bot.New(bot.Config{
		Generator: a.engine,
		Rules:     func() ltx.Rules { return a.live.Load().rules },
		Usage:     a.engine.Usage,
		Office:    a.office,
		Account:   a.office.Account,
		Archive:   a.archive(),
		Command:   command,
		Logger:    a.log,
	})
	a.desks[platform] = desk
	a.parts.started("desk", func(context.Context) error {
		desk.Stop()
		return nil
	})
	return desk
}

// meter is what processes that share a store count their calls with; nil if
// the store is for one process.
func (a *App) meter() bot.Meter {
	if a.store == nil || a.store.shared == nil {
		return nil
	}
	return a.store.shared
}

// onceLimit bounds the question whether another process has taken a request
// in: it must be acknowledged within three seconds.
const onceLimit = 500 * time.Millisecond

// once reports whether no other process that shares the store has taken a
// request in within keep. A store that does not answer is no reason to refuse it.
func (a *App) once(ctx context.Context, request string, keep time.Duration) bool {
	if a.store.shared == nil {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, onceLimit)
	defer cancel()
	first, err := a.store.shared.Lease(ctx, "request "+request, keep)
	if err != nil {
		a.log.DebugContext(ctx, "cannot ask whether another process has taken a request in", "error", err)
		return true
	}
	return first
}

func (a *App) newDiscord() (*discord.Bot, error) {
	c := a.cfg.Discord
	cfg := discord.Config{
		Token:             c.Token.Reveal(),
		ApplicationID:     c.ApplicationID,
		PublicKey:         c.PublicKey,
		Mode:              discord.Mode(c.Mode),
		APIURL:            c.APIURL,
		Guilds:            c.Guilds,
		AdminRoles:        c.AdminRoles,
		Channels:          c.Channels,
		AgeRestrictedOnly: c.NSFW == "age_restricted_only",
		Announcements:     adminChannels(a.cfg, "discord"),
		Tiers: func(member string, roles []string) []string {
			return tiersOf(a.live.Load().cfg, member, roles, nil)
		},
		Team:       func(guild string) string { return a.live.Load().teams.of("discord", guild) },
		Desk:       a.newDesk("discord", "/ltx"),
		Version:    a.opts.Version,
		Logger:     a.log.With("platform", "discord"),
		ObserveAck: a.ops.metrics.Ack("discord"),
		OnBusy:     a.ops.metrics.Busy("discord"),
		Meter:      a.meter(),
		Guard:      a.guard,
		Once:       a.once,
	}
	if a.store == nil || a.store.shared == nil || cfg.Mode == discord.HTTP {
		return discord.New(cfg)
	}
	g := &gateway{shared: a.store.shared, log: a.log}
	cfg.Turn, cfg.Doubt = g.turn, g.doubt
	b, err := discord.New(cfg)
	if err == nil {
		g.connected = b.Connected
	}
	return b, err
}

func (a *App) newSlack() (*slack.Bot, error) {
	c := a.cfg.Slack
	oauth, err := a.slackOAuth()
	if err != nil {
		return nil, err
	}
	return slack.New(slack.Config{
		Meter:         a.meter(),
		Guard:         a.guard,
		Once:          a.once,
		OAuth:         oauth,
		BotToken:      c.BotToken.Reveal(),
		AppToken:      c.AppToken.Reveal(),
		SigningSecret: c.SigningSecret.Reveal(),
		Mode:          slack.Mode(c.Mode),
		APIURL:        c.APIURL,
		Command:       c.Command,
		AdminGroups:   c.AdminGroups,
		TierGroups:    slackGroups(a.cfg),
		AllowGuests:   c.AllowGuests,
		Tiers: func(member string, groups []string) []string {
			return tiersOf(a.live.Load().cfg, member, nil, groups)
		},
		Team: func(workspace, enterprise string) string {
			return a.live.Load().teams.ofWorkspace(workspace, enterprise)
		},
		Rules:      func() ltx.Rules { return a.live.Load().rules },
		Desk:       a.newDesk("slack", c.Command),
		Version:    a.opts.Version,
		Logger:     a.log.With("platform", "slack"),
		ObserveAck: a.ops.metrics.Ack("slack"),
		OnBusy:     a.ops.metrics.Busy("slack"),
	})
}
