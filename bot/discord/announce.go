package discord

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"net/http"

	"ltxbot/bot"
)

var _ bot.Announcer = (*Bot)(nil)

// maxNonce is Discord's limit, in characters.
// https://discord.com/developers/docs/resources/message#create-message
const maxNonce = 25

// Announce implements bot.Announcer. It mentions nobody.
func (b *Bot) Announce(ctx context.Context, a bot.Announcement) error {
	sum := sha256.Sum256([]byte(a.Nonce))
	o := newMessage(a.Message)
	o.Nonce = base32.StdEncoding.EncodeToString(sum[:])[:maxNonce]
	err := b.rest.do(ctx, call{
		op: "announce", route: routeMessages(http.MethodPost, a.Channel), body: o, again: true,
	})
	if err != nil {
		return fmt.Errorf("announce on discord: %w", err)
	}
	return nil
}
