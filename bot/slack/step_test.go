package slack_test

import (
	"strings"
	"testing"

	"ltxbot/bot/view"
	"ltxbot/core/generate"
	sim "ltxbot/sim/slack"
)

// chosen picks an entry of the menu under a video, and returns its form.
func (s *stage) chosen(result sim.Message, action view.Action, job string) sim.View {
	s.t.Helper()
	if _, err := s.ann.Click(s.ctx, result, view.MenuID(job), view.ButtonID(action, job)); err != nil {
		s.t.Fatal(err)
	}
	form, err := s.ann.WaitView(s.ctx, func(sim.View) bool { return true })
	if err != nil {
		s.t.Fatalf("no form; log:\n%s", s.log.String())
	}
	return form
}

func TestTheMenuGoesOnFromAVideo(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	first, result := s.delivered()
	s.chosen(result, view.ActExtend, first.ID)
	s.submit(s.ann, map[string][]string{"prompt": {"he stops"}})
	j := s.job()
	if m := input(t, j, "video_url"); m.Ref != "job:"+first.ID || j.Request.Prompt() != "he stops" || j.Request.Edit() != "extend" || j.Parent != first.ID {
		t.Errorf("extended: the clip is %s, and the job is of %s", m.Ref, j.Request.CommandLine())
	}
	s.chosen(result, view.ActRetake, first.ID)
	s.submit(s.ann, map[string][]string{"start_time": {"1"}, "duration": {"2"}})
	if j = s.job(); j.Request.Edit() != "retake" || j.Request.Prompt() != first.Request.Prompt() {
		t.Errorf("retake: the job is of %s", j.Request.CommandLine())
	}
	s.chosen(result, view.ActReframe, first.ID)
	s.submit(s.ann, map[string][]string{"size": {"9:16"}})
	if j = s.job(); j.Request.Edit() != "reframe" {
		t.Errorf("reframe: the job is of %s", j.Request.CommandLine())
	}
	s.chosen(result, view.ActInputs, first.ID)
	s.submit(s.ann, map[string][]string{"image": s.upload("fox.png")})
	j = s.job()
	s.wants(j, map[string]string{"image_url": "fox.png"})
	if !strings.Contains(j.Request.CommandLine(), "camera:dolly_in") {
		t.Errorf("other files: the job is of %s", j.Request.CommandLine())
	}
	s.mustShow(j.ID, generate.Accepted)
}
