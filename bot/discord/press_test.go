package discord_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"ltxbot/bot/adapter/adaptertest"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	sim "ltxbot/sim/discord"
)

// click lets somebody press a button of a job.
func (s *stage) click(u *sim.User, on sim.Message, a view.Action, job string) *sim.Interaction {
	s.t.Helper()
	return s.press(u, on, view.ButtonID(a, job))
}

// delivered is a job with a video in the channel.
func (s *stage) delivered(line string) (generate.Job, sim.Message) {
	s.t.Helper()
	j := s.running(line)
	s.mustDeliver(j.ID, 1<<20)
	s.mustShow(j.ID, generate.Delivered)
	found := videos(s.general, j.ID)
	if len(found) != 1 {
		s.t.Fatalf("%d videos, want 1", len(found))
	}
	return j, found[0]
}

func TestCancelButtonStopsTheJobOfItsOwnerOnly(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	bob := s.sim.NewUser("bob")
	s.guild.Join(bob)
	j := s.running("/ltx prompt:a cowboy")
	card := s.card(j)
	if m := s.response(s.click(bob, card, view.ActCancel, j.ID)); m.EphemeralTo != bob.ID || !strings.Contains(m.Text(), "admin can do that") {
		t.Errorf("bob reads %q", m.Text())
	}
	if m := s.response(s.click(s.ada, card, view.ActCancel, j.ID)); m.EphemeralTo != s.ada.ID || !strings.Contains(m.Text(), "being cancelled") {
		t.Errorf("ada reads %q", m.Text())
	}
	if want := []string{j.ID + " discord:" + s.ada.ID}; !slices.Equal(s.engine.Cancelled, want) {
		t.Errorf("cancelled %v, want %v", s.engine.Cancelled, want)
	}
}

func TestAdminsMayPressTheButtonsOfOthers(t *testing.T) {
	t.Parallel()
	s := prepareStage(t, unlimited)
	boss := s.sim.NewUser("boss")
	s.guild.Join(boss, s.guild.NewRole("boss", sim.ManageGuild))
	helper := s.sim.NewUser("helper")
	role := s.guild.NewRole("helper", 0)
	s.guild.Join(helper, role)
	s.cfg.AdminRoles = []string{role.ID}
	s.bot = s.newBot()
	s.start()
	j := s.running("/ltx prompt:a cowboy")
	for _, u := range []*sim.User{boss, helper} {
		if m := s.response(s.click(u, s.card(j), view.ActCancel, j.ID)); !strings.Contains(m.Text(), "being cancelled") {
			t.Errorf("%s reads %q", u.Name, m.Text())
		}
	}
}

func TestAgainMakesAnotherVideoForWhoeverPresses(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	bob := s.sim.NewUser("bob")
	s.guild.Join(bob)
	first, video := s.delivered("/ltx prompt:a cowboy seed:42")
	for action, seed := range map[view.Action]int64{view.ActAgain: 7, view.ActSame: 42} {
		j := s.job(s.click(bob, video, action, first.ID))
		if j.Member != "discord:"+bob.ID || j.Parent != first.ID || j.Request.Seed() != seed || j.Request.Prompt() != "a cowboy" {
			t.Errorf("%s makes %+v", action, j)
		}
		s.mustShow(j.ID, generate.Running)
		if card := s.card(j); card.Loading || card.ID == video.ID {
			t.Errorf("%s: card is %+v", action, card)
		}
	}
}

func TestDoubleClickIsOnePress(t *testing.T) {
	t.Parallel()
	opts, now := unlimited, time.Now() // it stands still: on a busy machine clicks are far apart
	opts.Now = func() time.Time { return now }
	s := newStageWith(t, opts)
	bob := s.sim.NewUser("bob")
	s.guild.Join(bob)
	first, video := s.delivered("/ltx prompt:a cowboy seed:42")
	for _, action := range []view.Action{view.ActAgain, view.ActSame} {
		made := s.job(s.click(s.ada, video, action, first.ID))
		second := s.click(s.ada, video, action, first.ID)
		s.acked(second)
		if got := second.CallbackType(); got != 6 || len(s.engine.Accepted) != 0 {
			t.Errorf("%s: the second click is answered with %d, and %d jobs more", action, got, len(s.engine.Accepted))
		}
		if j := s.job(s.click(bob, video, action, first.ID)); j.ID == made.ID {
			t.Errorf("%s: somebody else's click is no click", action)
		}
		s.sim.Advance(3 * time.Second)
		if j := s.job(s.click(s.ada, video, action, first.ID)); j.ID == made.ID {
			t.Errorf("%s: a later click is no click", action)
		}
	}
}

