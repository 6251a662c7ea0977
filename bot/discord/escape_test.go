package discord_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"ltxbot/bot/discord"
	"ltxbot/bot/text"
	"ltxbot/bot/view"
)

func TestEscapeShowsAPersonsTextAsItIs(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"plain text stays", "a cowboy walks, slowly. 16:9!", "a cowboy walks, slowly. 16:9!"},
		{"emphasis", "*a* __b__ ~~c~~", `\*a\* \_\_b\_\_ \~\~c\~\~`},
		{"spoilers", "||boo||", `\|\|boo\|\|`},
		{"code", "`a` ```b```", "\\`a\\` \\`\\`\\`b\\`\\`\\`"},
		{"everybody", "@everyone and @here", `\@everyone and \@here`},
		{"a member", "<@123> <@!123> <@&9>", `\<\@123> \<\@!123> \<\@&9>`},
		{"a channel, a command, a time, an emoji", "<#1> </x:1> <t:1:R> <:a:1>", `\<#1> \</x:1> \<t:1:R> \<:a:1>`},
		{"a link under another name", "[bank](https://evil.example)", `\[bank\](https\://evil.example)`},
		{"an address", "see https://evil.example", `see https\://evil.example`},
		{"a heading", "# big\n  ## too", "\\# big\n  \\## too"},
		{"small print and lists", "-# x\n- y\n+ z\n1. one\n12. two", "\\-# x\n\\- y\n\\+ z\n1\\. one\n12\\. two"},
		{"a quote", "> said\n>>> all", "\\> said\n\\>>> all"},
		{"a backslash cannot undo it", `\*a\*`, `\\\*a\\\*`},
		{"a mark under an accent", "*\u0301a", "\\*\u0301a"},
		{"a mark after a sign that joins it", "\u0605`a\u0605@here\u0605# b", "\u0605\\`a\u0605\\@here\u0605# b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := discord.Escape(tt.in, 1000); got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestCutKeepsWholeCharacters(t *testing.T) {
	t.Parallel()
	const family = "👨‍👩‍👧" // 8 UTF-16 units
	tests := []struct {
		in    string
		limit int
		want  string
	}{
		{"cowboy", 6, "cowboy"},
		{"cowboys", 6, "cowbo…"},
		{family + family, 16, family + family},
		{family + family, 15, family + "…"},
		{family, 7, "…"},
		{"e\u0301", 1, "…"}, // an e with a combining accent
		{"ab", 0, ""},
	}
	for _, tt := range tests {
		if got := discord.Cut(tt.in, tt.limit); got != tt.want {
			t.Errorf("cut %q to %d: %q, want %q", tt.in, tt.limit, got, tt.want)
		}
	}
}

func TestCodeCannotBeLeft(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"a`b", "``", "```\nx", "a\\", "`"} {
		if got := discord.InlineCode(in, 100); strings.Count(got, "`") != 2 && got != "" {
			t.Errorf("inline %q is %q", in, got)
		}
		if got := discord.CodeBlock(in, 100); strings.Count(got, "```") != 2 {
			t.Errorf("block %q is %q", in, got)
		}
	}
}

func TestLinksGoWhereTheySay(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, url, want string }{
		{"watch", "https://v3.fal.media/a.mp4?x=1&y=2", "[watch](<https://v3.fal.media/a.mp4?x=1&y=2>)"},
		{"a](b", "https://v3.fal.media/a.mp4", `[a\](b](<https://v3.fal.media/a.mp4>)`},
		{"watch", "https://v3.fal.media/a>)b", "[watch](<https://v3.fal.media/a%3E%29b>)"},
		{"watch", "javascript:alert(1)", "watch"},
		{"watch", "data:text/html,x", "watch"},
		{"watch", "", "watch"},
	}
	for _, tt := range tests {
		if got := discord.MaskedLink(tt.text, tt.url, 500); got != tt.want {
			t.Errorf("%q to %q is %q, want %q", tt.text, tt.url, got, tt.want)
		}
	}
}

