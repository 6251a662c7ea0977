package demo_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/web/demo"
)

func names(id string) string {
	return map[string]string{"1": "ben", "U1": "ben", "2": "videos", "C2": "videos"}[id]
}

// written is texts in one line: kind, and each span with its marks.
func written(texts []demo.Text) string {
	var b strings.Builder
	for n, t := range texts {
		if n > 0 {
			b.WriteString(" | ")
		}
		if t.Kind != "" {
			b.WriteString(string(t.Kind) + ": ")
		}
		for _, s := range t.Spans {
			var marks []string
			for _, m := range []struct {
				is   bool
				mark string
			}{
				{s.Bold, "b"},
				{s.Italic, "i"},
				{s.Strike, "s"},
				{s.Code, "c"},
				{s.Mention, "@"},
				{s.Link != "", "→" + s.Link},
				{!s.At.IsZero() && s.Ago, "ago"},
				{!s.At.IsZero() && !s.Ago, "at"},
			} {
				if m.is {
					marks = append(marks, m.mark)
				}
			}
			text := s.Text
			if !s.At.IsZero() {
				text = strconv.FormatInt(s.At.Unix(), 10)
			}
			if len(marks) > 0 {
				text = "[" + strings.Join(marks, "") + " " + text + "]"
			}
			b.WriteString(text)
		}
	}
	return b.String()
}

func TestMarkdownReadsAsOnDiscord(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"hello", "hello"},
		{"**bold** and *thin* and ~~gone~~", "[b bold] and [i thin] and [s gone]"},
		{"**a *b* c**", "[b a ][bi b][b  c]"},
		{"`code **not bold**`", "[c code **not bold**]"},
		{`\*plain\* \<@1>`, "*plain* <@1>"},
		{"<@1> and <@!1> in <#2>", "[@ @ben] and [@ @ben] in [@ #videos]"},
		{"</ltx-jobs list:12>", "[@ /ltx-jobs list]"},
		{"<t:100:R> <t:100:f> <t:100>", "[ago 100] [at 100] [at 100]"},
		{"[a **b**](<https://x.example/y>)", "[→https://x.example/y a ][b→https://x.example/y b]"},
		{"[a](javascript:alert)", "[a](javascript:alert)"},
		{"see https://x.example/y.", "see [→https://x.example/y https://x.example/y]."},
		{"### Title\n-# small\n> one\n> two\nafter", "heading: Title | small: small | quote: one\ntwo | after"},
		{"```\na\n**b**\n```\nend", "code: a\n**b** | end"},
		{"```one```", "code: one"},
		{"```\nnever closed", "code: never closed"},
		{"- a\n- b", "item: a | item: b"},
		{"snake_case_name", "snake_case_name"},
		{"2 * 3 * 4", "2 * 3 * 4"},
		{"**", "**"},
		{"a\nb", "a\nb"},
		{"<script>", "<script>"},
	} {
		if got := written(demo.Markdown(test.text, names)); got != test.want {
			t.Errorf("%q reads\n%s, want\n%s", test.text, got, test.want)
		}
	}
}

func TestMrkdwnReadsAsOnSlack(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"hello", "hello"},
		{"*bold* _thin_ ~gone~ `code`", "[b bold] [i thin] [s gone] [c code]"},
		{"&lt;@U1&gt; &amp; <@U1>", "<@U1> & [@ @ben]"},
		{"<#C2> <!here>", "[@ #videos] [@ @here]"},
		{"<https://x.example/?a&amp;b|a link> <https://x.example/>", "[→https://x.example/?a&b a link] [→https://x.example/ https://x.example/]"},
		{"<javascript:alert|x>", "<javascript:alert|x>"},
		{"<!date^100^{ago}|then> <!date^100^{date} {time}|then>", "[ago 100] [at 100]"},
		{"a\nb", "a\nb"},
		{"2*3*4 snake_case_name", "2*3*4 snake_case_name"},
	} {
		if got := written(demo.Mrkdwn(test.text, names)); got != test.want {
			t.Errorf("%q reads\n%s, want\n%s", test.text, got, test.want)
		}
	}
}

func FuzzMarkdown(f *testing.F) {
	f.Add("**a** <t:1:R> [x](https://x.example) ```\n> `")
	f.Fuzz(func(_ *testing.T, text string) {
		demo.Markdown(text, names)
		demo.Mrkdwn(text, names)
	})
}

// TestMomentsAreToldWithoutScripts: how far a moment is, and when.
func TestMomentsAreToldWithoutScripts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := time.Now().Add(3 * time.Hour)
		line := fmt.Sprintf("It starts over <t:%d:R>, at <t:%d:f>.", at.Unix(), at.Unix())
		spans := demo.Markdown(line, func(string) string { return "" })[0].Spans
		if got, want := spans[1].Text+spans[2].Text+spans[3].Text, "in 3 hours, at "+at.Format("2 January 15:04"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	})
}
