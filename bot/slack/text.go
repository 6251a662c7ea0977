package slack

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// ellipsis stands for what was cut off.
const ellipsis = "…"

// cut shortens a text to at most limit characters, as Slack counts them (code
// points), between characters as people see them: a flag stays whole.
func cut(text string, limit int) string {
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	return write(text, limit, func(cluster string) string { return cluster })
}

// write builds a text of the clusters of another, each changed by change, and
// ends it with an ellipsis where limit is reached.
func write(text string, limit int, change func(cluster string) string) string {
	var b strings.Builder
	used, kept := 0, 0 // characters so far, and bytes that leave room for the ellipsis
	for state := -1; text != ""; {
		var cluster string
		cluster, text, _, state = uniseg.FirstGraphemeClusterInString(text, state)
		piece := change(cluster)
		used += utf8.RuneCountInString(piece)
		if used > limit {
			if limit < 1 {
				return ""
			}
			return b.String()[:kept] + ellipsis
		}
		b.WriteString(piece)
		if used < limit {
			kept = b.Len()
		}
	}
	return b.String()
}

// escape writes a text for where Slack reads mrkdwn: nothing in it can mention
// anybody, be a link or be taken for markup of Slack's. It is cut to limit.
// https://docs.slack.dev/messaging/formatting-message-text#escaping
func escape(text string, limit int) string {
	return write(text, limit, func(cluster string) string {
		switch cluster {
		case "&":
			return "&amp;"
		case "<":
			return "&lt;"
		case ">":
			return "&gt;"
		}
		if strings.ContainsAny(cluster, "&<>") { // with a combining mark
			return entities.Replace(cluster)
		}
		return cluster
	})
}

var entities = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// unmarked breaks what mrkdwn would read as bold, italic, struck or code: a
// character that nobody sees stands between the sign and the word.
func unmarked(text string) string { return marks.Replace(text) }

// joiner has no width and is no white space.
const joiner = "\u2060"

var marks = strings.NewReplacer(
	"*", joiner+"*"+joiner, "_", joiner+"_"+joiner, "~", joiner+"~"+joiner, "`", joiner+"`"+joiner,
)

// clean drops characters that no text needs and that can deceive: controls,
// and marks that turn the direction of what follows.
func clean(text string) string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t' || r == '\r' || r == '\u2028' || r == '\u2029':
			return ' '
		case unicode.IsControl(r), r == unicode.ReplacementChar,
			r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069', r == '\u200e', r == '\u200f', r == '\ufeff':
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
}

// oneLine is a text without line breaks.
func oneLine(text string) string { return strings.Join(strings.Fields(clean(text)), " ") }

// webAddress is an address that a browser should open, or "".
func webAddress(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || utf8.RuneCountInString(address) > maxURL {
		return ""
	}
	return strings.NewReplacer("<", "%3C", ">", "%3E", "|", "%7C", " ", "%20").Replace(u.String())
}
