package discord_test

import (
	"testing"

	"ltxbot/bot/adapter/adaptertest"

	"ltxbot/bot/view"
	"ltxbot/core/generate"
	sim "ltxbot/sim/discord"
)

// choose picks an entry of the menu under a video, and returns its form.
func (s *stage) choose(video sim.Message, action view.Action, job string) (*sim.Interaction, sim.Modal) {
	s.t.Helper()
	i := s.pick(s.ada, video, view.MenuID(job), view.ButtonID(action, job))
	return i, s.form(i)
}

// fill sends a form and returns the job.
func (s *stage) fill(form *sim.Interaction, values map[string]any) generate.Job {
	s.t.Helper()
	return s.job(s.submit(s.ada, form, values))
}

func TestTheMenuGoesOnFromAVideo(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	first, video := s.delivered("/ltx prompt:a cowboy camera:dolly_in")
	form, _ := s.choose(video, view.ActExtend, first.ID)
	j := s.fill(form, map[string]any{"prompt": "he stops"})
	if m := adaptertest.Input(t, j, "video_url"); m.Ref != "job:"+first.ID || j.Request.Prompt() != "he stops" || j.Request.Edit() != "extend" || j.Parent != first.ID {
		t.Errorf("extended: the clip is %s, and the job is of %s", m.Ref, j.Request.CommandLine())
	}
	if j.Request.Camera() != "none" {
		t.Errorf("extended: the camera moves as in the first video: %s", j.Request.CommandLine())
	}
	form, _ = s.choose(video, view.ActRetake, first.ID)
	if j = s.fill(form, map[string]any{"start_time": "1", "duration": "2"}); j.Request.Edit() != "retake" || j.Request.Prompt() != "a cowboy" {
		t.Errorf("retake: the job is of %s", j.Request.CommandLine())
	}
	form, modal := s.choose(video, view.ActReframe, first.ID)
	size, _ := modal.Fields[0].Options[0].Value.(string)
	if j = s.fill(form, map[string]any{"size": size}); j.Request.Edit() != "reframe" {
		t.Errorf("reframe: the job is of %s", j.Request.CommandLine())
	}
	form, _ = s.choose(video, view.ActInputs, first.ID)
	j = s.fill(form, map[string]any{"image": file("fox.png")})
	if m := adaptertest.Input(t, j, "image_url"); m.Name != "fox.png" || j.Request.Camera() != "dolly_in" || j.Request.Prompt() != "a cowboy" {
		t.Errorf("other files: the image is %s, and the job is of %s", m.Name, j.Request.CommandLine())
	}
}

func TestAStepThatIsWrongCanBeEditedAgain(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	first, video := s.delivered("/ltx prompt:a cowboy")
	form, _ := s.choose(video, view.ActExtend, first.ID)
	refused := s.response(s.submit(s.ada, form, map[string]any{"prompt": "he stops", "duration": "an hour"}))
	again := s.press(s.ada, refused, refused.Buttons[0].CustomID)
	s.form(again)
	if j := s.fill(again, map[string]any{"duration": "3"}); adaptertest.Input(t, j, "video_url").Ref != "job:"+first.ID || j.Request.Prompt() != "he stops" {
		t.Errorf("the job is of %s", j.Request.CommandLine())
	}
}

func TestExtendTakesAVideoOfOursOrOfAMessage(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	first, video := s.delivered("/ltx prompt:a cowboy")
	clip := s.share("", file("notes.txt"), file("fox.mp4"))
	extend := func(m sim.Message) *sim.Interaction {
		t.Helper()
		i := s.apply(s.ada, "Extend this video", m)
		return i
	}
	for m, want := range map[string]struct {
		on  sim.Message
		ref func(string) bool
	}{
		"ours":      {video, func(ref string) bool { return ref == "job:"+first.ID }},
		"anybody's": {clip, func(ref string) bool { return ref != "" && ref[:8] == "discord:" }},
	} {
		form := extend(want.on)
		s.form(form)
		if j := s.fill(form, map[string]any{"prompt": "it goes on"}); !want.ref(adaptertest.Input(t, j, "video_url").Ref) {
			t.Errorf("%s: the job is of %s", m, j.Request.CommandLine())
		}
	}
	if got := s.response(extend(s.ada.Say(s.general, "no video here"))); got.EphemeralTo != s.ada.ID {
		t.Errorf("the answer is %q", got.Text())
	}
}

// Without ffmpeg nobody takes the last picture, and it is not offered.
func TestTheLastPictureIsOfferedWhereItCanBeTaken(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	first, video := s.delivered("/ltx prompt:a cowboy")
	if _, err := s.ada.Select(s.ctx, video, view.MenuID(first.ID), view.ButtonID(view.ActContinue, first.ID)); err == nil {
		t.Error("the last picture is offered")
	}
}
