package bot_test

import (
	"strings"
	"testing"

	"ltxbot/bot"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
)

// clipOf asks for more of the video of a job.
func clipOf(member, job string) bot.Ask {
	return bot.Ask{Event: "discord:900", Caller: caller(member), Settings: []ltx.Setting{
		{Key: "prompt", Value: "it goes on"}, {Key: "clip", Value: "job:" + job},
	}}
}

func TestWhatIsMadeOfAPrivateVideoIsPrivate(t *testing.T) {
	d, _ := world(t)
	for job, want := range map[string]bool{jobA: false, jobB: true} {
		g, refusal := submit(t, d, clipOf(ann, job))
		if refusal != nil || g.Place.Private != want {
			t.Errorf("of %s: private: %t, want %t; %v", job, g.Place.Private, want, refusal)
		}
	}
}

func TestAVideoThatMayNotBeSeenGoesIntoNoOther(t *testing.T) {
	for name, c := range map[string]struct {
		who, job string
		change   func(*generate.Job)
		want     string
	}{
		"a private one of somebody else": {bob, jobB, func(*generate.Job) {}, "This video is private"},
		"one of another team":            {bob, jobA, func(j *generate.Job) { j.Team, j.Member = "globex", "discord:1" }, "There is no job"},
		"one that was deleted":           {ann, jobA, func(j *generate.Job) { j.Notes = map[string]string{generate.NoteDeleted: "yes"} }, "was deleted"},
		"one that is not there":          {ann, "aaaaaaaaaaa1", func(*generate.Job) {}, "There is no job"},
	} {
		t.Run(name, func(t *testing.T) {
			d, g := world(t)
			if j, ok := g.jobs[c.job]; ok {
				c.change(&j)
				g.jobs[c.job] = j
			}
			asked, refusal := submit(t, d, clipOf(c.who, c.job))
			if refusal == nil || !strings.Contains(refusal.Plain, c.want) {
				t.Errorf("got %v and %+v, want %q", refusal, asked, c.want)
			}
		})
	}
}

// A model that the operator no longer allows is not reached by a button.
func TestAgainGoesWhereTheRulesOfNowSay(t *testing.T) {
	rules := ltx.Rules{Endpoint: "fal-ai/ltx-2.3-quality/text-to-video"}
	g := &fakeGenerator{jobs: map[string]generate.Job{jobA: job(t, jobA, cowboy, generate.Delivered)}}
	d := bot.New(bot.Config{Generator: g, Rules: func(string) ltx.Rules { return rules }})
	t.Cleanup(d.Stop)
	r, err := rules.Parse([]ltx.Setting{{Key: "prompt", Value: "a fox"}})
	if err != nil {
		t.Fatal(err)
	}
	j := g.jobs[jobA]
	j.Request, j.Endpoint = r, r.Endpoint()
	g.jobs[jobA] = j
	rules = ltx.Rules{Models: []string{"distilled"}}
	for _, action := range []view.Action{view.ActAgain, view.ActSame} {
		p := d.Press(t.Context(), caller(ann), action, jobA)
		p.Ask.Event = "discord:" + string(action)
		asked, refusal := submit(t, d, *p.Ask)
		if refusal != nil || asked.Request.Endpoint() != ltx.DefaultEndpoint {
			t.Errorf("%s goes to %s; %v", action, asked.Request.Endpoint(), refusal)
		}
	}
}

// The provider keeps files for a while only; where one was given it may be for
// longer.
func TestARetryBringsAFileThatIsGoneOnceMore(t *testing.T) {
	for kind, want := range map[generate.FailureKind]int{generate.FailInputGone: 1, generate.FailProvider: 0} {
		d, g := world(t)
		j := job(t, jobA, cowboy+" image:https://example.com/cat.png", generate.Failed)
		r, err := j.Request.WithMedia(rules(""), map[string]ltx.Media{"image_url": {Ref: "https://example.com/cat.png", URL: "https://v3.fal.media/cat.png"}})
		if err != nil {
			t.Fatal(err)
		}
		j.Request, j.Failure.Kind = r, kind
		g.jobs[jobA] = j
		p := d.Press(t.Context(), caller(ann), view.ActRetry, jobA)
		if p.Ask == nil || len(p.Ask.Request.Pending()) != want {
			t.Errorf("after %s: %+v, want %d files to bring", kind, p, want)
		}
	}
}

func TestTheFormsOfAFinishedVideoSayThePrice(t *testing.T) {
	g := &fakeGenerator{jobs: map[string]generate.Job{}, cost: 600_000}
	d := newService(g)
	j := job(t, jobA, cowboy, generate.Delivered)
	j.Output = ltx.Output{URL: "https://v3.fal.media/a.mp4", Width: 1024, Height: 576, Seconds: 5, FPS: 24}
	g.jobs[jobA] = j
	for action, want := range map[view.Action]string{view.ActExtend: "$0.60", view.ActRetake: "Lightricks", view.ActReframe: "Lightricks"} {
		p := d.Press(t.Context(), caller(ann), action, jobA)
		if p.Form == nil || !strings.Contains(p.Form.Note, want) || !strings.Contains(p.Form.Note, "$0.60") {
			t.Errorf("%s: %+v, want a note with %q", action, p, want)
		}
	}
}
