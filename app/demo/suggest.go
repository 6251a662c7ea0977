package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"ltxbot/bot/slack"
	simdiscord "ltxbot/sim/discord"
	page "ltxbot/web/demo"
)

// shownSuggestions is how many suggestions a client shows.
const shownSuggestions = 25

// Suggest implements page.World.
func (w *world) Suggest(ctx context.Context, name string, q page.Question) []page.Suggestion {
	p := w.d.named(name)
	switch {
	case p == nil:
		return nil
	case q.Form != "":
		return w.suggestInForm(ctx, p, q)
	case !strings.HasPrefix(q.Line, "/"):
		return nil
	case q.On == slackName:
		return slackHint(q.Line)
	}
	found := w.suggestOnDiscord(ctx, p, q.Line)
	return found[:min(len(found), shownSuggestions)]
}

// slackHint is what Slack shows of a command: its hint, and nothing while its
// text is typed.
func slackHint(line string) []page.Suggestion {
	raw, err := slack.Manifest(slack.ManifestOptions{})
	if err != nil {
		return nil
	}
	var manifest struct {
		Features struct {
			Commands []struct {
				Command     string `json:"command"`
				Description string `json:"description"`
				Hint        string `json:"usage_hint"`
			} `json:"slash_commands"`
		} `json:"features"`
	}
	if err := json.Unmarshal(raw, &manifest); err != nil {
		return nil
	}
	var out []page.Suggestion
	for _, c := range manifest.Features.Commands {
		if strings.HasPrefix(c.Command, line) {
			out = append(out, page.Suggestion{Label: c.Command + "  " + c.Hint, Note: c.Description, Line: c.Command + " "})
		}
	}
	return out
}

// suggestInForm is what the bot offers while somebody types in a field.
func (w *world) suggestInForm(ctx context.Context, p *person, q page.Question) []page.Suggestion {
	views := p.slack.user.Views()
	if q.On != slackName || len(views) == 0 {
		return nil
	}
	view := views[len(views)-1]
	for _, in := range view.Blocks.Inputs() {
		if in.BlockID != q.Field || in.Type != "external_select" {
			continue
		}
		found, err := p.slack.user.Suggest(ctx, view, in.ActionID, q.Line)
		if err != nil {
			return nil
		}
		out := make([]page.Suggestion, 0, len(found))
		for _, o := range found {
			out = append(out, page.Suggestion{Label: o.Label, Note: o.Description, Line: o.Value})
		}
		return out
	}
	return nil
}

// Types of options of a command.
// https://discord.com/developers/docs/interactions/application-commands#application-command-object-application-command-option-type
const (
	optionSubcommand = 1
	optionGroup      = 2
	optionUser       = 6
	optionAttachment = 11
	optionBoolean    = 5
)

// commandOption is an option of a command, as it is registered.
type commandOption struct {
	Type         int             `json:"type"`
	Name         string          `json:"name"`
	Description  string          `json:"description"`
	Required     bool            `json:"required"`
	Autocomplete bool            `json:"autocomplete"`
	Choices      []commandChoice `json:"choices"`
	Options      []commandOption `json:"options"`
}

type commandChoice struct {
	Name  string `json:"name"`
	Value any    `json:"value"`
}

// typing is a command that is being typed.
type typing struct {
	name   string          // with its subcommand
	before string          // the line up to what is being typed
	word   string          // that is being typed: the value of option, or the beginning of a name
	level  []commandOption // what the command takes here
	given  []simdiscord.Argument
	option *commandOption // whose value is being typed
}

// suggestOnDiscord is what Discord's client offers: commands, then
// subcommands, options and their values.
func (w *world) suggestOnDiscord(ctx context.Context, p *person, line string) []page.Suggestion {
	offered := p.discord.user.Offered(w.d.discord.channel)
	name, _, typed := strings.Cut(line[1:], " ")
	var out []page.Suggestion
	for _, c := range offered {
		switch {
		case !typed && strings.HasPrefix(c.Name, name):
			out = append(out, page.Suggestion{Label: "/" + c.Name, Note: c.Description, Line: "/" + c.Name + " "})
		case typed && c.Name == name:
			return w.suggestFor(ctx, p, readTyping(line, optionsOf(c)))
		}
	}
	return out
}

// optionsOf are the options of a registered command.
func optionsOf(c simdiscord.Command) []commandOption {
	var def struct {
		Options []commandOption `json:"options"`
	}
	raw, err := json.Marshal(c.Definition)
	if err != nil || json.Unmarshal(raw, &def) != nil {
		return nil
	}
	return def.Options
}

