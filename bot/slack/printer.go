package slack

import (
	"ltxbot/bot/text"
	"ltxbot/bot/view"
)

// printer writes in the language of somebody.
func (b *Bot) printer(locale string) text.Printer { return b.cfg.Service.Printer(locale) }

// text is a text of the catalogue in a language. args are pairs of a name and a
// value, for what stands in braces in it.
func (b *Bot) text(locale, key string, args ...any) string {
	return b.printer(locale).Text(key, args...)
}

// sentence is a message of one text.
func (b *Bot) sentence(locale, key string, args ...any) view.Message {
	return view.Answer(b.printer(locale), key, args...)
}
