package bot

import (
	"context"

	"ltxbot/bot/view"
)

// An Announcer posts a message that is no answer to anybody, such as a warning to
// the admins of a team. Each platform's adapter implements it.
type Announcer interface {
	// Announce posts a.Message. It posts once for a nonce as far as the
	// platform can tell.
	Announce(ctx context.Context, a Announcement) error
}

// An Announcement is a message with the place where a whole team reads it.
type Announcement struct {
	Channel string // by the platform's own id
	// Tenants are the guilds or workspaces of the team; the channel is in one
	// of them.
	Tenants []string
	Locale  string // the language of Message
	Message view.Message
	// Nonce is unique to what is announced. It may be longer than the
	// platform takes.
	Nonce string
}