func TestDoubleClickThatGoesToTwoProcessesIsOneJob(t *testing.T) {
	t.Parallel()
	opts, now := unlimited, time.UnixMilli(1_800_000_000_000) // a moment begins
	opts.Now = func() time.Time { return now }
	s := newStageWith(t, opts)
	first, video := s.delivered("/ltx prompt:a cowboy")
	made := s.job(s.click(s.ada, video, view.ActAgain, first.ID))
	s.restart() // the other process knows nothing of the first click
	second := s.click(s.ada, video, view.ActAgain, first.ID)
	s.acked(second)
	if got := second.CallbackType(); got != 6 || len(s.engine.Accepted) != 0 || len(s.engine.Known) != 2 {
		t.Errorf("the second click is answered with %d; jobs are %v", got, s.engine.Known)
	}
	s.mustShow(made.ID, generate.Running)
	if card := s.card(made); card.Loading {
		t.Errorf("card is %+v", card)
	}
}

func TestButtonsWorkAfterARestartAndOnOldMessages(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j, video := s.delivered("/ltx prompt:a cowboy")
	s.sim.Advance(100 * 24 * 3600e9)
	s.restart()
	if m := s.response(s.click(s.ada, video, view.ActDetails, j.ID)); m.EphemeralTo != s.ada.ID || !strings.Contains(m.Text(), j.ID) {
		t.Errorf("details are %q", m.Text())
	}
}

func TestDeleteRemovesTheVideo(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	bob := s.sim.NewUser("bob")
	s.guild.Join(bob)
	j, video := s.delivered("/ltx prompt:a cowboy")
	if m := s.response(s.click(bob, video, view.ActDelete, j.ID)); m.EphemeralTo != bob.ID {
		t.Errorf("bob reads %+v", m)
	}
	s.engine.Put(j.ID, func(j *generate.Job) { j.State = generate.Delivered })
	i := s.click(s.ada, video, view.ActDelete, j.ID)
	if _, err := s.sim.WaitRequest(s.ctx, func(r sim.Request) bool { return r.Route == sim.RouteDeleteResponse && r.Status == 204 }); err != nil {
		t.Fatal(err)
	}
	if got := len(videos(s.general, j.ID)); got != 0 || i.CallbackType() != 6 {
		t.Errorf("%d videos are left, callback %d", got, i.CallbackType())
	}
	if _, err := s.general.WaitMessage(s.ctx, func(m sim.Message) bool { return strings.Contains(m.Text(), "Deleted") }); err != nil {
		t.Errorf("the card does not say that the video is gone: %v", err)
	}
}

func TestDeleteSaysWhenItCannot(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j, video := s.delivered("/ltx prompt:a cowboy")
	s.sim.Inject(sim.Fault{Route: sim.RouteDeleteResponse, Status: 403, Times: -1})
	s.click(s.ada, video, view.ActDelete, j.ID)
	s.reads("could not delete")
}

func TestEditOpensTheFormAndKeepsWhatItDoesNotShow(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	first, video := s.delivered("/ltx prompt:a cowboy camera:dolly_in duration:6.5 steps:20 seed:42")
	i := s.click(s.ada, video, view.ActEdit, first.ID)
	form := s.form(i)
	values := map[string]string{}
	for _, f := range form.Fields {
		values[f.CustomID] = f.Value
	}
	if values["prompt"] != "a cowboy" || len(form.Fields) != 5 {
		t.Errorf("form is %+v", form)
	}
	j := s.job(s.submit(s.ada, i, map[string]any{"prompt": "two cowboys", "camera": "jib_up"}))
	r := j.Request
	if r.Prompt() != "two cowboys" || r.Camera() != "jib_up" || r.Steps() != 20 || j.Parent != first.ID || r.Frames() != first.Request.Frames() {
		t.Errorf("job is of %s", r.CommandLine())
	}
}

func TestFormThatIsWrongCanBeEditedAgain(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	first, video := s.delivered("/ltx prompt:a cowboy")
	i := s.click(s.ada, video, view.ActEdit, first.ID)
	s.form(i)
	m := s.response(s.submit(s.ada, i, map[string]any{"prompt": "two cowboys", "duration": "very long"}))
	if m.EphemeralTo != s.ada.ID || !strings.Contains(m.Text(), "duration") {
		t.Errorf("answer is %q", m.Text())
	}
	button, ok := m.Button("Edit again")
	if !ok {
		t.Fatalf("buttons are %+v", m.Buttons)
	}
	again := s.press(s.ada, m, button.CustomID)
	form := s.form(again)
	for _, f := range form.Fields {
		if want := map[string]string{"prompt": "two cowboys", "duration": "very long"}[f.CustomID]; want != "" && f.Value != want {
			t.Errorf("%s is %q, want %q", f.CustomID, f.Value, want)
		}
	}
	if j := s.job(s.submit(s.ada, again, map[string]any{"duration": "5"})); j.Request.Prompt() != "two cowboys" || j.Parent != first.ID {
		t.Errorf("job is %+v", j)
	}
}

