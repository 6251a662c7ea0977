package slack

import (
	"context"
	"regexp"
	"strings"
	"time"

	"ltxbot/bot"
)

// read turns the text that Slack delivers into what the person typed, without
// the marks of formatting round verbs and settings. In a prompt, people are
// called by their names; elsewhere a mention stays an id, "@U123": an order is
// about a member, whatever the name.
func (b *Bot) read(ctx context.Context, o origin, text string) string {
	typed := unformat(unslack(text, nil))
	if line, err := bot.ParseLine(typed); err != nil || line.Verb != "" || !strings.Contains(text, "<@") {
		return typed
	}
	ctx, cancel := context.WithTimeout(ctx, namesWithin)
	defer cancel()
	o.ack = nil // not before the job is recorded
	return unformat(unslack(text, func(user string) string {
		o.User = user
		return b.people.person(ctx, o).name
	}))
}

// namesWithin bounds the search for the names of people in a prompt: the
// acknowledgement waits for it, and after it for the record of the job.
const namesWithin = 700 * time.Millisecond

// unslack turns Slack's markup into text: links, mentions, channels and dates
// read as people read them, and &amp; &lt; &gt; become the characters they stand
// for, once. nameOf is the name of a user; without it, mentions stay ids.
// https://docs.slack.dev/messaging/formatting-message-text
func unslack(text string, nameOf func(user string) string) string {
	var out strings.Builder
	from := 0
	for _, at := range slackToken.FindAllStringIndex(text, -1) {
		out.WriteString(text[from:at[0]])
		target, label, _ := strings.Cut(text[at[0]+1:at[1]-1], "|")
		out.WriteString(plain(target, label, text[:at[0]], nameOf))
		from = at[1]
	}
	out.WriteString(text[from:])
	return slackEntities.Replace(out.String())
}

// plain is one piece of Slack's markup as people read it. before is what stands
// before it: in a setting, a link is its address.
func plain(target, label, before string, nameOf func(string) string) string {
	switch target[0] {
	case '@':
		name := ""
		if nameOf != nil {
			if name = nameOf(target[1:]); name == "" {
				name = label
			}
		}
		if name == "" {
			return target
		}
		return strings.TrimLeft(name, "@")
	case '#':
		if label == "" {
			return target
		}
		return "#" + strings.TrimLeft(label, "#")
	case '!':
		what, id, _ := strings.Cut(target[1:], "^")
		switch {
		case what == "date":
			return label
		case what == "subteam" && label == "":
			return "@" + id
		case label == "":
			return "@" + what
		}
		return "@" + strings.TrimLeft(label, "@")
	}
	if label == "" || inSetting.MatchString(before) {
		return strings.TrimPrefix(strings.TrimPrefix(target, "mailto:"), "tel:")
	}
	return label
}

var (
	slackToken = regexp.MustCompile(`<(?:[@#!][^<>|]+|(?:https?|mailto|ftp|tel):[^<>|]+)(?:\|[^<>]*)?>`)
	// inSetting is the end of a text after which the value of a setting comes.
	inSetting     = regexp.MustCompile(`(?:[\w)][:=：]\s?|,\s*|(?:--|—|–)[\w-]+\s+)$`)
	slackEntities = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">")
)

// unformat removes the marks of formatting (`code`, *bold*, _italic_, ~struck~,
// > quoted) round a whole line, round verbs and their words, and round
// settings. In a prompt they stay as they were typed.
// https://docs.slack.dev/messaging/formatting-message-text#basic-formatting
func unformat(line string) string {
	line = strings.TrimSpace(strings.ReplaceAll(line, "```", "`"))
	line = strings.TrimSpace(strings.TrimLeft(line, "> "))
	for wrapped.MatchString(line) {
		line = strings.TrimSpace(line[1 : len(line)-1])
	}
	bare := unmark(line, func(string) bool { return true })
	if bare == line {
		return line
	}
	if l, err := bot.ParseLine(bare); err != nil || l.Verb != "" {
		return bare
	}
	return unmark(line, isSetting)
}

// wrapped is a line with marks round it.
var wrapped = regexp.MustCompile("^(?:`[^`]+`|\\*[^*]+\\*|_[^_]+_|~[^~]+~)$")

// spans are pieces of a line with marks round them, with the characters beside
// them. An underscore within a word is no mark.
var spans = func() []*regexp.Regexp {
	marks := []string{"`", `\*`, "~", "_"}
	out := make([]*regexp.Regexp, 0, len(marks))
	for _, mark := range marks {
		inner := "[^" + mark + "\\s](?:[^" + mark + "\n]*[^" + mark + "\\s])?"
		if mark == "_" {
			inner = `[^_\s](?:[^\n]*?[^_\s])?`
		}
		out = append(out, regexp.MustCompile("(^|[\\s(*_~`\"“])"+mark+"("+inner+")"+mark+"($|[\\s.,;:!?)*_~`\"”])"))
	}
	return out
}()

// mostMarks bounds how many marks one line may nest.
const mostMarks = 20

// unmark removes the marks round the pieces of a line that are to be without.
func unmark(line string, is func(inner string) bool) string {
	for range mostMarks {
		before := line
		for _, span := range spans {
			line = span.ReplaceAllStringFunc(line, func(found string) string {
				m := span.FindStringSubmatch(found)
				if !is(m[2]) {
					return found
				}
				return m[1] + m[2] + m[3]
			})
		}
		if line == before {
			break
		}
	}
	return line
}

// isSetting reports whether a piece of a line is settings and nothing else.
func isSetting(piece string) bool {
	line, err := bot.ParseLine(piece)
	if err != nil || line.Verb != "" || len(line.Settings) == 0 {
		return err != nil
	}
	return line.Settings[0].Key != "prompt"
}
