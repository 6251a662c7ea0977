package slack_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"ltxbot/bot/adapter/adaptertest"

	"ltxbot/bot/slack"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	sim "ltxbot/sim/slack"
)

func file(name string) sim.FileSpec {
	return sim.FileSpec{Name: name, Content: []byte("the bytes of " + name)}
}

// opened is what is read of a file of a job.
func (s *stage) opened(j generate.Job, id string) (string, error) {
	s.t.Helper()
	return adaptertest.Opened(s.ctx, s.t, s.bot.Courier(), j, id)
}

// wants fails unless the inputs of a job are files with these names.
func (s *stage) wants(j generate.Job, want map[string]string) {
	s.t.Helper()
	for _, id := range []string{"image_url", "end_image_url", "audio_url", "video_url"} {
		if m, ok := j.Request.Media(id); ok != (want[id] != "") || m.Name != want[id] {
			s.t.Errorf("%s is %q, want %q", id, m.Name, want[id])
		}
		if want[id] == "" {
			continue
		}
		if got, err := s.opened(j, id); got != "the bytes of "+want[id] || err != nil {
			s.t.Errorf("%s holds %q, %v", id, got, err)
		}
	}
}

func (s *stage) share(c *sim.Channel, text, thread string, files ...sim.FileSpec) sim.Message {
	s.t.Helper()
	m, err := s.ann.Share(c, strings.ReplaceAll(text, "BOT", s.name()), thread, files...)
	if err != nil {
		s.t.Fatal(err)
	}
	return m
}

func TestFilesOfAMessageToTheBotAreInputs(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.share(s.general, "BOT a fox goes home", "", file("fox.png"), file("rain.mp3"), file("den.jpg"))
	j := s.job()
	s.wants(j, map[string]string{"image_url": "fox.png", "end_image_url": "den.jpg", "audio_url": "rain.mp3"})
	if j.Request.Prompt() != "a fox goes home" {
		t.Errorf("the prompt is %q", j.Request.Prompt())
	}
	s.share(s.ann.DM(), "dance", "", file("fox.mp4"))
	s.wants(s.job(), map[string]string{"video_url": "fox.mp4"})
	root := s.bob.Say(s.general, "look", "")
	s.share(s.general, "BOT dance", root.TS, file("fox.png"))
	if j := s.job(); j.Place.Thread != root.TS {
		t.Errorf("the video comes to %+v", j.Place)
	}
}

func TestAFileThatIsSentWithVerifyIsVerified(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for _, text := range []string{"BOT verify", "BOT: /ltx verify"} {
		s.share(s.general, text, "", file("fox.mp4"))
		s.whisper(s.ann, s.general, "of the bytes of fox.mp4")
	}
	s.wantJobs(0)
}

func TestAMessageWithFilesThatMakesNoVideoSaysWhy(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		text  string
		files []sim.FileSpec
		says  string
	}{
		"no words":       {"BOT", []sim.FileSpec{file("fox.png")}, "Say in words what happens"},
		"a text file":    {"BOT a fox runs", []sim.FileSpec{file("fox.png"), file("notes.txt")}, "notes.txt"},
		"three pictures": {"BOT a fox runs", []sim.FileSpec{file("a.png"), file("b.png"), file("c.png")}, "c.png"},
		"not on Slack":   {"BOT a fox runs", []sim.FileSpec{{Name: "drive.png", External: "https://drive.google.com/file/d/1"}}, "drive.png"},
		"given twice":    {"BOT a fox runs image:https://example.com/a.png", []sim.FileSpec{file("fox.png")}, "image"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.share(s.general, tc.text, "", tc.files...)
			s.whisper(s.ann, s.general, tc.says)
			s.wantJobs(0)
		})
	}
}

// The bot asks first where it is only mentioned in a sentence. Its button knows
// the files.
func TestAnUnclearMessageKeepsItsFiles(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.share(s.general, "what would BOT make of this fox?", "", file("fox.png"))
	question := s.whisper(s.ann, s.general, "Nothing was made and nothing was charged")
	s.wantJobs(0)
	s.click(s.ann, question, "Make the video")
	s.wants(s.job(), map[string]string{"image_url": "fox.png"})
}

