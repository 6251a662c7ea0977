package app

import (
	"context"
	"fmt"
	"net/http"

	"ltxbot/bot/discord"
	"ltxbot/core/generate"
)

// addPlatforms builds the chat platforms that are switched on.
func (a *App) addPlatforms(couriers map[string]generate.Courier, mux *http.ServeMux) error {
	if a.cfg.Discord.On() {
		b, err := a.newDiscord()
		if err != nil {
			return err
		}
		couriers["discord"] = b
		a.platforms = append(a.platforms, discordPlatform{b, a})
		if a.cfg.Discord.Mode == "http" {
			mux.Handle("POST /discord/interactions", b.Handler())
		}
	}
	return nil
}

func (a *App) newDiscord() (*discord.Bot, error) {
	c := a.cfg.Discord
	return discord.New(discord.Config{
		Token:             c.Token.Reveal(),
		ApplicationID:     c.ApplicationID,
		PublicKey:         c.PublicKey,
		Mode:              discord.Mode(c.Mode),
		APIURL:            c.APIURL,
		Guilds:            c.Guilds,
		AdminRoles:        c.AdminRoles,
		Channels:          c.Channels,
		AgeRestrictedOnly: c.NSFW == "age_restricted_only",
		Tiers: func(member string, roles []string) []string {
			return tiersOf(a.cfg, member, roles, nil)
		},
		Team:    func(guild string) string { return a.teams.of("discord", guild) },
		Desk:    a.desk,
		Version: a.opts.Version,
		Logger:  a.log.With("platform", "discord"),
	})
}

// discordPlatform registers the commands before it takes any.
type discordPlatform struct {
	*discord.Bot
	app *App
}

// Start implements platform.
func (p discordPlatform) Start(ctx context.Context) error {
	changes, err := p.Sync(ctx)
	if err != nil {
		return fmt.Errorf("register commands on Discord: %w", err)
	}
	for _, c := range changes {
		p.app.log.Info("registered a command on Discord", "change", c.String())
	}
	return p.Bot.Start(ctx)
}