// readTyping reads a line as far as it is typed. It holds a command and a space
// at least.
func readTyping(line string, options []commandOption) typing {
	name, rest, _ := strings.Cut(line[1:], " ")
	t := typing{name: name, before: line[:len(line)-len(rest)], word: rest, level: options}
	for len(t.level) > 0 && (t.level[0].Type == optionSubcommand || t.level[0].Type == optionGroup) {
		word, after, done := strings.Cut(t.word, " ")
		n := slices.IndexFunc(t.level, func(o commandOption) bool { return o.Name == word })
		if !done || n < 0 {
			return t
		}
		t.name, t.before, t.word, t.level = t.name+" "+word, t.before+word+" ", after, t.level[n].Options
	}
	// A value goes on until the next option's name.
	text := t.word
	for w := range strings.SplitAfterSeq(text, " ") {
		key, value, named := strings.Cut(w, ":")
		n := slices.IndexFunc(t.level, func(o commandOption) bool { return named && o.Name == key })
		switch {
		case n >= 0:
			t.option, t.word = &t.level[n], value
			t.given = append(t.given, simdiscord.Arg(key, value))
		case t.option != nil:
			t.word += w
			t.given[len(t.given)-1].Value = t.word
		default:
			t.word = w
		}
	}
	t.before = strings.TrimSuffix(line, t.word)
	return t
}

func (w *world) suggestFor(ctx context.Context, p *person, t typing) []page.Suggestion {
	if t.option == nil {
		return t.names(t.word)
	}
	var out []page.Suggestion
	switch {
	case strings.HasPrefix(t.word, "@"), t.option.Type == optionUser:
		for _, one := range w.d.people {
			if strings.HasPrefix("@"+one.name, t.word) {
				out = append(out, page.Suggestion{Label: "@" + one.name, Note: one.title(), Line: t.before + "@" + one.name + " "})
			}
		}
	case len(t.option.Choices) > 0:
		for _, c := range t.option.Choices {
			if hasPrefixFold(c.Name, t.word) {
				out = append(out, page.Suggestion{Label: c.Name, Line: t.before + c.Name + " "})
			}
		}
	case t.option.Type == optionBoolean:
		for _, c := range []string{"True", "False"} {
			if hasPrefixFold(c, t.word) {
				out = append(out, page.Suggestion{Label: c, Line: t.before + c + " "})
			}
		}
	case t.option.Type == optionAttachment:
		out = append(out, page.Suggestion{Label: "Attach a file", Note: "with + or by dropping it here", Line: strings.TrimSuffix(t.before, t.option.Name+":")})
	case t.option.Autocomplete:
		out = w.complete(ctx, p, t)
	}
	// After a word the next option may begin.
	if n := strings.LastIndex(t.word, " "); n >= 0 {
		t.before, t.word = t.before+t.word[:n+1], t.word[n+1:]
		out = append(out, t.names(t.word)...)
	}
	return out
}

// names are the options and subcommands that begin with a word.
func (t typing) names(word string) []page.Suggestion {
	var out []page.Suggestion
	for _, o := range t.level {
		used := slices.ContainsFunc(t.given, func(a simdiscord.Argument) bool { return a.Name == o.Name })
		if used || !strings.HasPrefix(o.Name, word) {
			continue
		}
		s := page.Suggestion{Label: o.Name, Note: o.Description, Line: t.before + o.Name + ":"}
		if o.Type == optionSubcommand || o.Type == optionGroup {
			s.Line = t.before + o.Name + " "
		}
		if o.Required {
			s.Note += " (required)"
		}
		out = append(out, s)
	}
	return out
}

// complete asks the bot, as the client does.
func (w *world) complete(ctx context.Context, p *person, t typing) []page.Suggestion {
	// Names of people are not ids yet, and files are not there.
	given := slices.DeleteFunc(slices.Clone(t.given), func(a simdiscord.Argument) bool {
		n := slices.IndexFunc(t.level, func(o commandOption) bool { return o.Name == a.Name })
		kind := t.level[n].Type
		return kind == optionUser || kind == optionAttachment || a.Name != t.option.Name && strings.TrimSpace(fmt.Sprint(a.Value)) == ""
	})
	for i := range given {
		given[i].Value = strings.TrimSpace(fmt.Sprint(given[i].Value))
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	i, err := p.discord.user.Autocomplete(ctx, w.d.discord.channel, t.name, t.option.Name, given...)
	if err != nil || i.WaitAck(ctx) != nil {
		return nil
	}
	var out []page.Suggestion
	for _, c := range i.Choices() {
		value := fmt.Sprint(c.Value)
		s := page.Suggestion{Label: c.Name, Line: t.before + value + " "}
		if c.Name != value {
			s.Note = value
		}
		out = append(out, s)
	}
	return out
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], strings.TrimSpace(prefix)) || strings.TrimSpace(prefix) == ""
}
