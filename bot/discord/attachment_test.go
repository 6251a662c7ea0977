package discord_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"ltxbot/bot/adapter/adaptertest"

	"ltxbot/bot/discord"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	sim "ltxbot/sim/discord"
)

func file(name string) sim.File { return sim.File{Name: name, Data: []byte("the bytes of " + name)} }

// opened is what is read of a file of a job.
func (s *stage) opened(j generate.Job, id string) (string, error) {
	s.t.Helper()
	return adaptertest.Opened(s.ctx, s.t, s.bot, j, id)
}

func TestFilesOfOptionsAreInputs(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	i, err := s.ada.Type(s.ctx, s.general, "/ltx prompt:a fox", sim.Arg("image", file("fox.png")), sim.Arg("end_image", file("den.png")),
		sim.Arg("soundtrack", file("rain.mp3")))
	if err != nil {
		t.Fatal(err)
	}
	j := s.job(i)
	for id, want := range map[string]string{"image_url": "fox.png", "end_image_url": "den.png", "audio_url": "rain.mp3"} {
		got, err := s.opened(j, id)
		if name := adaptertest.Input(t, j, id).Name; got != "the bytes of "+want || err != nil || name != want {
			t.Errorf("%s is %s: %q, %v", id, name, got, err)
		}
	}
	if strings.Contains(s.log.String(), "hm=") || strings.Contains(s.card(j).Text(), "hm=") {
		t.Error("a signed address is in the log or on the card")
	}
}

func TestAnOptionWinsOverALinkInThePrompt(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.job(s.slash("ltx", sim.Arg("prompt", "a fox image=https://example.com/cat.png soundtrack=https://example.com/rain.mp3"), sim.Arg("image", file("fox.png"))))
	if m := adaptertest.Input(t, j, "image_url"); m.Name != "fox.png" || len(j.Request.Notes) == 0 {
		t.Errorf("the image is %s, and the card says %v", m.Shown(), j.Request.Notes)
	}
	if m := adaptertest.Input(t, j, "audio_url"); m.Ref != "https://example.com/rain.mp3" || j.Request.Prompt() != "a fox" {
		t.Errorf("the soundtrack is %q, of %s", m.Ref, j.Request.CommandLine())
	}
}

func TestNobodyCanTypeTheReferenceOfAFile(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	m := s.share("", file("fox.png"))
	if got := s.response(s.slash("ltx", sim.Arg("prompt", "a fox image:discord:"+m.Attachments[0].URL))); got.EphemeralTo != s.ada.ID || s.engine.Count() != 0 {
		t.Errorf("the answer is %q", got.Text())
	}
}

// What came with a command is kept for a day; the file of a message is there
// as long as the message, behind addresses that expire.
func TestAFileIsOpenedForAsLongAsDiscordHasIt(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	first := s.job(s.types("/ltx prompt:a fox", sim.Arg("image", file("fox.png"))))
	m := s.share("a den", file("den.png"))
	kept := s.animate(m)
	s.sim.Advance(25 * time.Hour)
	if _, err := s.opened(first, "image_url"); !errors.Is(err, generate.ErrGone) {
		t.Errorf("the file of a command opens after a day: %v", err)
	}
	if got, err := s.opened(kept, "image_url"); got != "the bytes of den.png" || err != nil {
		t.Errorf("the file of a message is %q, %v", got, err)
	}
	s.sim.DeleteMessage(m.ID)
	if _, err := s.opened(kept, "image_url"); !errors.Is(err, generate.ErrGone) {
		t.Errorf("a file that was deleted opens: %v", err)
	}
}

// animate makes a video of the pictures of a message.
func (s *stage) animate(m sim.Message) generate.Job {
	s.t.Helper()
	i := s.apply(s.ada, "Animate this", m)
	s.form(i)
	return s.job(s.submit(s.ada, i, nil))
}

func TestNothingButDiscordsHostsIsAsked(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for _, ref := range []string{
		"discord:https://example.com/attachments/1/2/a.png", "discord:http://cdn.discordapp.com/attachments/1/2/a.png",
		"discord:https://cdn.discordapp.com.example.com/a.png", "discord:" + strings.Replace(s.sim.BaseURL(), "127.0.0.1", "localhost", 1) + "/a.png",
		"discord:file:///etc/passwd", "discord:%zz", "slack:F012345678", s.sim.BaseURL() + "/attachments/1/2/a.png",
	} {
		if _, err := s.bot.OpenInput(s.ctx, generate.Job{}, ltx.Media{Ref: ref}); !errors.Is(err, generate.ErrGone) {
			t.Errorf("%s: %v", ref, err)
		}
	}
}

