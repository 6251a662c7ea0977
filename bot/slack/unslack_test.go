package slack_test

import (
	"testing"

	"ltxbot/bot/slack"
)

func TestUnslackReadsAsPeopleRead(t *testing.T) {
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
		if got := slack.Unslack(delivered, names); got != want {
			t.Errorf("Unslack(%q) = %q, want %q", delivered, got, want)
		}
	}
	for delivered, want := range map[string]string{
		"admin block <@U0123ABCD|ann> spam":     "admin block @U0123ABCD spam",
		"/ltx admin block <@U0123ABCD|ann.lee>": "/ltx admin block @U0123ABCD",
	} {
		if got := slack.Unslack(delivered, nil); got != want {
			t.Errorf("Unslack(%q) = %q, want %q", delivered, got, want)
		}
	}
}

func TestMarksOfFormattingAreNoPartOfAnOrder(t *testing.T) {
	for line, want := range map[string]string{
		"`help`":                         "help",
		"*help*":                         "help",
		"_jobs_":                         "jobs",
		"~jobs~":                         "jobs",
		"*_jobs_*":                       "jobs",
		"```help```":                     "help",
		"> help":                         "help",
		"`/ltx quota`":                   "/ltx quota",
		"`/ltx` quota":                   "/ltx quota",
		"*help* prompt":                  "help prompt",
		"cancel `k3f92mq7abcd`":          "cancel k3f92mq7abcd",
		"`hlep`":                         "hlep",
		"*admin* block `@U0123ABCD`":     "admin block @U0123ABCD",
		"a cowboy `camera:dolly_in`":     "a cowboy camera:dolly_in",
		"a cowboy _camera:dolly_in_":     "a cowboy camera:dolly_in",
		"a cowboy *camera:dolly_in*, ok": "a cowboy camera:dolly_in, ok",
		"a cowboy `--seed 7` `fps:24`":   "a cowboy --seed 7 fps:24",
		"`a cowboy camera:dolly_in`":     "a cowboy camera:dolly_in",
		"*a cowboy walks*":               "a cowboy walks",
		"a *big* `cat` on a ~mat~":       "a *big* `cat` on a ~mat~",
		"a snake_case_word and 2*3*4":    "a snake_case_word and 2*3*4",
		"a sign says `OPEN`: 24h":        "a sign says `OPEN`: 24h",
		"*bold* and *bolder*":            "*bold* and *bolder*",
		"":                               "",
		"`":                              "`",
		"**":                             "**",
	} {
		if got := slack.Unformat(line); got != want {
			t.Errorf("Unformat(%q) = %q, want %q", line, got, want)
		}
	}
}

func FuzzUnformat(f *testing.F) {
	f.Add("*a* `b:c` _d_")
	f.Add("<@U1|x> `<https://a|b>`")
	f.Fuzz(func(t *testing.T, line string) {
		typed := slack.Unslack(line, nil)
		if once := slack.Unformat(typed); len(once) > len(typed) {
			t.Errorf("%q became %q", typed, once)
		}
	})
}
