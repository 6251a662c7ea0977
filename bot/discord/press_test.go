package discord_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"ltxbot/bot/adapter/adaptertest"
	"ltxbot/bot/text"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	sim "ltxbot/sim/discord"
)

// click lets somebody press a button of a job.
func (s *stage) click(u *sim.User, on sim.Message, a view.Action, job string) *sim.Interaction {
	s.t.Helper()
	i, err := u.Click(s.ctx, on, view.ButtonID(a, job))
	if err != nil {
		s.t.Fatal(err)
	}
	return i
}

// confirm presses a button that deletes something, and says yes to the question.
func (s *stage) confirm(u *sim.User, on sim.Message, a view.Action, job string) *sim.Interaction {
	s.t.Helper()
	i := s.click(u, on, a, job)
	question, err := i.WaitModal(s.ctx)
	if err != nil {
		s.t.Fatalf("nothing is asked: %v\nlog:\n%s", err, s.log.String())
	}
	j, err := s.engine.Job(s.ctx, job)
	if err != nil {
		s.t.Fatal(err)
	}
	if want := view.Question(text.BuiltInCatalog().Printer("en", "/ltx"), a, j); question.Title != "Delete" || strings.TrimSpace(question.Text) != want {
		s.t.Errorf("%s asks %q: %q, want %q", a, question.Title, question.Text, want)
	}
	if i, err = u.SubmitModal(s.ctx, i, nil); err != nil {
		s.t.Fatal(err)
	}
	return i
}