func TestAnimateTakesThePicturesOfAMessage(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.animate(s.share("a fox goes home", file("notes.txt"), file("fox.png"), file("rain.mp3"), file("den.png")))
	if _, sound := j.Request.Media("audio_url"); adaptertest.Input(t, j, "image_url").Name != "fox.png" || adaptertest.Input(t, j, "end_image_url").Name != "den.png" || sound {
		t.Errorf("the job is of %s", j.Request.CommandLine())
	}
	if j.Request.Prompt() != "a fox goes home" {
		t.Errorf("the prompt is %q", j.Request.Prompt())
	}
	i := s.apply(s.ada, "Animate this", s.ada.Say(s.general, "no picture here"))
	if got := s.response(i); !strings.Contains(got.Text(), "no picture") || got.EphemeralTo != s.ada.ID {
		t.Errorf("the answer is %q", got.Text())
	}
}

func TestRemixTakesTheFilesOfAMessageToo(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	i := s.apply(s.ada, "Remix with LTX", s.share("a fox camera:dolly_in", file("fox.png")))
	s.form(i)
	sent := s.submit(s.ada, i, map[string]any{"duration": "an hour"})
	refused := s.response(sent)
	again := s.press(s.ada, refused, refused.Buttons[0].CustomID)
	s.form(again)
	sent = s.submit(s.ada, again, map[string]any{"duration": "5"})
	if j := s.job(sent); adaptertest.Input(t, j, "image_url").Name != "fox.png" || j.Request.Camera() != "dolly_in" {
		t.Errorf("the job is of %s", j.Request.CommandLine())
	}
}

func TestAFormSaysWhichFilesOfAMessageAreLeftOut(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	form := s.form(s.apply(s.ada, "Remix with LTX", s.share("a fox", file("fox.png"), file("notes.txt"), file("rain.mp3"), file("storm.mp3"))))
	if got := form.Fields[0].Description; !strings.Contains(got, "Left out: notes.txt, storm.mp3.") {
		t.Errorf("the form says %q", got)
	}
}

func TestAFileIsNotInALineToCopy(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for name, prompt := range map[string]string{"a wrong value": "a fox duration:999", "settings or words": "a fox camera: dolly_in"} {
		i := s.slash("ltx", sim.Arg("prompt", prompt), sim.Arg("image", file("fox.png")))
		if says := s.response(i).Text(); strings.Contains(says, "image:") || !strings.Contains(says, "a fox") || !strings.Contains(says, "Attach fox.png again") {
			t.Errorf("%s: the answer is %s", name, says)
		}
	}
}

// A video that costs money is not made without the picture that it was to be
// made of.
func TestAFormWhoseFilesAreForgottenMakesNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	i := s.apply(s.ada, "Animate this", s.share("a fox", file("fox.png")))
	s.form(i)
	s.restart()
	if got := s.response(s.submit(s.ada, i, nil)); !strings.Contains(got.Text(), "no longer have the file") || s.engine.Count() != 0 {
		t.Errorf("%d jobs, and the answer is %q", s.engine.Count(), got.Text())
	}
}

func TestAgainKeepsTheInputs(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	first := s.job(s.types("/ltx prompt:a fox", sim.Arg("image", file("fox.png"))))
	s.mustShow(first.ID, generate.Running)
	s.mustDeliver(first.ID, 100)
	video := videos(s.general, first.ID)[0]
	for _, label := range []string{"Again", "Same seed"} {
		button, ok := video.Button(label)
		if !ok {
			t.Fatalf("there is no %s", label)
		}
		if got, err := s.opened(s.job(s.press(s.ada, video, button.CustomID)), "image_url"); got != "the bytes of fox.png" || err != nil {
			t.Errorf("%s: the image is %q, %v", label, got, err)
		}
	}
	edit := s.apply(s.ada, "Remix with LTX", video)
	s.form(edit)
	sent := s.submit(s.ada, edit, map[string]any{"prompt": "two foxes"})
	if j := s.job(sent); adaptertest.Input(t, j, "image_url").Name != "fox.png" || j.Request.Prompt() != "two foxes" {
		t.Errorf("the job is of %s", j.Request.CommandLine())
	}
}

var _ generate.Courier = (*discord.Bot)(nil)
