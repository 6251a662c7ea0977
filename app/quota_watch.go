package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"ltxbot/bot"
	"ltxbot/config"
	"ltxbot/core/generate"
	"ltxbot/core/team"
)

// How often budgets are looked at, and how long that may take.
const (
	watchEvery = 15 * time.Second
	watchLimit = time.Minute
)

// announces notes that a platform can post what nobody has asked for, if it
// can.
func (a *App) announces(platform string, adapter any) {
	if an, ok := adapter.(bot.Announcer); ok {
		a.announcers[platform] = an
	}
}

// startWatch tells the admins of teams about their budgets from now on, until
// the bot stops. Several processes may do so.
func (a *App) startWatch(ctx context.Context) {
	warden := team.NewWarden(team.WardenConfig{
		Store:   a.store,
		Policy:  a.policy,
		Now:     a.now,
		Watched: a.watched,
		WarnAt:  func() []int { return a.live.Load().cfg.Quota.WarnAt },
		Tell:    a.announce,
	})
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		for {
			a.watch(ctx, warden)
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	a.parts.started("budget watch", func(context.Context) error {
		stop()
		<-done
		return nil
	})
}

// watch looks once.
func (a *App) watch(ctx context.Context, warden *team.Warden) {
	call, cancel := context.WithTimeout(ctx, watchLimit)
	defer cancel()
	if err := warden.Check(call); err != nil && ctx.Err() == nil {
		a.log.WarnContext(ctx, "cannot tell admins about a budget; it is tried again", "error", err)
	}
}

// watched are the teams with a channel for their admins, on a platform that
// is switched on.
func (a *App) watched() []team.Watched {
	var teams []team.Watched
	for _, t := range a.live.Load().cfg.Teams {
		platform, _, _ := strings.Cut(t.AdminChannel, ":")
		if a.announcers[platform] != nil {
			teams = append(teams, team.Watched{Team: t.Name, Channel: t.AdminChannel})
		}
	}
	return teams
}

// adminChannels are the channels on a platform where admins read about
// budgets, by the platform's own ids.
func adminChannels(cfg config.Config, platform string) []string {
	var channels []string
	for _, t := range cfg.Teams {
		if channel, ok := strings.CutPrefix(t.AdminChannel, platform+":"); ok && !slices.Contains(channels, channel) {
			channels = append(channels, channel)
		}
	}
	return channels
}

// announce posts a notice.
func (a *App) announce(ctx context.Context, n team.Notice) error {
	platform, channel, _ := strings.Cut(n.Channel, ":")
	desk := a.desks[platform]
	locale := a.localeOf(ctx, n.Team, desk)
	err := a.announcers[platform].Announce(ctx, bot.Announcement{
		Channel: channel,
		Tenants: a.tenants(n.Team, platform),
		Locale:  locale,
		Message: bot.Notice(desk.Printer(locale), n),
		Nonce:   n.Nonce,
	})
	if err != nil {
		return fmt.Errorf("post in %s: %w", n.Channel, err)
	}
	return nil
}

// tenants are the guilds or workspaces of a team.
func (a *App) tenants(team, platform string) []string {
	for _, t := range a.live.Load().cfg.Teams {
		switch {
		case t.Name != team:
		case platform == "slack":
			return t.SlackWorkspaces
		default:
			return t.DiscordGuilds
		}
	}
	return nil
}

// latest is how many jobs tell the language of a team.
const latest = 50

// localeOf is the language that a team is told things in which nobody in
// particular has asked for: that of most of its latest jobs.
func (a *App) localeOf(ctx context.Context, team string, desk *bot.Desk) string {
	jobs, err := a.engine.Jobs(ctx, generate.Query{Team: team, Limit: latest})
	if err != nil {
		a.log.WarnContext(ctx, "cannot read which language a team speaks", "team", team, "error", err)
	}
	count, best := map[string]int{}, bot.DefaultLanguage
	for _, j := range slices.Backward(jobs) {
		if j.Place.Locale == "" {
			continue
		}
		language := desk.Printer(j.Place.Locale).Language()
		if count[language]++; count[language] >= count[best] {
			best = language
		}
	}
	return best
}
