package slack_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"ltxbot/bot/adapter"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	sim "ltxbot/sim/slack"
)

// choose chooses from a menu on which other fields depend, and returns the form
// that follows.
func (s *stage) choose(form sim.View, field string, values ...string) sim.View {
	s.t.Helper()
	s.click(s.ann, form, field, values...)
	next := s.viewThat(s.ann, func(v sim.View) bool { return v.ID == form.ID && v.Hash != form.Hash })
	return next
}

// pick chooses from a menu that the bot is not told of.
func (s *stage) pick(form sim.View, field, value string) {
	s.t.Helper()
	if _, err := s.ann.Click(s.ctx, form, field, value); !isCode(err, "not_dispatched") {
		s.t.Fatalf("pick %s: %v", field, err)
	}
}

func isCode(err error, code string) bool {
	e, ok := errors.AsType[*sim.ActionError](err)
	return ok && e.Code == code
}

// has reports whether a form has a field.
func has(form sim.View, field string) bool {
	return slices.ContainsFunc(form.Blocks.Inputs(), func(in sim.Input) bool { return in.BlockID == field })
}

func TestTheFormFollowsTheModel(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	form := s.form()
	menu := form.Blocks.Inputs()[slices.IndexFunc(form.Blocks.Inputs(), func(in sim.Input) bool { return in.BlockID == "model" })]
	if len(menu.Options) != 7 || !strings.Contains(menu.Options[3].Label, "pro (by Lightricks) · ≈ $0.48") || !strings.Contains(menu.Hint, "ltx-2.3") {
		t.Errorf("the menu of models is %+v", menu)
	}
	s.pick(form, "camera", "dolly_in")
	form = s.choose(form, "model", "pro")
	if has(form, "lora") || has(form, "seed") || !has(form, "camera") || !has(form, "duration") {
		t.Errorf("for pro the form asks %s", form.Blocks.Text())
	}
	if says := form.Blocks.Text(); !strings.Contains(says, "About $0.13 as it is set here. It is made by Lightricks") || !strings.Contains(says, "pro does not have this option") {
		t.Errorf("the form says %s", says)
	}
	s.refuses(s.ann, form, map[string][]string{"prompt": {"a fox"}}, "camera", "pro")
	form = s.choose(form, "model", "distilled")
	if !has(form, "lora") || !has(form, "seed") {
		t.Errorf("for distilled the form asks %s", form.Blocks.Text())
	}
	s.submit(s.ann, map[string][]string{"duration": {"4"}})
	j := s.job()
	if r := j.Request; r.Model() != "distilled" || r.Camera() != "dolly_in" || r.Prompt() != "a fox" || j.Place.Channel != s.general.ID() {
		t.Errorf("the job is of %s", j.Request.CommandLine())
	}
}

func TestTheFormAsksWhatIsDoneWithAClip(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	form := s.form()
	s.refuses(s.ann, form, map[string][]string{"prompt": {"a fox"}, "edit": {"retake"}}, "edit", "clip")
	form = s.choose(form, "edit", "retake")
	if !has(form, "start_time") || has(form, "size") {
		t.Errorf("for a retake the form asks %s", form.Blocks.Text())
	}
	form = s.choose(form, "model", "distilled")
	if says := form.Blocks.Text(); !strings.Contains(says, "distilled does not take edit:retake") {
		t.Errorf("the form does not say that the model can't: %s", says)
	}
	s.choose(form, "model", "pro")
	s.submit(s.ann, map[string][]string{"start_time": {"1"}, "duration": {"2"}, "files": s.upload("fox.mp4")})
	j := s.job()
	s.wants(j, map[string]string{"video_url": "fox.mp4"})
	if j.Request.Edit() != "retake" || j.Request.Value("start_time") != 1.0 {
		t.Errorf("the job is of %s", j.Request.CommandLine())
	}
}

