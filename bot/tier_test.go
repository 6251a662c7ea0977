package bot_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"ltxbot/bot"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
)

// newReserved is a service where the tier studio may choose more models.
func newReserved(t *testing.T) (*bot.Service, *fakeGenerator) {
	t.Helper()
	_, g := newArchive(t)
	reserved := func(string) ltx.Rules {
		return ltx.Rules{Models: []string{"distilled"}, Reserved: map[string][]string{"quality": {"studio"}, "ltx-2.5": {"studio", "gold"}}}
	}
	return bot.New(bot.Config{
		Generator: fakeRecords{g}, Records: fakeRecords{g}, Rules: reserved,
		Usage: func(context.Context, quota.Asker) ([]quota.Gauge, error) { return nil, nil },
	}), g
}

func TestAModelOfATierIsForItsMembers(t *testing.T) {
	typed := []ltx.Setting{{Key: "prompt", Value: "a fox"}, {Key: "model", Value: "quality"}}
	for name, tt := range map[string]struct {
		change  func(*bot.Caller)
		refused bool
	}{
		"everybody":           {func(*bot.Caller) {}, true},
		"another tier":        {func(c *bot.Caller) { c.Tiers = []string{"gold"} }, true},
		"its tier":            {func(c *bot.Caller) { c.Tiers = []string{"gold", "studio"} }, false},
		"nobody knows it yet": {func(c *bot.Caller) { c.Unidentified = true }, false},
	} {
		t.Run(name, func(t *testing.T) {
			d, _ := newReserved(t)
			who := caller(ann)
			tt.change(&who)
			r := &responder{}
			_, ok := d.Submit(t.Context(), bot.Ask{Event: "e1", Caller: who, Settings: typed}, r)
			if ok == tt.refused {
				t.Fatalf("it is accepted: %v, with the answer %v", ok, r.refusal)
			}
			if tt.refused && (!strings.Contains(r.refusal.String(), "studio") || !strings.Contains(r.refusal.String(), "distilled")) {
				t.Errorf("the answer is %q", r.refusal.String())
			}
			var values []string
			for _, c := range d.Suggest(who, "model", "") {
				values = append(values, c.Value)
			}
			if slices.Contains(values, "quality") == tt.refused || !slices.Contains(values, "distilled") || slices.Contains(values, "pro") {
				t.Errorf("suggested: %v", values)
			}
		})
	}
}

func TestHelpSaysWhichTierHasAModel(t *testing.T) {
	d, _ := newReserved(t)
	said := d.Help(caller(ann), "models").String()
	for _, want := range []string{"for the studio tier", "for the studio or gold tier"} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q:\n%s", want, said)
		}
	}
	if strings.Contains(said, "pro") && strings.Contains(said, "model:pro") {
		t.Errorf("it names a model that nobody may choose:\n%s", said)
	}
}

// TestAVideoOfATierIsRepeatedByItsMembers: a press is of who presses.
func TestAVideoOfATierIsRepeatedByItsMembers(t *testing.T) {
	d, g := newReserved(t)
	who := caller(ann)
	who.Tiers = []string{"studio"}
	r, err := ltx.Rules{}.Parse([]ltx.Setting{{Key: "prompt", Value: "a fox"}, {Key: "model", Value: "quality"}})
	if err != nil {
		t.Fatal(err)
	}
	j := g.jobs[jobA]
	j.Request = r
	g.jobs[jobA] = j
	for _, tt := range []struct {
		tiers []string
		ok    bool
	}{{nil, false}, {[]string{"studio"}, true}} {
		who.Tiers = tt.tiers
		p := d.Press(t.Context(), who, view.ActAgain, jobA)
		if p.Ask == nil {
			t.Fatalf("pressed in %v: %+v", tt.tiers, p)
		}
		ask := *p.Ask
		ask.Event = "again" + strings.Join(tt.tiers, "")
		answer := &responder{}
		if _, ok := d.Submit(t.Context(), ask, answer); ok != tt.ok {
			t.Errorf("in %v: accepted %v, with the answer %v", tt.tiers, ok, answer.refusal)
		}
	}
}

// TestWhatNobodyMayMakeHereIsNotShown, in the help, in what is suggested, among the
// choices of a command, nor in the form.
func TestWhatNobodyMayMakeHereIsNotShown(t *testing.T) {
	g := &fakeGenerator{}
	d := bot.New(bot.Config{
		Generator: g, Records: fakeRecords{g}, Rules: func(string) ltx.Rules { return ltx.Rules{MaxSide: 1920} },
		Usage: func(context.Context, quota.Asker) ([]quota.Gauge, error) { return nil, nil },
	})
	size, _ := ltx.Lookup("size")
	places := map[string][]string{"help": {d.Help(caller(ann), "size").String()}}
	for _, c := range d.Suggest(caller(ann), "size", "") {
		places["suggested"] = append(places["suggested"], c.Value)
	}
	for _, c := range d.Choices(size) {
		places["choices"] = append(places["choices"], c.Value)
	}
	for _, f := range d.Form(t.Context(), caller(ann), generate.Job{}).Fields {
		if f.Key == "size" {
			for _, c := range f.Choices {
				places["form"] = append(places["form"], c.Value)
			}
		}
	}
	if len(places) != 4 {
		t.Errorf("looked at %v", places)
	}
	for place, words := range places {
		said := strings.Join(words, " ")
		if !strings.Contains(said, "1080p") || strings.Contains(said, "1440p") || strings.Contains(said, "2160p") {
			t.Errorf("%s: %s", place, said)
		}
	}
	if said := places["help"][0]; !strings.Contains(said, "1920 pixels") {
		t.Errorf("the help names no limit: %s", said)
	}
}
