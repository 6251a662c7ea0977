package command_test

import (
	"testing"

	"ltxbot/bot/command"
)

func TestMarksOfFormattingAreNoPartOfAnOrder(t *testing.T) {
	for line, want := range map[string]string{
		"`help`":                           "help",
		"*help*":                           "help",
		"_jobs_":                           "jobs",
		"~jobs~":                           "jobs",
		"*_jobs_*":                         "jobs",
		"```help```":                       "help",
		"> help":                           "help",
		"`/ltx quota`":                     "/ltx quota",
		"`/ltx` quota":                     "/ltx quota",
		"*help* prompt":                    "help prompt",
		"cancel `k3f92mq7abcd`":            "cancel k3f92mq7abcd",
		"`hlep`":                           "hlep",
		"*admin* block `@U0123ABCD`":       "admin block @U0123ABCD",
		"a cowboy `camera:dolly_in`":       "a cowboy camera:dolly_in",
		"a cowboy _camera:dolly_in_":       "a cowboy camera:dolly_in",
		"a cowboy *camera:dolly_in*, ok":   "a cowboy camera:dolly_in, ok",
		"a cowboy `--seed 7` `fps:24`":     "a cowboy --seed 7 fps:24",
		"`a cowboy camera:dolly_in`":       "a cowboy camera:dolly_in",
		"*a cowboy walks*":                 "a cowboy walks",
		"a *big* `cat` on a ~mat~":         "a *big* `cat` on a ~mat~",
		"a snake_case_word and 2*3*4":      "a snake_case_word and 2*3*4",
		"a sign says `OPEN`: 24h":          "a sign says `OPEN`: 24h",
		"*bold* and *bolder*":              "*bold* and *bolder*",
		"a cowboy **camera:dolly_in**":     "a cowboy camera:dolly_in",
		"a cowboy ||camera:dolly_in||":     "a cowboy camera:dolly_in",
		"a cowboy camera:`dolly_in`":       `a cowboy camera:"dolly_in"`,
		"a cowboy camera:**dolly in**":     `a cowboy camera:"dolly in"`,
		"a cowboy *camera:* dolly_in":      "a cowboy camera: dolly_in",
		"a cowboy **Style:** noir":         "a cowboy **Style:** noir",
		"```\na cowboy seed:7\n```":        "a cowboy seed:7",
		"a sign \"`camera:static`\" x":     "a sign \"`camera:static`\" x",
		`prompt:"a *seed:7* \" *x*" fps:5`: `prompt:"a *seed:7* \" *x*" fps:5`,
		"":                                 "",
		"`":                                "`",
		"**":                               "**",
	} {
		if got := command.Unformat(line); got != want {
			t.Errorf("Unformat(%q) = %q, want %q", line, got, want)
		}
	}
}

func FuzzUnformat(f *testing.F) {
	f.Add("*a* `b:c` _d_")
	f.Fuzz(func(t *testing.T, line string) {
		if once := command.Unformat(line); len(once) > len(line) {
			t.Errorf("%q became %q", line, once)
		}
	})
}