func TestTheEditFormFollowsTheModelAndKeepsTheJob(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.shown(cowboy+" negative:rain", generate.Running)
	s.mustDeliver(j.ID)
	form := s.pressed(results(s.general, j.ID)[0], view.ActEdit, j.ID)
	form = s.choose(form, "model", "pro")
	if has(form, "seed") || !has(form, "camera") || !has(form, "negative") {
		t.Errorf("for pro the form asks %s", form.Blocks.Text())
	}
	s.refuses(s.ann, form, nil, "negative", "pro")
	s.submit(s.ann, map[string][]string{"negative": {""}, "camera": {"none"}})
	if next := s.job(); next.Request.Model() != "pro" || next.Parent != j.ID || next.Request.Prompt() != j.Request.Prompt() {
		t.Errorf("the job is of %s", next.Request.CommandLine())
	}
}

func TestAStepFollowsItsModel(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	first, result := s.delivered()
	form := s.chosen(result, view.ActExtend, first.ID)
	menu := form.Blocks.Inputs()
	if models := menu[len(menu)-1]; models.BlockID != "model" || len(models.Options) != 2 || models.Options[1].Value != "pro" {
		t.Fatalf("the models that extend are %+v", models)
	}
	if form = s.choose(form, "model", "pro"); !strings.Contains(form.Blocks.Text(), "Lightricks, a partner of fal") {
		t.Errorf("the form says %s", form.Blocks.Text())
	}
	s.submit(s.ann, map[string][]string{"prompt": {"he stops"}})
	if j := s.job(); j.Request.Model() != "pro" || j.Request.Edit() != "extend" {
		t.Errorf("the job is of %s", j.Request.CommandLine())
	}
	if form = s.chosen(result, view.ActRetake, first.ID); has(form, "model") {
		t.Error("there is one model that retakes, and a menu of it")
	}
}

func TestFilesOfAVideoCanBeLeftOut(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.share(s.general, "BOT a fox goes home", "", file("fox.png"), file("den.png"))
	j := s.job()
	s.mustShow(j.ID, generate.Running)
	s.mustDeliver(j.ID)
	result := results(s.general, j.ID)[0]
	form := s.chosen(result, view.ActInputs, j.ID)
	boxes := form.Blocks.Inputs()[1]
	if boxes.Type != "checkboxes" || boxes.Options[1].Label != "Last picture: den.png" {
		t.Errorf("what can be left out is %+v", boxes)
	}
	s.submit(s.ann, map[string][]string{"remove": {"end_image"}})
	s.wants(s.job(), map[string]string{"image_url": "fox.png"})
	s.sim.Advance(adapter.DoubleClick)
	s.chosen(result, view.ActInputs, j.ID)
	s.submit(s.ann, map[string][]string{"remove": {"image", "end_image"}, "image": s.upload("cat.png")})
	s.wants(s.job(), map[string]string{"image_url": "cat.png"})
	s.sim.Advance(adapter.DoubleClick)
	form = s.chosen(result, view.ActInputs, j.ID)
	s.refuses(s.ann, form, map[string][]string{"remove": {"image"}}, "end_image", "end_image needs image")
	form = s.pressed(result, view.ActEdit, j.ID)
	s.choose(form, "remove", "image", "end_image")
	s.submit(s.ann, nil)
	if next := s.job(); next.Parent != j.ID {
		t.Errorf("the job is of %s", next.Request.CommandLine())
	} else {
		s.wants(next, nil)
	}
}

// Whoever was told that a picture can't be used gives another one.
func TestAFailedJobOfFilesTakesOthers(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.share(s.general, "BOT a fox goes home", "", file("fox.png"))
	j := s.job()
	s.engine.Put(j.ID, func(j *generate.Job) { j.Failure.Kind = generate.FailInputBroken })
	s.mustShow(j.ID, generate.Failed)
	card := fromBot(s.general)[0]
	s.pressed(card, view.ActInputs, j.ID)
	s.submit(s.ann, map[string][]string{"image": s.upload("cat.png")})
	s.wants(s.job(), map[string]string{"image_url": "cat.png"})
}
