package discord

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/rivo/uniseg"
)

// length counts a text as Discord's clients do, in UTF-16 code units. The
// documents say characters; where they mean code points this counts the same
// or more, so that a limit is never exceeded.
func length(text string) int {
	n := 0
	for _, r := range text {
		n += max(1, utf16.RuneLen(r))
	}
	return n
}

// ellipsis stands for what was cut off.
const ellipsis = "…"

// cut shortens a text to at most limit, between characters as people see
// them: a flag or a family stays whole.
func cut(text string, limit int) string {
	if length(text) <= limit {
		return text
	}
	return take(text, limit, func(_, cluster, _ string) string { return cluster })
}

// take builds a text from the clusters of another, each changed by write, and
// ends it with an ellipsis where the limit is reached. write gets the cluster
// with what is before it in its line, and what comes after it.
func take(text string, limit int, write func(line, cluster, rest string) string) string {
	var b strings.Builder
	room := limit - length(ellipsis)
	used, kept := 0, 0 // of the whole, and of what leaves room for the ellipsis
	line, state := 0, -1
	for at := 0; at < len(text); {
		var cluster string
		cluster, _, _, state = uniseg.FirstGraphemeClusterInString(text[at:], state)
		piece := write(text[line:at], cluster, text[at+len(cluster):])
		used += length(piece)
		if used > limit {
			if room < 0 {
				return ""
			}
			return b.String()[:kept] + ellipsis
		}
		b.WriteString(piece)
		if used <= room {
			kept = b.Len()
		}
		at += len(cluster)
		if strings.HasSuffix(cluster, "\n") {
			line = at
		}
	}
	return b.String()
}

// escape writes a person's text so that Discord shows it as it is: it cannot
// format, mention, link, hide or fake anything. It is cut to limit.
func escape(text string, limit int) string {
	return take(text, limit, func(line, cluster, rest string) string {
		if special(cluster[0], strings.TrimLeft(line, " "), rest) {
			return `\` + cluster
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
func oneLine(text string) string {
	return strings.Join(strings.Fields(clean(text)), " ")
}

// graveAccent looks like a backtick and ends no code.
const graveAccent = "ˋ"

// inlineCode writes a text as code in a line.
func inlineCode(text string, limit int) string {
	text = strings.TrimSpace(strings.ReplaceAll(oneLine(text), "`", graveAccent))
	if text == "" || limit < 3 {
		return ""
	}
	return "`" + cut(text, limit-2) + "`"
}

// fence is what is put around a block of code.
const fence = "```"

// codeBlock writes a text as a block of code.
func codeBlock(text string, limit int) string {
	text = strings.ReplaceAll(clean(text), fence, strings.Repeat(graveAccent, len(fence)))
	room := limit - 2*len(fence) - 2
	if text == "" || room < 1 {
		return ""
	}
	return fence + "\n" + cut(text, room) + "\n" + fence
}

// maskedLink writes a link, or only its text when the address is not one that
// a browser should open.
func maskedLink(text, address string, limit int) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return escape(oneLine(text), limit)
	}
	target := strings.NewReplacer("<", "%3C", ">", "%3E", "(", "%28", ")", "%29", " ", "%20", "\n", "").Replace(u.String())
	room := limit - length(target) - len("[](<>)")
	if text = escape(oneLine(text), room); room < 1 || text == "" {
		return ""
	}
	return "[" + text + "](<" + target + ">)"
}