// What would be about the bot alone is a prompt with a file, and asked about where it
// is a question.
func TestAQuestionWithAFileIsNotAboutTheBot(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.share(s.general, "BOT settings", "", file("fox.png"))
	s.wants(s.job(), map[string]string{"image_url": "fox.png"})
	s.share(s.general, "BOT what is left?", "", file("den.png"))
	question := s.whisper(s.ann, s.general, "Nothing was made and nothing was charged")
	s.wantJobs(1)
	s.click(s.ann, question, "Make the video")
	j := s.job()
	s.wants(j, map[string]string{"image_url": "den.png"})
	if j.Request.Prompt() != "what is left?" {
		t.Errorf("the prompt is %q", j.Request.Prompt())
	}
}

func TestALinkInALineIsAnInput(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.ask("a fox image:https://example.com/fox.png?token=hush")
	if m := adaptertest.Input(t, j, "image_url"); m.Ref != "https://example.com/fox.png?token=hush" {
		t.Errorf("the image is %q", m.Ref)
	}
	s.mustShow(j.ID, generate.Accepted)
	if strings.Contains(texts(s.general), "hush") || strings.Contains(s.log.String(), "hush") {
		t.Error("what may be secret of a link is shown")
	}
	s.slash(s.ann, s.general, "a fox end_image:slack:F0123456789")
	s.whisper(s.ann, s.general, "end_image")
	s.wantJobs(1)
}

func TestTheFormTakesFiles(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.form()
	s.submit(s.ann, map[string][]string{"prompt": {"a fox goes home"}, "files": s.upload("fox.png", "den.png", "rain.mp3")})
	first := s.job()
	s.wants(first, map[string]string{"image_url": "fox.png", "end_image_url": "den.png", "audio_url": "rain.mp3"})

	form := s.form()
	_, err := s.ann.SubmitView(s.ctx, form, map[string][]string{"prompt": {"a fox"}, "files": s.upload("a.mp4", "b.mp4")})
	if wrong, ok := errors.AsType[*sim.ActionError](err); !ok || !strings.Contains(wrong.Fields["files"], "b.mp4") {
		t.Errorf("two clips: %v", err)
	}
	s.wantJobs(1)
}

func TestTheFormOfAVideoKeepsItsInputsOrTakesOthers(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.form()
	s.submit(s.ann, map[string][]string{"prompt": {"a fox goes home"}, "files": s.upload("fox.png", "den.png")})
	j := s.job()
	s.mustShow(j.ID, generate.Running)
	s.mustDeliver(j.ID)
	result := results(s.general, j.ID)[0]
	edit := func(values map[string][]string) generate.Job {
		t.Helper()
		s.shortcut(s.ann, result)
		form := s.view(s.ann)
		if !strings.Contains(form.Blocks.Text(), "Now: fox.png, den.png") {
			t.Errorf("the form says %s", form.Blocks.Text())
		}
		s.submit(s.ann, values)
		return s.job()
	}
	s.wants(edit(map[string][]string{"prompt": {"two foxes"}}), map[string]string{"image_url": "fox.png", "end_image_url": "den.png"})
	s.wants(edit(map[string][]string{"files": s.upload("cat.png")}), map[string]string{"image_url": "cat.png", "end_image_url": "den.png"})
}

func TestTheShortcutTakesTheFilesOfAMessage(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	said := s.share(s.general, "a fox camera:dolly_in", "", file("fox.png"), file("notes.txt"), file("a.mp3"), file("b.mp3"))
	s.shortcut(s.bob, said)
	if form, err := s.bob.WaitView(s.ctx, func(sim.View) bool { return true }); err != nil || !strings.Contains(form.Blocks.Text(), "Left out: notes.txt, b.mp3.") {
		t.Errorf("the form says %s, %v", form.Blocks.Text(), err)
	}
	s.restart() // the form is in Slack, and nothing is remembered here
	s.submit(s.bob, map[string][]string{"prompt": {"two foxes"}})
	j := s.job()
	s.wants(j, map[string]string{"image_url": "fox.png", "audio_url": "a.mp3"})
	if j.Request.Camera() != "dolly_in" {
		t.Errorf("the job is of %s", j.Request.CommandLine())
	}
}

