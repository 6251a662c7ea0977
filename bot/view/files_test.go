package view_test

import (
	"strings"
	"testing"

	"ltxbot/bot/text"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
)

func TestTheLineThatMakesAVideoAgainHasNoFileThatNobodyCanType(t *testing.T) {
	j := job(t, jobA, cowboy, generate.Delivered)
	r, err := ltx.Rules{}.Parse([]ltx.Setting{
		{Key: "prompt", Value: "a fox"},
		ltx.FileSetting("image", ltx.Media{Ref: "slack:F1", Name: "fox.png"}),
		{Key: "end_image", Value: "https://example.com/den.png"},
	})
	if err != nil {
		t.Fatal(err)
	}
	j.Request = r
	got := view.Details(text.BuiltInCatalog().Printer("en", "/ltx"), j)
	for _, b := range got.Blocks {
		if line := text.Flat(b.Spans); b.Kind == view.Code && (strings.Contains(line, "fox.png") || !strings.Contains(line, "end_image:https://example.com/den.png")) {
			t.Errorf("the line is %s", line)
		}
	}
	if !strings.Contains(got.String(), "Attach fox.png again.") {
		t.Errorf("the message says %s", got)
	}
}
