package slack_test

import (
	"testing"

	"ltxbot/bot/slack"
)

func TestUnslackReadsAsPeopleRead(t *testing.T) {
	t.Parallel()
	names := map[string]string{"U0123ABCD": "Ann Lee"}
	for delivered, want := range map[string]string{
		"a &lt;b&gt; &amp; c &amp;lt; d":                                             "a <b> & c &lt; d",
		"lora:<https://huggingface.co/a/b/resolve/main/x.safetensors|hf.co/a/b>@0.7": "lora:https://huggingface.co/a/b/resolve/main/x.safetensors@0.7",
		"--lora <https://hf.co/a/b|a link>, <https://hf.co/c/d|another>":             "--lora https://hf.co/a/b, https://hf.co/c/d",
		"look <https://example.com/?a=1&amp;b=2>":                                    "look https://example.com/?a=1&b=2",
		"a sign that says <http://example.com|example.com>":                          "a sign that says example.com",
		"write to <mailto:ann@example.com|ann@example.com>":                          "write to ann@example.com",
		"for <@U0123ABCD|ann> in <#C0123ABCD|general>, <#C0123ABCD|>":                "for Ann Lee in #general, #C0123ABCD",
		"<@U0UNKNOWN|bob> and <@U0NOBODY1>":                                          "bob and @U0NOBODY1",
		"ping <!here> <!channel|@channel> <!subteam^S01|@crew> <!subteam^S02>":       "ping @here @channel @crew @S02",
		"at <!date^1392734382^{date} at {time}|February 18th, 2014>, noon":           "at February 18th, 2014, noon",
		"a :horse: in the rain":                                                      "a :horse: in the rain",
		"a &lt;https://x.y&gt;":                                                      "a <https://x.y>",
		"1 < 2 > 0":                                                                  "1 < 2 > 0",
	} {
		if got := slack.Unescape(delivered, names); got != want {
			t.Errorf("Unescape(%q) = %q, want %q", delivered, got, want)
		}
	}
	for delivered, want := range map[string]string{
		"admin block <@U0123ABCD|ann> spam":     "admin block @U0123ABCD spam",
		"/ltx admin block <@U0123ABCD|ann.lee>": "/ltx admin block @U0123ABCD",
	} {
		if got := slack.Unescape(delivered, nil); got != want {
			t.Errorf("Unescape(%q) = %q, want %q", delivered, got, want)
		}
	}
}
