package slack

import (
	"net/url"
	"strings"
	"unicode/utf8"

	"ltxbot/bot/text"
)

// cut shortens a text to at most limit characters, as Slack counts them: code
// points.
func cut(s string, limit int) string { return text.Cut(s, limit, utf8.RuneCountInString) }

// escape writes a text for where Slack reads mrkdwn: nothing in it can mention
// anybody, be a link or be taken for markup of Slack's. It is cut to limit.
// https://docs.slack.dev/messaging/formatting-message-text#escaping
func escape(s string, limit int) string {
	return text.Rewrite(s, limit, utf8.RuneCountInString, func(_, cluster, _ string) string {
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
func unmarked(s string) string { return marks.Replace(s) }

// joiner has no width and is no white space.
const joiner = "\u2060"

var marks = strings.NewReplacer(
	"*", joiner+"*"+joiner, "_", joiner+"_"+joiner, "~", joiner+"~"+joiner, "`", joiner+"`"+joiner,
)

// webAddress is an address that a browser should open, or "".
func webAddress(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || utf8.RuneCountInString(address) > maxURL {
		return ""
	}
	return strings.NewReplacer("<", "%3C", ">", "%3E", "|", "%7C", " ", "%20").Replace(u.String())
}
