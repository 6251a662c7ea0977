package slack_test

import (
	"testing"

	"ltxbot/bot/slack"
)

func TestUnslackReturnsWhatWasTyped(t *testing.T) {
	for delivered, want := range map[string]string{
		"a &lt;b&gt; &amp; c &amp;lt; d":                                             "a <b> & c &lt; d",
		"lora:<https://huggingface.co/a/b/resolve/main/x.safetensors|hf.co/a/b>@0.7": "lora:https://huggingface.co/a/b/resolve/main/x.safetensors@0.7",
		"look <https://example.com/?a=1&amp;b=2>":                                    "look https://example.com/?a=1&b=2",
		"for <@U0123ABCD|ann> in <#C0123ABCD|general>, <#C0123ABCD|>":                "for @ann in #general, #C0123ABCD",
		"ping <!here> <!subteam^S01|@crew> <@U0123ABCD>":                             "ping @here !crew @U0123ABCD",
		"a &lt;https://x.y&gt;":                                                      "a <https://x.y>",
		"admin block <@U0123ABCD|ann> spam":                                          "admin block @U0123ABCD spam",
		"/ltx admin block <@U0123ABCD|ann.lee>":                                      "/ltx admin block @U0123ABCD",
		"1 < 2 > 0":                                                                  "1 < 2 > 0",
	} {
		if got := slack.Unslack(delivered); got != want {
			t.Errorf("Unslack(%q) = %q, want %q", delivered, got, want)
		}
	}
}