// FuzzEscape checks that no mark is left without its backslash, that nothing
// but backslashes is added, and that the limit holds.
func FuzzEscape(f *testing.F) {
	for _, seed := range []string{"a cowboy", "<@1> **b** `c`", "[x](https://y)", "-# a\n> b\n1. c", "👨‍👩‍👧*\u0301\r\n\u202e", "\xff@here"} {
		f.Add(seed, 100)
		f.Add(seed, 7)
	}
	f.Fuzz(func(t *testing.T, text string, limit int) {
		limit = min(max(limit, 0), 5000)
		got := discord.Escape(text, limit)
		if n := discord.Length(got); n > limit {
			t.Fatalf("%q has %d units, at most %d", got, n, limit)
		}
		if utf8.ValidString(text) && !utf8.ValidString(got) {
			t.Fatalf("%q is not UTF-8", got)
		}
		plain, escaped := strings.Builder{}, false
		for _, r := range got {
			switch {
			case escaped:
				escaped = false
				plain.WriteRune(r)
			case r == '\\':
				escaped = true
			case strings.ContainsRune("`*_~|<[]@", r):
				t.Fatalf("%q has a bare %q", got, r)
			default:
				plain.WriteRune(r)
			}
		}
		if escaped || strings.Contains(strings.ReplaceAll(got, `\://`, ""), "://") {
			t.Fatalf("%q ends in a backslash or has an address", got)
		}
		kept := strings.TrimSuffix(plain.String(), "…")
		if utf8.ValidString(text) && !strings.HasPrefix(text, kept) {
			t.Fatalf("%q is shown as %q", text, kept)
		}
	})
}

// FuzzMessage checks that Discord takes whatever a message says: its text is
// not longer than allowed, and nothing that a person wrote comes to life.
func FuzzMessage(f *testing.F) {
	f.Add("a cowboy", "dusty", 3)
	f.Add(strings.Repeat("*", 5000), strings.Repeat("👨‍👩‍👧 ", 3000), 20)
	f.Add("<@99>\n> x", "```\n@everyone", 2)
	f.Fuzz(func(t *testing.T, a, b string, n int) {
		var m view.Message
		styles := []text.Style{text.Plain, text.Strong, text.Mono, text.Link, text.MentionOf}
		kinds := []view.BlockKind{view.Heading, view.Text, view.Quote, view.Note, view.Code, view.Facts, view.Bar}
		for i := range min(max(n, 0), 30) {
			spans := []text.Span{
				{Text: a, Style: styles[i%len(styles)], URL: b, Member: "discord:42"},
				{Text: b, Style: styles[(i+1)%len(styles)], URL: a, Member: a},
			}
			m.Blocks = append(m.Blocks, view.Block{Kind: kinds[i%len(kinds)], Spans: spans, Facts: []view.Fact{{Label: a, Value: spans}}})
		}
		text := discord.TextForTest(m)
		if got := discord.Length(text); got > 4000 {
			t.Fatalf("%d units of text", got)
		}
		for _, m := range live(text) {
			if !strings.HasPrefix(m, "<@42>") {
				t.Fatalf("%.10q is live in %q", m, text)
			}
		}
	})
}

// live finds what Discord would make a mention, a time, an emoji or a command
// of: all from an angle bracket on that is neither escaped nor in code.
func live(text string) []string {
	var found []string
	for at := 0; at < len(text); at++ {
		rest := text[at:]
		skipTo := func(end string) {
			if n := strings.Index(rest[len(end):], end); n >= 0 {
				at += n + 2*len(end) - 1
			}
		}
		switch {
		case rest[0] == '\\':
			at++
		case strings.HasPrefix(rest, "```"):
			skipTo("```")
		case rest[0] == '`':
			skipTo("`")
		case rest[0] == '<' && !strings.HasPrefix(rest, "<http"):
			found = append(found, rest)
		}
	}
	return found
}
