package slack_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"ltxbot/bot/adapter/adaptertest"

	"ltxbot/bot/view"
	"ltxbot/core/generate"
	sim "ltxbot/sim/slack"
)

// opens is the form that something opens.
func (s *stage) opens(does func() error) sim.View {
	s.t.Helper()
	open := s.ann.Views()
	if err := does(); err != nil {
		s.t.Fatal(err)
	}
	form, err := s.ann.WaitView(s.ctx, func(v sim.View) bool {
		return !slices.ContainsFunc(open, func(old sim.View) bool { return old.ID == v.ID })
	})
	if err != nil {
		s.t.Fatalf("no form; log:\n%s", s.log.String())
	}
	return form
}

// chosen picks an entry of the menu under a video, and returns its form.
func (s *stage) chosen(result sim.Message, action view.Action, job string) sim.View {
	s.t.Helper()
	return s.opens(func() error {
		_, err := s.ann.Click(s.ctx, result, view.MenuID(job), view.ButtonID(action, job))
		return err
	})
}

// pressed presses a button that opens a form, and returns it.
func (s *stage) pressed(m sim.Message, action view.Action, job string) sim.View {
	s.t.Helper()
	return s.opens(func() error {
		_, err := s.ann.Click(s.ctx, m, view.ButtonID(action, job))
		return err
	})
}

func TestTheMenuGoesOnFromAVideo(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	first, result := s.delivered()
	s.chosen(result, view.ActExtend, first.ID)
	s.submit(s.ann, map[string][]string{"prompt": {"he stops"}})
	j := s.job()
	if m := adaptertest.Input(t, j, "video_url"); m.Ref != "job:"+first.ID || j.Request.Prompt() != "he stops" || j.Request.Edit() != "extend" || j.Parent != first.ID {
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

func TestWhatWasMadeOfAVideoCanBeEdited(t *testing.T) {
	t.Parallel()
	for action, values := range map[view.Action]map[string][]string{
		view.ActExtend: {"prompt": {"he stops"}}, view.ActRetake: {"start_time": {"1"}, "duration": {"2"}}, view.ActReframe: {"size": {"9:16"}},
	} {
		s := newStage(t)
		first, result := s.delivered()
		s.chosen(result, action, first.ID)
		s.submit(s.ann, values)
		made := s.job()
		s.mustShow(made.ID, generate.Running)
		s.mustDeliver(made.ID)
		edit := func(values map[string][]string) error {
			t.Helper()
			s.shortcut(s.ann, results(s.general, made.ID)[0])
			form := s.view(s.ann)
			_, err := s.ann.SubmitView(s.ctx, form, values)
			return err
		}
		if err := edit(nil); err != nil {
			t.Errorf("%s: %#v", action, err)
			continue
		}
		if j := s.job(); j.Request.Edit() != made.Request.Edit() || j.Parent != made.ID || adaptertest.Input(t, j, "video_url").Ref != "job:"+first.ID {
			t.Errorf("%s: the job is of %s", action, j.Request.CommandLine())
		}
		err := edit(map[string][]string{"advanced": {"edit=" + made.Request.Edit() + " steps=many"}})
		if wrong, ok := errors.AsType[*sim.ActionError](err); !ok || !strings.Contains(wrong.Fields["advanced"], "steps") {
			t.Errorf("%s: what is wrong is not under its field: %#v", action, err)
		}
	}
}
