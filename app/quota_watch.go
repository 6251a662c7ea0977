package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"ltxbot/bot"
	"ltxbot/bot/text"
	"ltxbot/bot/view"
	"ltxbot/config"
	"ltxbot/core/generate"
	"ltxbot/core/team"
)

// How often budgets are looked at, and how long that may take.
const (
	watchEvery = 15 * time.Second
	watchLimit = time.Minute
)

// watch tells the admins of teams about their budgets. Several processes may
// do so.
type watch struct {
	records
	platforms platforms
	warden    *team.Warden
}

func newWatch(r records, chats platforms) watch {
	w := watch{records: r, platforms: chats}
	w.warden = team.NewWarden(team.WardenConfig{
		Store:   r.store,
		Policy:  r.now.policy,
		Now:     r.time,
		Watched: w.watched,
		WarnAt:  func() []int { return r.now.config().Quota.WarnAt },
		Tell:    w.announce,
	})
	return w
}

// look looks once.
func (w watch) look(ctx context.Context) {
	call, cancel := context.WithTimeout(ctx, watchLimit)
	defer cancel()
	if err := w.warden.Check(call); err != nil && ctx.Err() == nil {
		w.log.WarnContext(ctx, "cannot tell admins about a budget; it is tried again", "error", err)
	}
}

// watched are the teams with a channel for their admins, on a platform that
// is switched on.
func (w watch) watched() []team.Watched {
	var teams []team.Watched
	for _, t := range w.now.config().Teams {
		platform, _, _ := strings.Cut(t.AdminChannel, ":")
		if w.platforms.has(platform) {
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
func (w watch) announce(ctx context.Context, n team.Notice) error {
	platform, channel, _ := strings.Cut(n.Channel, ":")
	for _, p := range w.platforms {
		if p.name != platform {
			continue
		}
		locale := w.localeOf(ctx, n.Team, p.service)
		err := p.Announce(ctx, bot.Announcement{
			Channel: channel,
			Tenants: w.tenants(n.Team, platform),
			Locale:  locale,
			Message: view.Notice(p.service.Printer(locale), n),
			Nonce:   n.Nonce,
		})
		if err != nil {
			return fmt.Errorf("post in %s: %w", n.Channel, err)
		}
	}
	return nil
}

// tenants are the guilds or workspaces of a team.
func (w watch) tenants(team, platform string) []string {
	for _, t := range w.now.config().Teams {
		if t.Name == team {
			return t.On(platform)
		}
	}
	return nil
}

// latest is how many jobs tell the language of a team.
const latest = 50

// localeOf is the language that a team is told things in which nobody in
// particular has asked for: that of most of its latest jobs.
func (w watch) localeOf(ctx context.Context, team string, service *bot.Service) string {
	jobs, err := w.engine.Jobs(ctx, generate.Query{Team: team, Limit: latest})
	if err != nil {
		w.log.WarnContext(ctx, "cannot read which language a team speaks", "team", team, "error", err)
	}
	count, best := map[string]int{}, text.DefaultLanguage
	for _, j := range slices.Backward(jobs) {
		if j.Place.Locale == "" {
			continue
		}
		language := service.Printer(j.Place.Locale).Language()
		if count[language]++; count[language] >= count[best] {
			best = language
		}
	}
	return best
}
