package discord

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"ltxbot/bot"
)

// localeFiles are the sentences that only Discord needs, in every language of
// the desk.
//
//go:embed locale/*.toml
var localeFiles embed.FS

// ownTexts begins the keys of the sentences that are not the desk's.
const ownTexts = "discord."

// newPhrases makes a desk that knows nothing but this adapter's sentences.
func newPhrases() (*bot.Desk, error) {
	files, err := fs.Sub(localeFiles, "locale")
	if err != nil {
		return nil, fmt.Errorf("read texts of discord: %w", err)
	}
	catalog, err := bot.NewCatalog(files)
	if err != nil {
		return nil, fmt.Errorf("read texts of discord: %w", err)
	}
	return bot.New(bot.Config{Catalog: catalog}), nil
}

// text is a sentence in a language. args are pairs of a name and a value, for
// what stands in braces in it.
func (b *Bot) text(locale, key string, args ...any) string {
	if strings.HasPrefix(key, ownTexts) {
		return b.phrases.Text(locale, key, args...)
	}
	return b.cfg.Desk.Text(locale, key, args...)
}