// delivered is a job with a video in the channel.
func (s *stage) delivered(line string) (generate.Job, sim.Message) {
	s.t.Helper()
	j := s.ask(line)
	s.mustShow(j.ID, generate.Running)
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
	j := s.ask("/ltx prompt:a cowboy")
	s.mustShow(j.ID, generate.Running)
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
	j := s.ask("/ltx prompt:a cowboy")
	s.mustShow(j.ID, generate.Running)
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
	s := newStage(t)
	bob := s.sim.NewUser("bob")
	s.guild.Join(bob)
	first, video := s.delivered("/ltx prompt:a cowboy seed:42")
	for _, action := range []view.Action{view.ActAgain, view.ActSame} {
		made := s.job(s.click(s.ada, video, action, first.ID))
		second := s.click(s.ada, video, action, first.ID)
		if err := second.WaitAck(s.ctx); err != nil {
			t.Fatal(err)
		}
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
	if err := second.WaitAck(s.ctx); err != nil {
		t.Fatal(err)
	}
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
	i := s.confirm(s.ada, video, view.ActDelete, j.ID)
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

func TestDeleteAsksFirst(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j, video := s.delivered("/ltx prompt:a cowboy")
	s.engine.Put(j.ID, func(j *generate.Job) { j.State = generate.Delivered })
	asked := s.click(s.ada, video, view.ActDelete, j.ID)
	if _, err := asked.WaitModal(s.ctx); err != nil {
		t.Fatal(err)
	}
	if got, err := s.engine.Job(s.ctx, j.ID); err != nil || got.Notes[generate.NoteDeleted] != "" || len(videos(s.general, j.ID)) != 1 {
		t.Errorf("it is deleted before anybody has answered: %v", err)
	}
	s.restart()
	if _, err := s.ada.SubmitModal(s.ctx, asked, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.sim.WaitRequest(s.ctx, func(r sim.Request) bool { return r.Route == sim.RouteDeleteResponse && r.Status == 204 }); err != nil {
		t.Fatal(err)
	}
	if got := len(videos(s.general, j.ID)); got != 0 {
		t.Errorf("%d videos are left", got)
	}
}

func TestDeleteSaysWhenItCannot(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j, video := s.delivered("/ltx prompt:a cowboy")
	s.sim.Inject(sim.Fault{Route: sim.RouteDeleteResponse, Status: 403, Times: -1})
	s.confirm(s.ada, video, view.ActDelete, j.ID)
	if _, err := s.general.WaitMessage(s.ctx, func(m sim.Message) bool { return strings.Contains(m.Text(), "could not delete") }); err != nil {
		t.Fatal(err)
	}
}

func TestEditOpensTheFormAndKeepsWhatItDoesNotShow(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	first, video := s.delivered("/ltx prompt:a cowboy camera:dolly_in duration:6.5 steps:20 seed:42")
	i := s.click(s.ada, video, view.ActEdit, first.ID)
	form, err := i.WaitModal(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for _, f := range form.Fields {
		values[f.CustomID] = f.Value
	}
	if values["prompt"] != "a cowboy" || len(form.Fields) != 5 {
		t.Errorf("form is %+v", form)
	}
	sent, err := s.ada.SubmitModal(s.ctx, i, map[string]any{"prompt": "two cowboys", "camera": "jib_up"})
	if err != nil {
		t.Fatal(err)
	}
	j := s.job(sent)
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
	if _, err := i.WaitModal(s.ctx); err != nil {
		t.Fatal(err)
	}
	sent, err := s.ada.SubmitModal(s.ctx, i, map[string]any{"prompt": "two cowboys", "duration": "very long"})
	if err != nil {
		t.Fatal(err)
	}
	m := s.response(sent)
	if m.EphemeralTo != s.ada.ID || !strings.Contains(m.Text(), "duration") {
		t.Errorf("answer is %q", m.Text())
	}
	button, ok := m.Button("Edit again")
	if !ok {
		t.Fatalf("buttons are %+v", m.Buttons)
	}
	again, err := s.ada.Click(s.ctx, m, button.CustomID)
	if err != nil {
		t.Fatal(err)
	}
	form, err := again.WaitModal(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range form.Fields {
		if want := map[string]string{"prompt": "two cowboys", "duration": "very long"}[f.CustomID]; want != "" && f.Value != want {
			t.Errorf("%s is %q, want %q", f.CustomID, f.Value, want)
		}
	}
	last, err := s.ada.SubmitModal(s.ctx, again, map[string]any{"duration": "5"})
	if err != nil {
		t.Fatal(err)
	}
	if j := s.job(last); j.Request.Prompt() != "two cowboys" || j.Parent != first.ID {
		t.Errorf("job is %+v", j)
	}
}

func TestRemixTakesTheTextOfAMessage(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	said := s.ada.Say(s.general, "a lighthouse in a storm")
	i, err := s.ada.MessageCommand(s.ctx, said, "Remix with LTX")
	if err != nil {
		t.Fatal(err)
	}
	form, err := i.WaitModal(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if form.Fields[0].Value != "a lighthouse in a storm" {
		t.Errorf("form is %+v", form)
	}
	sent, err := s.ada.SubmitModal(s.ctx, i, nil)
	if err != nil {
		t.Fatal(err)
	}
	if j := s.job(sent); j.Request.Prompt() != "a lighthouse in a storm" || j.Parent != "" {
		t.Errorf("job is %+v", j)
	}
}

func TestRemixTakesTheJobOfOneOfOurMessages(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	bob := s.sim.NewUser("bob")
	s.guild.Join(bob)
	first, video := s.delivered("/ltx prompt:a cowboy steps:20")
	i, err := bob.MessageCommand(s.ctx, video, "Remix with LTX")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := i.WaitModal(s.ctx); err != nil {
		t.Fatal(err)
	}
	sent, err := bob.SubmitModal(s.ctx, i, nil)
	if err != nil {
		t.Fatal(err)
	}
	if j := s.job(sent); j.Parent != first.ID || j.Request.Steps() != 20 {
		t.Errorf("job is %+v", j)
	}
}

func TestSuggestionsAreAnsweredEvenWhenThereAreNone(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for typed, want := range map[string]string{"land": "landscape_16_9", "zzz": ""} {
		i, err := s.ada.Autocomplete(s.ctx, s.general, "ltx", "size", sim.Arg("prompt", "a cowboy"), sim.Arg("size", typed))
		if err != nil {
			t.Fatal(err)
		}
		if err := i.WaitAck(s.ctx); err != nil {
			t.Fatal(err)
		}
		found := slices.ContainsFunc(i.Choices(), func(c sim.Choice) bool { return c.Value == want })
		if found != (want != "") || len(i.Choices()) > 25 {
			t.Errorf("%q: %+v", typed, i.Choices())
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
		i, err := s.ada.Type(s.ctx, s.general, command)
		if err != nil {
			t.Fatalf("%s: %v", command, err)
		}
		if m := s.response(i); m.EphemeralTo != s.ada.ID || !strings.Contains(m.Text(), want) {
			t.Errorf("%s answers %q", command, m.Text())
		}
	}
}

func TestJobIDsAreCompleted(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.ask("/ltx prompt:a cowboy")
	for !s.log.Has("job accepted") { // then the service knows it
		select {
		case <-time.After(time.Millisecond):
		case <-s.ctx.Done():
			t.Fatal("the job was not accepted")
		}
	}
	i, err := s.ada.Autocomplete(s.ctx, s.general, "ltx-jobs cancel", "job", sim.Arg("job", ""))
	if err != nil {
		t.Fatal(err)
	}
	if err := i.WaitAck(s.ctx); err != nil {
		t.Fatal(err)
	}
	if c := i.Choices(); len(c) != 1 || c[0].Value != j.ID {
		t.Errorf("choices are %+v", c)
	}
}

func TestAdminCommandAnswersAdmins(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	boss := s.sim.NewUser("boss")
	s.guild.Join(boss, s.guild.NewRole("boss", sim.ManageGuild))
	i, err := boss.Slash(s.ctx, s.general, "ltx-admin status")
	if err != nil {
		t.Fatal(err)
	}
	if m := s.response(i); !strings.Contains(m.Text(), "1.0") {
		t.Errorf("boss reads %q", m.Text())
	}
}

func TestDetailsShowThePictureThatWentIn(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	i, err := s.ada.Type(s.ctx, s.general, "/ltx prompt:a fox", sim.Arg("image", file("wide.png")), sim.Arg("soundtrack", file("song.mp3")))
	if err != nil {
		t.Fatal(err)
	}
	j := s.job(i)
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
