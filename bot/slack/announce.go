package slack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ltxbot/bot"
	"ltxbot/bot/adapter"
)

var _ bot.Announcer = (*Bot)(nil)

// Announce implements bot.Announcer. It mentions nobody. Slack takes no key
// against posting twice: a post whose reply was lost counts as posted.
func (b *Bot) Announce(ctx context.Context, a bot.Announcement) error {
	out := b.layout(a.Locale).only("").message(a.Message)
	var refused []error
	tried := map[*client]bool{}
	for _, installation := range b.announcers(a.Tenants) {
		c, err := b.client(ctx, installation)
		if err == nil && tried[c] {
			continue
		}
		if err == nil {
			tried[c] = true
			err = c.once(ctx, "announce", func(ctx context.Context) error {
				_, _, err := c.api.PostMessageContext(ctx, a.Channel, out.options()...)
				return err
			})
		}
		switch {
		case err == nil, adapter.Lost(err):
			return nil
		case elsewhere(err):
			refused = append(refused, inInstallation(installation, err))
		default:
			return fmt.Errorf("announce on slack: %w", inInstallation(installation, err))
		}
	}
	return fmt.Errorf("announce on slack: %w", errors.Join(refused...))
}

// announcers are the installations that may post where a team reads: of its
// workspaces, of the organisations that have the app for all of theirs, and
// the one of the config.
func (b *Bot) announcers(workspaces []string) []string {
	if b.registry == nil {
		return []string{""}
	}
	out := slices.Clone(workspaces)
	for _, id := range b.registry.oauth.Workspaces {
		if strings.HasPrefix(id, "E") {
			out = append(out, id)
		}
	}
	return append(out, "")
}

// elsewhere reports whether a channel may be that of another installation
// than the one that was refused.
func elsewhere(err error) bool {
	return errors.Is(err, errNotInstalled) || hasCode(err, goneCodes...) || hasCode(err, deadCodes...) ||
		hasCode(err, "team_access_not_granted", "team_not_found")
}

// inInstallation says which installation an error is about.
func inInstallation(installation string, err error) error {
	if installation == "" {
		return err
	}
	return fmt.Errorf("%s: %w", installation, err)
}
