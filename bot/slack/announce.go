package slack

import (
	"context"
	"fmt"

	"ltxbot/bot"
)

var _ bot.Announcer = (*Bot)(nil)

// Announce implements bot.Announcer. It mentions nobody. Slack takes no key
// against posting twice: a post whose reply was lost counts as posted.
func (b *Bot) Announce(ctx context.Context, channel string, m bot.Message, _ string) error {
	c, err := b.client(ctx, "")
	if err != nil {
		return fmt.Errorf("announce on slack: %w", err)
	}
	out := b.layout(bot.DefaultLanguage).only("").message(m)
	err = c.once(ctx, "announce", func(ctx context.Context) error {
		_, _, err := c.api.PostMessageContext(ctx, channel, out.options()...)
		return err
	})
	if err != nil && !lost(err) {
		return fmt.Errorf("announce on slack: %w", err)
	}
	return nil
}
