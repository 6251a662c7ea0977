package slack_test

import (
	"slices"
	"strings"
	"testing"

	"ltxbot/bot/adapter/adaptertest"
	"ltxbot/core/generate"
	sim "ltxbot/sim/slack"
)

// in lets ann mention the bot in a thread, or say something to it directly.
func (s *stage) in(ch *sim.Channel, thread, text string) sim.Message {
	return s.ann.Say(ch, strings.ReplaceAll(text, "BOT", s.name()), thread)
}

func TestThisIsTheLastFileAboveInTheThread(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	root := s.share(s.general, "look", "", file("fox.png"), file("walk.mp4"))
	s.share(s.general, "not in the thread", "", file("cat.png"))
	s.in(s.general, root.TS, "BOT the fox jumps image:this")
	j := s.job()
	s.wants(j, map[string]string{"image_url": "fox.png"})
	s.mustShow(j.ID, generate.Accepted)
	if says := texts(s.general); !strings.Contains(says, "image:fox.png") || !strings.Contains(says, "I took fox.png, from this conversation") {
		t.Errorf("the card does not say which file was taken: %s", says)
	}
	s.share(s.general, "and this", root.TS, file("den.png"), file("notes.txt"), file("rain.mp3"))
	s.in(s.general, root.TS, "nice")
	s.in(s.general, root.TS, "BOT the fox jumps end_image=this soundtrack:this image:https://example.com/a.png")
	s.wantsNames(s.job(), map[string]string{"image_url": "a.png", "end_image_url": "den.png", "audio_url": "rain.mp3"})
	s.in(s.general, root.TS, "BOT he runs on clip:this camera:static")
	s.wants(s.job(), map[string]string{"video_url": "walk.mp4"})
}

// wantsNames is wants for files of which some are links.
func (s *stage) wantsNames(j generate.Job, want map[string]string) {
	s.t.Helper()
	for id, name := range want {
		if m := adaptertest.Input(s.t, j, id); m.Name != name {
			s.t.Errorf("%s is %q, want %q", id, m.Name, name)
		}
	}
}

func TestThisIsTheFileOfTheMessageItself(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	root := s.share(s.general, "look", "", file("fox.png"))
	s.share(s.general, "BOT it jumps image:this", root.TS, file("cat.png"))
	s.wants(s.job(), map[string]string{"image_url": "cat.png"})
}

// What was shared after the message, and what was deleted, is not meant.
func TestThisIsNeitherLaterNorDeleted(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	root := s.share(s.general, "look", "", file("fox.png"))
	gone := s.share(s.general, "or this", root.TS, file("den.png"))
	s.check("delete", s.ann.DeleteFile(gone.Files[0].ID))
	said := s.in(s.general, root.TS, "BOT the fox jumps image:this camera:dolly_im")
	s.whisper(s.ann, s.general, "Did you mean")
	s.share(s.general, "later", root.TS, file("cat.png"))
	s.edits(said, "BOT the fox jumps image:this camera:dolly_in")
	s.wants(s.job(), map[string]string{"image_url": "fox.png"})
}

func TestThisIsAVideoOfTheBotByItsJob(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	root := s.bob.Say(s.general, "look", "")
	s.in(s.general, root.TS, "BOT a red fox runs")
	first := s.job()
	s.mustShow(first.ID, generate.Accepted)
	s.mustDeliver(first.ID)
	s.in(s.general, root.TS, "BOT it runs on clip:this")
	if m := adaptertest.Input(t, s.job(), "video_url"); m.Ref != "job:"+first.ID {
		t.Errorf("the clip is %q", m.Ref)
	}
}

func TestThisIsFoundInDirectMessages(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	dm := s.ann.DM()
	s.share(dm, "", "", file("fox.png"))
	s.whisper(s.ann, dm, "Say in words")
	s.in(dm, "", "it jumps over a fence image:this")
	s.wants(s.job(), map[string]string{"image_url": "fox.png"})
}

