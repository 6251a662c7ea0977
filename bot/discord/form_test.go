package discord_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ltxbot/bot/view"
	"ltxbot/core/generate"
	sim "ltxbot/sim/discord"
)

// opensForm presses a button that opens a form.
func (s *stage) opensForm(on sim.Message, a view.Action, job string) (*sim.Interaction, sim.Modal) {
	s.t.Helper()
	i := s.click(s.ada, on, a, job)
	return i, s.form(i)
}

// asks are the fields of a form, in order.
func asks(form sim.Modal) []string {
	var names []string
	for _, f := range form.Fields {
		names = append(names, f.CustomID)
	}
	return names
}

func TestEditChoosesTheModelAndWhatIsDoneWithAClip(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	first, video := s.delivered("/ltx prompt:a cowboy camera:dolly_in")
	form, modal := s.opensForm(video, view.ActEdit, first.ID)
	if diff := cmp.Diff([]string{"prompt", "model", "size", "duration", "camera"}, asks(modal)); diff != "" {
		t.Errorf("Edit asks (-want +got):\n%s", diff)
	}
	if o := modal.Fields[1].Options; len(o) != 7 || o[3].Name != "LTX-2.3 pro (by Lightricks) · ≈ $0.48" {
		t.Errorf("the models are %v", o)
	}
	if j := s.fill(form, map[string]any{"model": "distilled"}); j.Request.Model() != "distilled" || j.Request.Camera() != "dolly_in" {
		t.Errorf("the job is of %s", j.Request.CommandLine())
	}
	form, _ = s.choose(video, view.ActExtend, first.ID)
	longer := s.fill(form, map[string]any{"prompt": "he stops", "model": "pro"})
	if longer.Request.Model() != "pro" {
		t.Errorf("extended: the job is of %s", longer.Request.CommandLine())
	}
	s.mustShow(longer.ID, generate.Running)
	s.mustDeliver(longer.ID, 1<<20)
	form, modal = s.opensForm(videos(s.general, longer.ID)[0], view.ActEdit, longer.ID)
	if diff := cmp.Diff([]string{"prompt", "model", "edit", "duration"}, asks(modal)); diff != "" {
		t.Errorf("Edit of a video of a clip asks (-want +got):\n%s", diff)
	}
	if j := s.fill(form, map[string]any{"edit": "retake"}); j.Request.Edit() != "retake" || j.Request.Model() != "pro" {
		t.Errorf("the job is of %s", j.Request.CommandLine())
	}
}

// What the chosen model does not have is refused by name, and the form can be
// opened again as it was filled in.
func TestAModelThatDoesNotHaveWhatIsSetIsRefused(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	first, video := s.delivered("/ltx prompt:a cowboy camera:dolly_in")
	form, _ := s.opensForm(video, view.ActEdit, first.ID)
	refused := s.response(s.submit(s.ada, form, map[string]any{"model": "pro", "duration": "6"}))
	if says := refused.Text(); !strings.Contains(says, "camera") || !strings.Contains(says, "pro") || s.engine.Count() != 1 {
		t.Fatalf("the answer is %s", says)
	}
	again := s.press(s.ada, refused, refused.Buttons[0].CustomID)
	modal, err := again.WaitModal(s.ctx)
	if err != nil || !slices.Equal(modal.Fields[1].Selected, []string{"pro"}) {
		t.Fatalf("the form is %+v, %v", modal, err)
	}
	if j := s.fill(again, map[string]any{"camera": "none"}); j.Request.Model() != "pro" || j.Request.Seconds() != 6 {
		t.Errorf("the job is of %s", j.Request.CommandLine())
	}
}

