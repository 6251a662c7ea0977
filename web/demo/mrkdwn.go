package demo

import (
	"regexp"
	"strconv"
	"strings"
)

// Mrkdwn reads a text as a Slack client does.
// https://docs.slack.dev/messaging/formatting-message-text
func Mrkdwn(text string, names Names) []Text {
	var out []Text
	for n, line := range strings.Split(text, "\n") {
		spans := slackSpans(line, names)
		if n > 0 {
			out[0].Spans = append(append(out[0].Spans, Span{Text: "\n"}), spans...)
			continue
		}
		out = append(out, Text{Spans: spans})
	}
	return out
}

// slackTag is what a Slack client shows as something else.
var slackTag = regexp.MustCompile(`^<(?:@(\w+)|#(\w+)|!date\^(\d+)\^([^|>^]*)[^|>]*|!(\w+)[^|>]*|(https?://[^|>]+))(?:\|([^>]*))?>`)

var slackMarks = []struct {
	mark  string
	apply func(*Span)
}{
	{"*", func(s *Span) { s.Bold = true }},
	{"_", func(s *Span) { s.Italic = true }},
	{"~", func(s *Span) { s.Strike = true }},
}

// entities puts characters in place of what Slack writes for them.
var entities = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")

func slackSpans(line string, names Names) []Span {
	var out []Span
	var plain strings.Builder
	flush := func() {
		if plain.Len() > 0 {
			out = append(out, Span{Text: entities.Replace(plain.String())})
			plain.Reset()
		}
	}
	word := false // the character before is part of a word, where marks are characters
	for line != "" {
		if m := slackTag.FindStringSubmatch(line); m != nil {
			flush()
			out = append(out, slackTagged(m, names))
			line, word = line[len(m[0]):], false
			continue
		}
		if inner, rest, ok := enclosed(line, "`"); ok {
			flush()
			out = append(out, Span{Text: entities.Replace(inner), Code: true})
			line, word = rest, false
			continue
		}
		if inner, rest, apply := slackMarked(line); apply != nil && !word {
			flush()
			spans := slackSpans(inner, names)
			for i := range spans {
				apply(&spans[i])
			}
			out, line = append(out, spans...), rest
			continue
		}
		word = line[0] >= 0x80 || line[0] >= '0' && line[0] <= '9' || line[0]|0x20 >= 'a' && line[0]|0x20 <= 'z'
		plain.WriteByte(line[0])
		line = line[1:]
	}
	flush()
	return out
}

func slackMarked(line string) (inner, rest string, apply func(*Span)) {
	for _, m := range slackMarks {
		if inner, rest, ok := enclosed(line, m.mark); ok && strings.TrimSpace(inner) == inner {
			return inner, rest, m.apply
		}
	}
	return "", "", nil
}

func slackTagged(m []string, names Names) Span {
	switch {
	case m[1] != "":
		return Span{Text: "@" + names(m[1]), Mention: true}
	case m[2] != "":
		return Span{Text: "#" + names(m[2]), Mention: true}
	case m[3] != "":
		seconds, err := strconv.ParseInt(m[3], 10, 64)
		if err != nil {
			return Span{Text: m[7]}
		}
		return moment(seconds, m[4] == SlackAgo)
	case m[5] != "":
		return Span{Text: "@" + m[5], Mention: true}
	}
	address := entities.Replace(m[6])
	label := entities.Replace(m[7])
	if label == "" {
		label = address
	}
	return Span{Text: label, Link: webAddress(address)}
}

// SlackAgo is the format of a date that is written as a distance from now.
// https://docs.slack.dev/messaging/formatting-message-text#date-formatting
const SlackAgo = "{ago}"

// Moment is a point in time, in Unix seconds.
func Moment(seconds int64, ago bool) Span { return moment(seconds, ago) }

// Link is a text that leads to an address, if that is one of the web.
func Link(text, address string) Span { return Span{Text: text, Link: webAddress(address)} }
