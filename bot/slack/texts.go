package slack

import "ltxbot/bot"

// print writes in the language of somebody.
func (b *Bot) print(locale string) bot.Printer { return b.cfg.Desk.Printer(locale) }

// text is a text of the catalogue in a language. args are pairs of a name and a
// value, for what stands in braces in it.
func (b *Bot) text(locale, key string, args ...any) string {
	return b.print(locale).Text(key, args...)
}

// spans is text with its styles: code stays code.
func (b *Bot) spans(locale, key string, args ...any) []bot.Span {
	return b.print(locale).Spans(key, args...)
}

// sentence is a message of one text.
func (b *Bot) sentence(locale, key string, args ...any) bot.Message {
	return bot.Answer(b.print(locale), key, args...)
}
