package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"ltxbot/bot"
	"ltxbot/bot/adapter"
	"ltxbot/bot/discord"
)

// discordConfig is what the bot's side of Discord is made of, without the
// parts that only a running bot has.
func discordConfig(b base, service *bot.Service) discord.Config {
	c := b.cfg.Discord
	return discord.Config{
		Config:            adapter.Config{Version: b.version, Logger: b.log.With("platform", "discord"), Tiers: b.tiers("discord")},
		Token:             c.Token.Reveal(),
		ApplicationID:     c.ApplicationID,
		PublicKey:         c.PublicKey,
		Mode:              discord.Mode(c.Mode),
		APIURL:            c.APIURL,
		Guilds:            c.Guilds,
		AdminRoles:        c.AdminRoles,
		Channels:          c.Channels,
		AgeRestrictedOnly: c.NSFW == "age_restricted_only",
		Announcements:     adminChannels(b.cfg, "discord"),
		Team:              func(guild string) string { return b.now.teams().of("discord", guild) },
		Service:           service,
	}
}

func newDiscord(p platformParts, service *bot.Service) (chatAdapter, error) {
	cfg := discordConfig(p.base, service)
	cfg.ObserveAck, cfg.OnBusy = p.metrics.Ack("discord"), p.metrics.Busy("discord")
	cfg.Meter, cfg.Guard, cfg.Once = p.store.meter(), p.guard, p.store.once(p.log)
	if p.store.shared != nil && cfg.Mode != discord.HTTP {
		g := &gateway{shared: p.store.shared, log: p.log}
		cfg.Turn, cfg.Doubt = g.turn, g.doubt
	}
	b, err := discord.New(cfg)
	return discordAdapter{b, cfg.Mode, p.log}, err
}

// discordAdapter registers the commands before it takes any.
type discordAdapter struct {
	*discord.Bot

	mode discord.Mode
	log  *slog.Logger
}

// Routes implements adapter.
func (a discordAdapter) Routes(mux *http.ServeMux) {
	if a.mode == discord.HTTP {
		mux.Handle("POST /discord/interactions", a.Handler())
	}
}

// Start implements adapter. Commands that Discord does not take are no reason
// to leave those that are registered without an answer.
func (a discordAdapter) Start(ctx context.Context) error {
	_, err := a.Sync(ctx)
	e, refused := errors.AsType[*discord.APIError](err)
	switch {
	case refused && e.Status >= 400 && e.Status < 500 && e.Status != http.StatusUnauthorized && e.Status != http.StatusTooManyRequests:
		a.log.ErrorContext(ctx, "discord does not take the commands; bot doctor tells more", "error", err)
	case err != nil:
		return fmt.Errorf("register commands on Discord: %w", err)
	}
	return a.Bot.Start(ctx)
}

// ForGood implements adapter.
func (discordAdapter) ForGood(err error) bool {
	_, fatal := errors.AsType[*discord.FatalError](err)
	e, refused := errors.AsType[*discord.APIError](err)
	return fatal || refused && e.Status == http.StatusUnauthorized
}