func TestAFileIsNotInALineToCopy(t *testing.T) {
	t.Parallel()
	for name, typed := range map[string]string{"a wrong value": "BOT a fox camera:dolly_inn", "settings as elsewhere": "BOT a fox [camera:dolly_in]", "settings or words": "BOT a fox camera: dolly_in"} {
		s := newStage(t)
		s.share(s.general, typed, "", file("fox.png"))
		m := s.whisper(s.ann, s.general, "Attach fox.png again")
		if says := m.Blocks.Text(); strings.Contains(says, "image:") || !strings.Contains(says, "a fox") {
			t.Errorf("%s: the answer is %s", name, says)
		}
		s.wantJobs(0)
	}
}

// An app that was installed before it asked to read files works as it did.
func TestWithoutTheScopeTheFormHasNoFieldForFiles(t *testing.T) {
	t.Parallel()
	scopes := slices.DeleteFunc(appScopes(t), func(s string) bool { return s == "files:read" })
	s := newStageWith(t, sim.Options{NoRateLimits: true, App: sim.App{Scopes: scopes}})
	if form := s.form(); strings.Contains(form.Blocks.Text(), "Files") {
		t.Errorf("the form says %s", form.Blocks.Text())
	}
	s.submit(s.ann, map[string][]string{"prompt": {"a fox"}})
	s.job()
	s.share(s.general, "BOT a fox", "", file("fox.png"))
	if _, err := s.opened(s.job(), "image_url"); !errors.Is(err, generate.ErrGone) {
		t.Errorf("the file opens: %v", err)
	}

	taken := newStage(t)
	taken.ws.SetScopes(scopes...) // the bot does not know yet
	if form := taken.form(); strings.Contains(form.Blocks.Text(), "Files") {
		t.Errorf("the form says %s", form.Blocks.Text())
	}
}

func TestAFileIsOpenedWhereTheBotSeesIt(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	outside := s.ws.AddChannel(sim.ChannelSpec{Name: "outside", Members: []*sim.User{s.ann}})
	hidden, gone := s.share(outside, "a fox", "", file("fox.png")), s.share(s.general, "a den", "", file("den.png"))
	of := func(m sim.Message) generate.Job {
		t.Helper()
		s.shortcut(s.ann, m)
		s.submit(s.ann, nil)
		return s.job()
	}
	for name, j := range map[string]generate.Job{"in a channel without the bot": of(hidden), "that was deleted": func() generate.Job {
		j := of(gone)
		s.check("delete", s.ann.DeleteFile(gone.Files[0].ID))
		return j
	}()} {
		if _, err := s.opened(j, "image_url"); !errors.Is(err, generate.ErrGone) {
			t.Errorf("a file %s: %v", name, err)
		}
	}
}

// The page to sign in is no picture, although Slack answers 200.
func TestThePageToSignInIsNoFile(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.share(s.general, "BOT a fox", "", file("fox.png"))
	j := s.job()
	s.sim.Inject(sim.Fault{Method: "download", Kind: sim.HTML})
	if got, err := s.opened(j, "image_url"); !errors.Is(err, generate.ErrGone) {
		t.Errorf("the file is %q, %v", got, err)
	}
	s.wants(j, map[string]string{"image_url": "fox.png"})
}

func TestTheTokenGoesToSlackOnly(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for _, ref := range []string{"https://files.slack.com/files-pri/T1-F1/a.png", "discord:https://cdn.discordapp.com/a.png", "slack:", "slack:F0NOSUCH001"} {
		if _, err := s.bot.OpenInput(s.ctx, generate.Job{}, ltx.Media{Ref: ref}); !errors.Is(err, generate.ErrGone) {
			t.Errorf("%s: %v", ref, err)
		}
	}
	for address, want := range map[string]bool{
		"https://files.slack.com/files-pri/T1-F1/a.png": true, "https://acme.slack.com/a": true, "https://files.slack-gov.com/a": true,
		"http://files.slack.com/a": false, "https://files.slack.com:8443/a": false, "https://slack.com.example.com/a": false,
		"https://evilslack.com/a": false, "https://files.slack.com@example.com/a": false, s.sim.APIURL() + "a": true,
		strings.Replace(s.sim.APIURL(), "127.0.0.1", "localhost", 1): false,
	} {
		if got := s.bot.IsSlack(address); got != want {
			t.Errorf("%s: %v, want %v", address, got, want)
		}
	}
}

var _ generate.Courier = (*slack.Bot)(nil)
