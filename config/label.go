package config

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Label is the line with every video that says that it was made by AI.
type Label struct {
	All string `toml:"all" doc:"The line in every language; empty = the bot's own words. It can't be left out."`
	EN  string `toml:"en" doc:"The line in one language, before what all says."`
	DE  string `toml:"de"`
	ES  string `toml:"es"`
	FR  string `toml:"fr"`
	JA  string `toml:"ja"`
}

// words are the lines by key.
func (l Label) words() []struct{ key, line string } {
	return []struct{ key, line string }{{"all", l.All}, {"en", l.EN}, {"de", l.DE}, {"es", l.ES}, {"fr", l.FR}, {"ja", l.JA}}
}

// In returns the line that is set for a language, or "".
func (l Label) In(language string) string {
	for _, w := range l.words() {
		if w.key == language && w.line != "" {
			return w.line
		}
	}
	return l.All
}

// A label is short, and says something.
const (
	maxLabel   = 100 // characters
	leastLabel = 2   // letters: "AI"
)

func (l Label) check(k *checker) {
	for _, w := range l.words() {
		key, letters := "label."+w.key, 0
		for _, r := range w.line {
			if unicode.IsLetter(r) {
				letters++
			}
		}
		switch {
		case w.line == "":
		case utf8.RuneCountInString(w.line) > maxLabel:
			k.add(key, "", fmt.Sprintf("must be at most %d characters long", maxLabel))
		case letters < leastLabel:
			k.add(key, quote(w.line), "must say that the video was made by AI; empty = the bot's own words")
		case strings.ContainsAny(w.line, "@<>") || strings.ContainsFunc(w.line, deceives):
			k.add(key, quote(w.line), "must be one line of plain words, without @, < and >: it stands with every video and mentions nobody")
		}
	}
}

// deceives tells a character that is not seen, breaks the line or turns its
// direction.
func deceives(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) }
