package command

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"ltxbot/core/ltx"
)

// Write writes settings as they are typed, without what may be secret.
func Write(settings []ltx.Setting) string {
	parts := make([]string, 0, len(settings))
	for _, s := range settings {
		p, known := ltx.Lookup(s.Key)
		value := s.Value
		switch {
		case strings.TrimSpace(value) == "":
			continue
		case known && p.Kind == ltx.KindLoRAs:
			value = HideQueries(value)
		}
		isList := known && p.Kind == ltx.KindLoRAs // whose commas need no quotes
		if p.Name == PromptKey || !strings.ContainsFunc(value, isWordRune) || strings.ContainsFunc(value, func(r rune) bool { return unicode.IsSpace(r) || IsOpening(r) || r == ',' && !isList || r == '\\' }) {
			value = Quote(value)
		}
		parts = append(parts, s.Key+":"+value)
	}
	return strings.Join(parts, " ")
}

// isWordRune reports whether a rune makes a value a word: others alone may be
// taken for the end of a sentence.
func isWordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// HideQueries removes the queries of links in a list of LoRAs.
func HideQueries(value string) string {
	items := strings.Split(value, ",")
	for i, item := range items {
		path, query, found := strings.Cut(item, "?")
		if !found {
			continue
		}
		if at := strings.LastIndexByte(query, '@'); at >= 0 {
			path += query[at:]
		}
		items[i] = path
	}
	return strings.Join(items, ",")
}

// Quote puts a value in quotes.
func Quote(value string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range value {
		if r == '\\' || strings.ContainsRune(doubleQuotes, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	b.WriteByte('"')
	return b.String()
}

// IsQuoteOrSpace reports whether a prompt of such characters alone is none.
func IsQuoteOrSpace(r rune) bool {
	return IsSpace(r) || strings.ContainsRune(doubleQuotes, r) || IsOpening(r)
}

// IsPrompt reports whether a setting is the prompt.
func IsPrompt(s ltx.Setting) bool {
	p, ok := ltx.Lookup(s.Key)
	return ok && p.Name == PromptKey
}

// linkQuery is a link with a query, which may be a secret, and what a LoRA's
// scale keeps of it.
var linkQuery = regexp.MustCompile(`(https://[^\s?]+)\?[^\s@,]+`)

// Shown are settings without what may be secret, also where the link of a LoRA
// is read as words.
func Shown(settings []ltx.Setting) []ltx.Setting {
	settings = slices.Clone(settings)
	for i, s := range settings {
		settings[i].Value = linkQuery.ReplaceAllString(s.Value, "$1")
	}
	return settings
}
