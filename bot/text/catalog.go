// Package text holds all that people read, in every language, and prints it.
//
// A Catalog has the texts, from the files in locale. A Printer writes them in
// the language of one person, as Spans: pieces of plain text with a style, which
// each platform lays out in its own markup.
package text

import (
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/pelletier/go-toml/v2"
)

//go:embed locale/*.toml
var builtIn embed.FS

// DefaultLanguage is what people read whose language has no texts.
const DefaultLanguage = "en"

// Catalog holds every text for people, in every language. It does not change
// and may be shared.
type Catalog struct {
	languages map[string]map[string]text // by language and key
}

// BuiltInCatalog returns the texts that come with the bot. They are read once:
// that takes longer than all else that a start does.
func BuiltInCatalog() *Catalog { return builtInCatalog() }

var builtInCatalog = sync.OnceValue(func() *Catalog {
	sub, err := fs.Sub(builtIn, "locale")
	if err != nil {
		panic("bot: " + err.Error()) // the folder is named a few lines up
	}
	c, err := NewCatalog(sub)
	if err != nil {
		panic("bot: " + err.Error()) // the tests read the same files
	}
	return c
})

// NewCatalog reads one TOML file for each language: "de.toml". A file for
// DefaultLanguage must be among them.
func NewCatalog(files fs.FS) (*Catalog, error) {
	names, err := fs.Glob(files, "*.toml")
	if err != nil {
		return nil, fmt.Errorf("list texts: %w", err)
	}
	c := &Catalog{languages: map[string]map[string]text{}}
	for _, name := range names {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("read texts: %w", err)
		}
		var tree map[string]any
		if err := toml.Unmarshal(data, &tree); err != nil {
			return nil, fmt.Errorf("read texts of %s: %w", name, err)
		}
		texts := map[string]text{}
		if err := flatten(texts, "", tree); err != nil {
			return nil, fmt.Errorf("read texts of %s: %w", name, err)
		}
		c.languages[strings.ToLower(strings.TrimSuffix(path.Base(name), ".toml"))] = texts
	}
	if c.languages[DefaultLanguage] == nil {
		return nil, fmt.Errorf("read texts: there is no %s.toml", DefaultLanguage)
	}
	return c, nil
}

// Reworded is the catalogue with other words for one text: what say returns for
// a language, where that is not "". They are shown as they are, without
// placeholders and styles.
func (c *Catalog) Reworded(key string, say func(language string) string) *Catalog {
	out := &Catalog{languages: map[string]map[string]text{}}
	for language, texts := range c.languages {
		if words := say(language); words != "" {
			texts = maps.Clone(texts)
			texts[key] = text{{literal: OneLine(words)}}
		}
		out.languages[language] = texts
	}
	return out
}

// flatten makes keys of the path to each text: "card.ahead.one".
func flatten(into map[string]text, prefix string, tree map[string]any) error {
	for name, v := range tree {
		key := prefix + name
		switch v := v.(type) {
		case string:
			t, err := parseText(v)
			if err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
			into[key] = t
		case map[string]any:
			if err := flatten(into, key+".", v); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%s is no text", key)
		}
	}
	return nil
}

// Languages returns the languages that have texts, in alphabetical order.
func (c *Catalog) Languages() []string { return slices.Sorted(maps.Keys(c.languages)) }

// Keys returns the keys of a language, in alphabetical order.
func (c *Catalog) Keys(language string) []string {
	return slices.Sorted(maps.Keys(c.languages[language]))
}

// Placeholders returns the names in braces in a text, in alphabetical order.
func (c *Catalog) Placeholders(language, key string) []string {
	var names []string
	for _, p := range c.languages[language][key] {
		if p.name != "" {
			names = append(names, p.name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// chain lists the languages to look in for a locale: "de-AT", "de", "en".
func chain(locale string) []string {
	locale = strings.ToLower(strings.ReplaceAll(locale, "_", "-"))
	var out []string
	for locale != "" {
		out = append(out, locale)
		i := strings.LastIndexByte(locale, '-')
		locale = locale[:max(i, 0)]
	}
	return append(out, DefaultLanguage)
}

// find returns a text in the language nearest to the locale.
func (c *Catalog) find(locale, key string) (text, bool) {
	for _, language := range chain(locale) {
		if t, ok := c.languages[language][key]; ok {
			return t, true
		}
	}
	return nil, false
}

// language returns the language in which somebody with this locale reads.
func (c *Catalog) language(locale string) string {
	for _, language := range chain(locale) {
		if c.languages[language] != nil {
			return language
		}
	}
	return DefaultLanguage
}

// A text is what a key stands for, taken apart.
type text []part

// A part of a text is literal, or the name of a placeholder.
type part struct {
	literal string
	name    string
	style   Style
}

// parseText takes "a {placeholder}, `code` and **bold**" apart. Code that begins
// with {command} is a command of the bot: a verb with what it takes.
func parseText(s string) (text, error) {
	var t text
	style := Plain
	var literal strings.Builder
	flush := func() {
		if literal.Len() > 0 {
			t = append(t, part{literal: literal.String(), style: style})
			literal.Reset()
		}
	}
	toggle := func(to Style) {
		flush()
		switch {
		case style == to, to == Mono && style == CommandOf:
			style = Plain
		case to == Mono && strings.HasPrefix(s, "`{command}"):
			style = CommandOf
		default:
			style = to
		}
	}
	for s != "" {
		switch {
		case s[0] == '`':
			toggle(Mono)
			s = s[1:]
		case strings.HasPrefix(s, "**"):
			toggle(Strong)
			s = s[2:]
		case s[0] == '{':
			name, rest, ok := strings.Cut(s[1:], "}")
			if !ok || name == "" {
				return nil, fmt.Errorf("a brace in %q is not closed", s)
			}
			flush()
			t = append(t, part{name: name, style: style})
			s = rest
		default:
			literal.WriteByte(s[0])
			s = s[1:]
		}
	}
	flush()
	if style != Plain {
		return nil, fmt.Errorf("a %s part is not closed", style)
	}
	return t, nil
}
