package slack

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/url"
	"time"

	"github.com/slack-go/slack"

	"ltxbot/bot/adapter"
	"ltxbot/bot/text"
	"ltxbot/bot/view"
)

// The limits that tests compare with.
const (
	MaxMessageBlocks = maxMessageBlocks
	MaxText          = maxText
	Connections      = connections
	NamesWithin      = namesWithin
)

// Live is on how many connections events come.
func Live(b *Bot) int { return int(b.live.Load()) }

// ShortenBackoff makes the pauses between the tries of a call ten times
// shorter for all tests, and returns what the first one is without that.
func ShortenBackoff() (standard time.Duration) {
	standard = callBackoff
	callBackoff /= 10
	return standard
}

// Rendered lays a message out as the bot posts it; only pings may be
// mentioned, everybody when it is "*".
func Rendered(m view.Message, pings string) (blocks json.RawMessage, words string, err error) {
	l := layout{text: func(key string) string { return text.BuiltInCatalog().Printer("en", "/ltx").Text(key) }}
	if pings != "*" {
		l = l.only(pings)
	}
	o := l.message(m)
	blocks, err = json.Marshal(o.blocks)
	return blocks, o.text, err
}

// Unescape is what was typed of a text that Slack delivers.
// names are those of people, by id.
func Unescape(text string, names map[string]string) string {
	if names == nil {
		return unescape(text, nil)
	}
	return unescape(text, func(user string) string { return names[user] })
}

// BotEvents are the events that the manifest subscribes to.
func BotEvents() []string { return botEvents }

// EditLimit is the rate limit of edits of one workspace.
type EditLimit struct{ e *editLimits }

func NewEditLimit(now func() time.Time, m adapter.Meter) EditLimit {
	return EditLimit{newEditLimits(now, m)}
}

// Take asks for one edit.
func (b EditLimit) Take(ctx context.Context, job string, last bool) time.Duration {
	return b.e.take(ctx, "T1", job, last)
}

// FormBlocks are the blocks of a form.
func FormBlocks(b *Bot, f view.Form) (slack.ModalViewRequest, error) {
	return b.modal("en", f, formData{Channel: "C1"})
}

// Reminder logs while Socket Mode is off; found is called by each try that
// finds it off.
func Reminder(ctx context.Context, log *slog.Logger) (found func()) {
	b := &Bot{cfg: Config{Mode: Socket}, log: log, off: newSwitchedOff()}
	go b.remind(ctx)
	return b.foundOff
}

// IsSlack reports whether the bot's token may go to an address.
func (b *Bot) IsSlack(address string) bool {
	u, err := url.Parse(address)
	return err == nil && b.isSlack(u)
}
