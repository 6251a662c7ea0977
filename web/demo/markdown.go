package demo

import (
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Names are how people and channels are called, by their id.
type Names func(id string) string

// Markdown reads a text as a Discord client does: the part of its markdown that
// bots use. Whatever else it holds stays as it is.
// https://support.discord.com/hc/en-us/articles/210298617
func Markdown(text string, names Names) []Text {
	var out []Text
	inline := func(kind TextKind, line string) {
		spans := discordSpans(line, names)
		if n := len(out); n > 0 && out[n-1].Kind == kind && (kind == Plain || kind == Quote) {
			out[n-1].Spans = append(append(out[n-1].Spans, Span{Text: "\n"}), spans...)
			return
		}
		out = append(out, Text{Kind: kind, Spans: spans})
	}
	lines := strings.Split(text, "\n")
	for n := 0; n < len(lines); n++ {
		line := lines[n]
		switch {
		case strings.HasPrefix(line, "```"):
			var code []string
			if first := strings.TrimSuffix(line[len("```"):], "```"); first != "" {
				code = append(code, first)
			}
			for closed := len(line) > len("```") && strings.HasSuffix(line, "```"); !closed && n+1 < len(lines); {
				n++
				last := strings.TrimSuffix(lines[n], "```")
				closed = last != lines[n]
				if last != "" || !closed {
					code = append(code, last)
				}
			}
			out = append(out, Text{Kind: Code, Spans: []Span{{Text: strings.Join(code, "\n")}}})
		case strings.HasPrefix(line, "### "), strings.HasPrefix(line, "## "), strings.HasPrefix(line, "# "):
			inline(Heading, strings.TrimLeft(line, "# "))
		case strings.HasPrefix(line, "-# "):
			inline(Small, line[len("-# "):])
		case strings.HasPrefix(line, "> "), line == ">":
			inline(Quote, strings.TrimPrefix(strings.TrimPrefix(line, ">"), " "))
		case strings.HasPrefix(line, "- "):
			inline(Item, line[len("- "):])
		case line == "":
		default:
			inline(Plain, line)
		}
	}
	return out
}

// tag is what a Discord client shows as something else.
// https://discord.com/developers/docs/reference#message-formatting
var tag = regexp.MustCompile(`^<(?:@!?(\d+)|#(\d+)|@&(\d+)|t:(-?\d+)(?::(\w))?|/([^:>]+):\d+)>`)

// masked is a text with an address behind it.
var masked = regexp.MustCompile(`^\[((?:[^\]\\\n]|\\.)+)\]\(<?(https?://[^\s)>]+)>?\)`)

// bare is an address in a text.
var bare = regexp.MustCompile(`^https?://[^\s<>]+[^\s<>.,:;!?)'"]`)

// marks are what stands before and after a text that looks different.
var marks = []struct {
	mark  string
	apply func(*Span)
}{
	{"**", func(s *Span) { s.Bold = true }},
	{"~~", func(s *Span) { s.Strike = true }},
	{"*", func(s *Span) { s.Italic = true }},
	{"_", func(s *Span) { s.Italic = true }},
}

func discordSpans(line string, names Names) []Span {
	var out []Span
	var plain strings.Builder
	flush := func() {
		if plain.Len() > 0 {
			out = append(out, Span{Text: plain.String()})
			plain.Reset()
		}
	}
	add := func(s ...Span) {
		flush()
		out = append(out, s...)
	}
	for line != "" {
		if len(line) > 1 && line[0] == '\\' && isPunct(line[1]) {
			plain.WriteByte(line[1])
			line = line[2:]
			continue
		}
		if m := tag.FindStringSubmatch(line); m != nil {
			add(tagged(m, names))
			line = line[len(m[0]):]
			continue
		}
		if m := masked.FindStringSubmatch(line); m != nil {
			inner := discordSpans(m[1], names)
			for i := range inner {
				inner[i].Link = webAddress(m[2])
			}
			add(inner...)
			line = line[len(m[0]):]
			continue
		}
		if address := bare.FindString(line); address != "" {
			add(Span{Text: address, Link: webAddress(address)})
			line = line[len(address):]
			continue
		}
		if inner, rest, ok := enclosed(line, "`"); ok {
			add(Span{Text: inner, Code: true})
			line = rest
			continue
		}
		if inner, rest, apply := marked(line, plain.Len() > 0); apply != nil {
			spans := discordSpans(inner, names)
			for i := range spans {
				apply(&spans[i])
			}
			add(spans...)
			line = rest
			continue
		}
		plain.WriteByte(line[0])
		line = line[1:]
	}
	flush()
	return out
}

// marked is a text in marks at the beginning of a line. within reports whether
// it stands in a word, where an underscore is one.
func marked(line string, within bool) (inner, rest string, apply func(*Span)) {
	for _, m := range marks {
		if m.mark == "_" && within {
			continue
		}
		if inner, rest, ok := enclosed(line, m.mark); ok && strings.TrimSpace(inner) == inner {
			return inner, rest, m.apply
		}
	}
	return "", "", nil
}

// enclosed is a text between two marks at the beginning of a line. A mark after
// a backslash is none.
func enclosed(line, mark string) (inner, rest string, ok bool) {
	if !strings.HasPrefix(line, mark) {
		return "", "", false
	}
	body := line[len(mark):]
	for at := 0; at < len(body); at++ {
		if body[at] == '\\' && mark != "`" {
			at++
			continue
		}
		if at > 0 && strings.HasPrefix(body[at:], mark) {
			return body[:at], body[at+len(mark):], true
		}
	}
	return "", "", false
}

// tagged is a mention, a moment or a command.
func tagged(m []string, names Names) Span {
	switch {
	case m[1] != "":
		return Span{Text: "@" + names(m[1]), Mention: true}
	case m[2] != "":
		return Span{Text: "#" + names(m[2]), Mention: true}
	case m[3] != "":
		return Span{Text: "@" + names(m[3]), Mention: true}
	case m[6] != "":
		return Span{Text: "/" + m[6], Mention: true}
	}
	seconds, err := strconv.ParseInt(m[4], 10, 64)
	if err != nil {
		return Span{Text: m[0]}
	}
	return moment(seconds, m[5] == "R")
}

// moment is a point in time. A page with scripts writes it as it is read: where it
// is, and now.
func moment(seconds int64, ago bool) Span {
	at := time.Unix(seconds, 0)
	if ago {
		return Span{Text: Relative(time.Until(at)), At: at, Ago: ago}
	}
	return Span{Text: at.Format("2 January 15:04"), At: at}
}

// units are those in which clients tell a distance from now.
var units = []struct {
	unit string
	is   time.Duration
}{{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second}}

// Relative is a time as clients write it: "in 2 minutes", "3 seconds ago".
func Relative(d time.Duration) string {
	text := "now"
	for _, s := range units {
		n := int(d.Abs().Round(time.Second) / s.is)
		if n == 0 {
			continue
		}
		if text = fmt.Sprintf("%d %s", n, s.unit); n > 1 {
			text += "s"
		}
		if d < 0 {
			return text + " ago"
		}
		return "in " + text
	}
	return text
}

// webAddress is an address that a link may lead to, or "".
func webAddress(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return ""
	}
	return u.String()
}

func isPunct(c byte) bool { return strings.IndexByte("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", c) >= 0 }
