package discord

import (
	"net/url"
	"strings"
	"unicode/utf8"

	"ltxbot/bot/text"
)

// length counts a text as Discord's clients do, in UTF-16 code units. The
// documents say characters; where they mean code points this counts the same
// or more, so that a limit is never exceeded.
func length(s string) int {
	return text.Units(s)
}

// cut shortens a text to at most limit.
func cut(s string, limit int) string { return text.Cut(s, limit, length) }

// escape writes a person's text so that Discord shows it as it is: it cannot
// format, mention, link, hide or fake anything. It is cut to limit.
func escape(s string, limit int) string {
	return text.Rewrite(s, limit, length, func(line, cluster, rest string) string {
		// A sign may join the mark that comes after it, as U+0605 does.
		sign := strings.TrimLeftFunc(cluster, func(r rune) bool { return r >= utf8.RuneSelf })
		before := cluster[:len(cluster)-len(sign)]
		if sign != "" && special(sign[0], strings.TrimLeft(line+before, " "), rest) {
			return before + `\` + sign
		}
		return cluster
	})
}

// special reports whether Discord's markdown may give c a meaning after the
// beginning of a line, and before the rest. Where it has none, an escape would
// do no harm but cost room.
// https://support.discord.com/hc/en-us/articles/210298617
func special(c byte, line, rest string) bool {
	switch c {
	case '\\', '`', '*', '_', '~', '|', '<', '[', ']', '@':
		return true
	case '#', '-', '+', '>': // headings, small print, lists, quotes
		return line == ""
	case '.': // "1." begins a list
		return line != "" && strings.Trim(line, "0123456789") == ""
	case ':': // an address becomes a link
		return strings.HasPrefix(rest, "//")
	}
	return false
}

// graveAccent looks like a backtick and ends no code.
const graveAccent = "ˋ"

// inlineCode writes a text as code in a line.
func inlineCode(s string, limit int) string {
	s = strings.TrimSpace(strings.ReplaceAll(text.OneLine(s), "`", graveAccent))
	if s == "" || limit < 3 {
		return ""
	}
	return "`" + cut(s, limit-2) + "`"
}

// fence is what is put around a block of code.
const fence = "```"

// codeBlock writes a text as a block of code.
func codeBlock(s string, limit int) string {
	s = strings.ReplaceAll(text.Clean(s), fence, strings.Repeat(graveAccent, len(fence)))
	room := limit - 2*len(fence) - 2
	if s == "" || room < 1 {
		return ""
	}
	return fence + "\n" + cut(s, room) + "\n" + fence
}

// maskedLink writes a link, or only its text when the address is not one that
// a browser should open.
func maskedLink(label, address string, limit int) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return escape(text.OneLine(label), limit)
	}
	target := strings.NewReplacer("<", "%3C", ">", "%3E", "(", "%28", ")", "%29", " ", "%20", "\n", "").Replace(u.String())
	room := limit - length(target) - len("[](<>)")
	if label = escape(text.OneLine(label), room); room < 1 || label == "" {
		return ""
	}
	return "[" + label + "](<" + target + ">)"
}
