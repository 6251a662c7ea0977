package text_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"ltxbot/bot/text"
)

func TestACleanTextDeceivesNobody(t *testing.T) {
	for in, want := range map[string]string{
		"a cowboy":                        "a cowboy",
		"two\r\nlines":                    "two\nlines",
		"a\ttab\rand\u2028more\u2029":     "a tab and more ",
		"\u202egpj.exe\u2066\u200f\ufeff": "gpj.exe",
		"bell\a, broken \xff\ufffd":       "bell, broken ",
		"a family 👨‍👩‍👧":                  "a family 👨‍👩‍👧",
	} {
		if got := text.Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
	if got := text.OneLine(" a\r\n b\t\u202ec \n"); got != "a b c" {
		t.Errorf("OneLine is %q", got)
	}
}

func TestATextIsCutBetweenCharactersAsPeopleSeeThem(t *testing.T) {
	const flags = "🇩🇪🇫🇷🇯🇵" // two code points, and four units, each
	for _, c := range []struct {
		in    string
		limit int
		count func(string) int
		want  string
	}{
		{"cowboy", 6, text.Units, "cowboy"},
		{"cowboy", 5, text.Units, "cowb…"},
		{"cowboy", 1, text.Units, "…"},
		{"cowboy", 0, text.Units, ""},
		{"cowboy", -1, text.Units, ""},
		{flags, 12, text.Units, flags},
		{flags, 11, text.Units, "🇩🇪🇫🇷…"},
		{flags, 8, text.Units, "🇩🇪…"},
		{flags, 6, utf8.RuneCountInString, flags},
		{flags, 5, utf8.RuneCountInString, "🇩🇪🇫🇷…"},
		{flags, 4, utf8.RuneCountInString, "🇩🇪…"},
	} {
		if got := text.Cut(c.in, c.limit, c.count); got != c.want {
			t.Errorf("Cut(%q, %d) = %q, want %q", c.in, c.limit, got, c.want)
		}
	}
	if got := text.Shorten("a cowboy, who rides", 11); got != "a cowboy…" {
		t.Errorf("Shorten is %q: no comma stands before the ellipsis", got)
	}
}

func TestRewriteTellsWhereACharacterStands(t *testing.T) {
	var seen []string
	got := text.Rewrite("ab\ncd", 7, text.Units, func(line, cluster, rest string) string {
		seen = append(seen, line+"|"+cluster+"|"+rest)
		return strings.Repeat(cluster, 2)
	})
	if want := "aabb\n\n…"; got != want {
		t.Errorf("it is %q, want %q", got, want)
	}
	if got, want := strings.Join(seen, " "), "|a|b\ncd a|b|\ncd ab|\n|cd |c|d"; got != want {
		t.Errorf("it saw %q, want %q", got, want)
	}
}