func TestFilesOfAVideoCanBeLeftOut(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	first := s.job(s.slash("ltx", sim.Arg("prompt", "a fox"), sim.Arg("image", file("fox.png")), sim.Arg("end_image", file("den.png"))))
	s.mustShow(first.ID, generate.Running)
	s.mustDeliver(first.ID, 1<<20)
	video := videos(s.general, first.ID)[0]
	names := func(j generate.Job) (image, end string) {
		m, _ := j.Request.Media("image_url")
		e, _ := j.Request.Media("end_image_url")
		return m.Name, e.Name
	}
	form, modal := s.choose(video, view.ActInputs, first.ID)
	if diff := cmp.Diff([]string{"prompt", "remove", "image", "end_image", "soundtrack"}, asks(modal)); diff != "" {
		t.Errorf("Change the files asks (-want +got):\n%s", diff)
	}
	if o := modal.Fields[1].Options; len(o) != 2 || o[1].Name != "Last picture: den.png" {
		t.Errorf("what can be left out is %v", o)
	}
	if !strings.Contains(modal.Fields[2].Description, "Now: fox.png") {
		t.Errorf("the field for the first picture says %q", modal.Fields[2].Description)
	}
	if image, end := names(s.fill(form, map[string]any{"remove": []string{"end_image"}})); image != "fox.png" || end != "" {
		t.Errorf("without the last picture, it is made of %q and %q", image, end)
	}
	form, _ = s.choose(video, view.ActInputs, first.ID)
	if image, end := names(s.fill(form, map[string]any{"remove": []string{"image", "end_image"}, "image": file("cat.png")})); image != "cat.png" || end != "" {
		t.Errorf("with another picture, it is made of %q and %q", image, end)
	}
	form, _ = s.choose(video, view.ActInputs, first.ID)
	refused := s.response(s.submit(s.ada, form, map[string]any{"remove": []string{"image"}}))
	if !strings.Contains(refused.Text(), "`end_image` needs `image`") || strings.Contains(refused.Text(), "image:") {
		t.Errorf("the answer is %s", refused.Text())
	}
	again := s.press(s.ada, refused, refused.Buttons[0].CustomID)
	if modal, err := again.WaitModal(s.ctx); err != nil || !slices.Equal(modal.Fields[1].Selected, []string{"image"}) {
		t.Errorf("the form is %+v, %v", modal, err)
	}
}

// What is done with a clip goes with it, where the form does not ask.
func TestAClipIsLeftOutWithWhatIsDoneWithIt(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	first := s.job(s.slash("ltx", sim.Arg("prompt", "a fox"), sim.Arg("clip", file("fox.mp4")), sim.Arg("edit", "restyle")))
	s.mustShow(first.ID, generate.Running)
	s.mustDeliver(first.ID, 1<<20)
	form, _ := s.choose(videos(s.general, first.ID)[0], view.ActInputs, first.ID)
	if j := s.fill(form, map[string]any{"remove": []string{"clip"}}); j.Request.Edit() != "" || j.Request.Prompt() != "a fox" {
		t.Errorf("the job is of %s", j.Request.CommandLine())
	}
}

// Whoever was told that a picture can't be used gives another one.
func TestAFailedJobOfFilesTakesOthers(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	first := s.job(s.slash("ltx", sim.Arg("prompt", "a fox"), sim.Arg("image", file("fox.png"))))
	s.engine.Put(first.ID, func(j *generate.Job) { j.Failure.Kind = generate.FailInputBroken })
	s.mustShow(first.ID, generate.Failed)
	form, _ := s.opensForm(s.card(first), view.ActInputs, first.ID)
	j := s.fill(form, map[string]any{"image": file("cat.png")})
	if m, _ := j.Request.Media("image_url"); m.Name != "cat.png" || j.Parent != first.ID {
		t.Errorf("the image is %s", m.Shown())
	}
	plain := s.ask("/ltx prompt:a cowboy")
	s.engine.Put(plain.ID, func(j *generate.Job) { j.Failure.Kind = generate.FailRefused })
	s.mustShow(plain.ID, generate.Failed)
	for _, b := range s.card(plain).Buttons {
		if b.CustomID == view.ButtonID(view.ActInputs, plain.ID) {
			t.Error("a job without files offers others")
		}
	}
}

// A message has no place for settings but its words: the option is typed, and
// Discord has no conversation to look for a file in.
func TestThisIsRefusedOnDiscord(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	i := s.slash("ltx", sim.Arg("prompt", "a fox image=this"))
	if says := s.response(i).Text(); !strings.Contains(says, "image:this") || s.engine.Count() != 0 {
		t.Errorf("the answer is %s", says)
	}
}
