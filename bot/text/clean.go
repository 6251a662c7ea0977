package text

import (
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/rivo/uniseg"
)

// Clean drops characters that no text needs and that can deceive: controls,
// and marks that turn the direction of what follows.
func Clean(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
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
	}, strings.ToValidUTF8(s, ""))
}

// OneLine is a clean text without line breaks.
func OneLine(s string) string { return strings.Join(strings.Fields(Clean(s)), " ") }

// ellipsis stands for what was cut off. Every way to count takes it for one.
const ellipsis = "…"

// Rewrite changes a text by clusters, the characters that people see: a flag
// or a family stays whole. write gets a cluster with what is before it in its
// line and what comes after it. Where the result would be longer than limit,
// as count counts, it ends with an ellipsis.
func Rewrite(s string, limit int, count func(string) int, write func(line, cluster, rest string) string) string {
	var b strings.Builder
	used, kept := 0, 0 // of the whole, and in bytes what leaves room for the ellipsis
	line, state := 0, -1
	for at := 0; at < len(s); {
		var cluster string
		cluster, _, _, state = uniseg.FirstGraphemeClusterInString(s[at:], state)
		piece := write(s[line:at], cluster, s[at+len(cluster):])
		used += count(piece)
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
		at += len(cluster)
		if strings.HasSuffix(cluster, "\n") {
			line = at
		}
	}
	return b.String()
}

// Cut shortens a text to at most limit, as count counts, between clusters.
func Cut(s string, limit int, count func(string) int) string {
	if count(s) <= limit {
		return s
	}
	return Rewrite(s, limit, count, func(_, cluster, _ string) string { return cluster })
}

// Shorten is Cut in UTF-16 units, and leaves no space or punctuation before
// the ellipsis.
func Shorten(s string, most int) string {
	if Units(s) <= most {
		return s
	}
	return strings.TrimRight(strings.TrimSuffix(Cut(s, most, Units), ellipsis), " \n\t,.;:") + ellipsis
}

// Units counts UTF-16 units.
func Units(s string) int {
	n := 0
	for _, r := range s {
		n += max(1, utf16.RuneLen(r))
	}
	return n
}
