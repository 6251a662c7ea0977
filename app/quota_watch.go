package app

import (
	"context"
	"fmt"
	"strings"
	"time"

	"ltxbot/bot"
	"ltxbot/core/quota"
)

// How often budgets are looked at, and how long that may take.
const (
	watchEvery = 15 * time.Second
	watchLimit = time.Minute
)

// noticeLocale is the language of what is posted for a whole team: nobody in
// particular has asked for it.
const noticeLocale = "en"

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
	warden := quota.NewWarden(quota.WardenConfig{
		Store:   a.store,
		Policy:  a.policy,
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
func (a *App) watch(ctx context.Context, warden *quota.Warden) {
	call, cancel := context.WithTimeout(ctx, watchLimit)
	defer cancel()
	if err := warden.Check(call); err != nil && ctx.Err() == nil {
		a.log.WarnContext(ctx, "cannot tell admins about a budget; it is tried again", "error", err)
	}
}

// watched are the teams with a channel for their admins, on a platform that
// is switched on.
func (a *App) watched() []quota.Watched {
	var teams []quota.Watched
	for _, t := range a.live.Load().cfg.Teams {
		platform, _, _ := strings.Cut(t.AdminChannel, ":")
		if a.announcers[platform] != nil {
			teams = append(teams, quota.Watched{Team: t.Name, Channel: t.AdminChannel})
		}
	}
	return teams
}

// announce posts a notice.
func (a *App) announce(ctx context.Context, n quota.Notice) error {
	platform, channel, _ := strings.Cut(n.Channel, ":")
	if err := a.announcers[platform].Announce(ctx, channel, a.desks[platform].Notice(n, noticeLocale), n.Nonce); err != nil {
		return fmt.Errorf("post in %s: %w", n.Channel, err)
	}
	return nil
}