func TestRemixTakesTheTextOfAMessage(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	said := s.ada.Say(s.general, "a lighthouse in a storm")
	i := s.apply(s.ada, "Remix with LTX", said)
	form := s.form(i)
	if form.Fields[0].Value != "a lighthouse in a storm" {
		t.Errorf("form is %+v", form)
	}
	if j := s.job(s.submit(s.ada, i, nil)); j.Request.Prompt() != "a lighthouse in a storm" || j.Parent != "" {
		t.Errorf("job is %+v", j)
	}
}

func TestRemixTakesTheJobOfOneOfOurMessages(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	bob := s.sim.NewUser("bob")
	s.guild.Join(bob)
	first, video := s.delivered("/ltx prompt:a cowboy steps:20")
	i := s.apply(bob, "Remix with LTX", video)
	s.form(i)
	if j := s.job(s.submit(bob, i, nil)); j.Parent != first.ID || j.Request.Steps() != 20 {
		t.Errorf("job is %+v", j)
	}
}

func TestSuggestionsAreAnsweredEvenWhenThereAreNone(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for typed, want := range map[string]string{"land": "landscape_16_9", "zzz": ""} {
		choices := s.suggested(s.ada, "ltx", "size", sim.Arg("prompt", "a cowboy"), sim.Arg("size", typed))
		found := slices.ContainsFunc(choices, func(c sim.Choice) bool { return c.Value == want })
		if found != (want != "") || len(choices) > 25 {
			t.Errorf("%q: %+v", typed, choices)
		}
	}
}

func TestJobsCanBeListedShownAndCancelledByTheirID(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.ask("/ltx prompt:a cowboy")
	for command, want := range map[string]string{
		"/ltx-jobs list":                  j.ID,
		"/ltx-jobs show job:" + j.ID:      "a cowboy",
		"/ltx-jobs show job:000000000000": "no job",
		"/ltx-jobs cancel job:" + j.ID:    "is cancelled",
		"/ltx-quota show":                 "No limits",
		"/ltx-loras list":                 "LoRA",
		"/ltx-help":                       "Make a video",
		"/ltx-help topic:examples":        "Examples",
	} {
		if m := s.response(s.types(command)); m.EphemeralTo != s.ada.ID || !strings.Contains(m.Text(), want) {
			t.Errorf("%s answers %q", command, m.Text())
		}
	}
}

func TestJobIDsAreCompleted(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.ask("/ltx prompt:a cowboy")
	s.logs("job accepted") // then the service knows it
	choices := s.suggested(s.ada, "ltx-jobs cancel", "job", sim.Arg("job", ""))
	if len(choices) != 1 || choices[0].Value != j.ID {
		t.Errorf("choices are %+v", choices)
	}
}

func TestAdminCommandAnswersAdmins(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	boss := s.sim.NewUser("boss")
	s.guild.Join(boss, s.guild.NewRole("boss", sim.ManageGuild))
	if m := s.response(s.slashBy(boss, s.general, "ltx-admin status")); !strings.Contains(m.Text(), "1.0") {
		t.Errorf("boss reads %q", m.Text())
	}
}

func TestDetailsShowThePictureThatWentIn(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.job(s.types("/ltx prompt:a fox", sim.Arg("image", file("wide.png")), sim.Arg("soundtrack", file("song.mp3"))))
	brought, err := adaptertest.Brought(ltx.Rules{}, j.Request)
	if err != nil {
		t.Fatal(err)
	}
	s.engine.Put(j.ID, func(j *generate.Job) { j.Request = brought })
	s.mustShow(j.ID, generate.Running)
	s.mustDeliver(j.ID, 100)
	m := s.response(s.click(s.ada, videos(s.general, j.ID)[0], view.ActDetails, j.ID))
	var pictures []string
	for _, c := range m.Components[0].Components {
		if c.Accessory != nil {
			for _, p := range c.Accessory.Media {
				pictures = append(pictures, p.URL+" "+p.Description)
			}
		}
	}
	if want := []string{"https://v3.fal.media/files/b/wide.png First picture: wide.png"}; !slices.Equal(pictures, want) {
		t.Errorf("it shows %q, want %q", pictures, want)
	}
	if !strings.Contains(m.Text(), "song.mp3") {
		t.Errorf("the sound is not named in\n%s", m.Text())
	}
}