// A long thread is read to its end.
func TestThisIsFoundInALongThread(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	root := s.share(s.general, "look", "", file("fox.png"))
	for range 250 {
		s.bob.Say(s.general, "hm", root.TS)
	}
	s.share(s.general, "this one", root.TS, file("den.png"))
	s.in(s.general, root.TS, "BOT the fox jumps image:this")
	s.wants(s.job(), map[string]string{"image_url": "den.png"})
}

func TestThisThatIsNotThereIsRefused(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	root := s.share(s.general, "look", "", file("notes.txt"), file("walk.mp4"))
	for text, says := range map[string]string{
		"BOT the fox jumps image:this":      "There is no file for",
		"BOT the fox jumps soundtrack:this": "soundtrack:this",
	} {
		s.in(s.general, root.TS, text)
		s.whisper(s.ann, s.general, says)
	}
	s.say(s.general, "BOT it walks clip:this")
	s.whisper(s.ann, s.general, "is for a thread on Slack")
	s.slash(s.ann, s.general, "it walks image:this end_image:this")
	s.whisper(s.ann, s.general, "end_image:this is for a thread")
	s.wantJobs(0)
}

func TestThisNeedsTheRightToReadTheHistory(t *testing.T) {
	t.Parallel()
	scopes := slices.DeleteFunc(appScopes(t), func(s string) bool { return s == "channels:history" })
	s := newStageWith(t, sim.Options{NoRateLimits: true, App: sim.App{Scopes: scopes}})
	root := s.share(s.general, "look", "", file("fox.png"))
	s.in(s.general, root.TS, "BOT the fox jumps image:this")
	s.whisper(s.ann, s.general, "I may not read what stands further up")
	s.wantJobs(0)

	ill := newStage(t)
	root = ill.share(ill.general, "look", "", file("fox.png"))
	ill.sim.Inject(sim.Fault{Method: "conversations.replies", Kind: sim.APIError, Error: "internal_error", Times: -1})
	ill.in(ill.general, root.TS, "BOT the fox jumps image:this")
	ill.whisper(ill.ann, ill.general, "I could not read what stands further up")
	ill.wantJobs(0)
}

// In a thread, "animate this" is no prompt: the bot asks, at no cost.
func TestWordsThatOnlyPointAreAskedAbout(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	root := s.share(s.general, "look", "", file("fox.png"))
	for _, text := range []string{"BOT animate this", "BOT animate this! camera:dolly_in", "BOT これを動かして"} {
		s.in(s.general, root.TS, text)
		s.whisper(s.ann, s.general, "write image:this as well")
	}
	s.wantJobs(0)
	question := s.whisper(s.ann, s.general, "animate this")
	s.click(s.ann, question, "Make the video")
	if j := s.job(); j.Request.Prompt() != "animate this" {
		t.Errorf("the prompt is %q", j.Request.Prompt())
	}
	for text, want := range map[string]string{
		"BOT this is a very small fox": "this is a very small fox", "BOT dance like this image:https://example.com/a.png": "dance like this",
	} {
		s.in(s.general, root.TS, text)
		if j := s.job(); j.Request.Prompt() != want {
			t.Errorf("the prompt is %q", j.Request.Prompt())
		}
	}
	s.say(s.general, "BOT animate this") // outside of a thread there is nothing to point at
	if j := s.job(); j.Request.Prompt() != "animate this" {
		t.Errorf("the prompt is %q", j.Request.Prompt())
	}
}

// A private video goes into no video of somebody else by "this".
func TestThisIsNoVideoThatSomebodyMayNotSee(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	root := s.bob.Say(s.general, "look", "")
	s.in(s.general, root.TS, "BOT a red fox runs")
	first := s.job()
	s.mustShow(first.ID, generate.Accepted)
	s.mustDeliver(first.ID)
	s.engine.Put(first.ID, func(j *generate.Job) { j.Notes[generate.NoteDeleted] = "yes" })
	s.in(s.general, root.TS, "BOT it runs on clip:this")
	s.whisper(s.ann, s.general, "was deleted")
	s.wantJobs(1)
}
