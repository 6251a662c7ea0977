package view_test

import (
	"slices"
	"testing"

	"ltxbot/bot/text"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
)

func TestTheSameSeedIsOfferedWhereTheModelHasOne(t *testing.T) {
	p := text.BuiltInCatalog().Printer("en", "/ltx")
	for line, want := range map[string]bool{"a fox": true, "a fox model:ltx-2.5": false} {
		j := job(t, jobA, line, generate.Delivered)
		j.Endpoint = j.Request.Endpoint()
		for _, m := range []view.Message{view.Result(p, j, view.ResultFacts{}), view.ShownJob(p, j)} {
			if got := slices.ContainsFunc(m.Buttons, func(b view.Button) bool { return b.Action == view.ActSame }); got != want {
				t.Errorf("%s: offered: %t, want %t", line, got, want)
			}
		}
	}
}
