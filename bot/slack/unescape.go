package slack

import (
	"context"
	"regexp"
	"strings"
	"time"

	"ltxbot/bot/command"
)

// read turns the text that Slack delivers into what the person typed, without
// the marks of formatting round verbs and settings. In a prompt, people are
// called by their names; elsewhere a mention stays an id, "@U123": an order is
// about a member, whatever the name.
func (b *Bot) read(ctx context.Context, o origin, text string) string {
	typed := command.Unformat(unescape(text, nil))
	if !strings.Contains(text, someone) {
		return typed
	}
	if line, err := command.Parse(typed); err != nil || line.Verb != "" {
		return typed
	}
	ctx, cancel := context.WithTimeout(ctx, namesWithin)
	defer cancel()
	o.ack = nil // not before the job is recorded
	left := maxNames
	return command.Unformat(unescape(text, func(user string) string {
		if left--; left < 0 {
			return ""
		}
		o.User = user
		return b.people.person(ctx, o).name
	}))
}

// How long and about how many people Slack is asked for the names in a prompt.
// It answers so many questions a minute, and who is an admin is one of them. The
// acknowledgement waits for the names, and after them for the record of the job.
const (
	namesWithin = 700 * time.Millisecond
	maxNames    = 10
)

// unescape turns Slack's markup into text: links, mentions, channels and dates
// read as people read them, and &amp; &lt; &gt; become the characters they stand
// for, once. nameOf is the name of a user; without it, mentions stay ids.
// https://docs.slack.dev/messaging/formatting-message-text
func unescape(text string, nameOf func(user string) string) string {
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
