package slack_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"ltxbot/bot/adapter/adaptertest"
	"ltxbot/bot/slack"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	sim "ltxbot/sim/slack"
)

// blocksJSON are the blocks of a message.
func blocksJSON(t *testing.T, m sim.Message) []byte {
	t.Helper()
	raw, err := json.Marshal(m.Blocks)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// delivered is a job whose video is in the channel.
func (s *stage) delivered() (generate.Job, sim.Message) {
	s.t.Helper()
	j := s.shown(cowboy, generate.Accepted)
	s.mustDeliver(j.ID)
	s.mustShow(j.ID, generate.Delivered)
	return j, results(s.general, j.ID)[0]
}

func TestAgainMakesANewJobWithANewSeedOnceForADoubleClick(t *testing.T) {
	t.Parallel()
	clock := newHandClock() // on a busy machine clicks are far apart
	s := newStage(t, func(c *slack.Config) { c.Now = clock.now })
	j, result := s.delivered()
	s.click(s.bob, result, "Again")
	s.click(s.bob, result, "Again")
	again := s.job()
	if again.Parent != j.ID || again.Member != "slack:T0ACME0001:U0BOB00001" || again.Place.Channel != s.general.ID() {
		t.Errorf("the job is %+v of %s", again.Place, again.Member)
	}
	clock.advance(3 * time.Second)
	s.click(s.bob, result, "Same seed")
	if same := s.job(); same.ID == again.ID || same.Request.Seed() != j.Request.Seed() {
		t.Error("the same seed is not the same")
	}
	s.wantJobs(3)
}

// TestPressesWithinTwoSecondsAreOne, whichever process they come to.
func TestPressesWithinTwoSecondsAreOne(t *testing.T) {
	t.Parallel()
	at := func(seconds string) string { return slack.PressEvent("C1", "m", "", "U1", "again", seconds) }
	if at("1772280000.000100") != at("1772280001.999900") {
		t.Error("presses within two seconds are two")
	}
	if at("1772280000.000100") == at("1772280002.000100") {
		t.Error("presses two seconds apart are one")
	}
}

func TestCancelIsForTheOwnerAndAdminsAndAsksFirst(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	boss := s.ws.AddUser(sim.UserSpec{Name: "boss", Admin: true})
	s.general.Add(boss)
	j := s.shown(cowboy, generate.Running)
	card := fromBot(s.general)[0]
	if !strings.Contains(string(blocksJSON(t, card)), "Stop making this video?") {
		t.Error("nobody is asked before a job is cancelled")
	}
	s.click(s.bob, card, "Cancel")
	s.whisper(s.bob, s.general, "or an admin")
	if len(s.engine.Cancelled) != 0 {
		t.Fatalf("cancelled: %v", s.engine.Cancelled)
	}
	s.click(boss, card, "Cancel")
	s.whisper(boss, s.general, "is being cancelled")
	s.mustShow(j.ID, generate.Running)
	card = fromBot(s.general)[0]
	if _, ok := card.Blocks.Button("v1:cancel:" + j.ID); ok {
		t.Error("a job that is being cancelled still has the button")
	}
}

func TestAnAdminWhoIsNoneAnyMoreLosesTheRightWithinAMinute(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	boss := s.ws.AddUser(sim.UserSpec{Name: "boss", Admin: true})
	s.general.Add(boss)
	s.slash(boss, s.general, "admin")
	s.whisper(boss, s.general, "You may manage")
	boss.SetAdmin(false)
	s.sim.Advance(61 * time.Second)
	s.slash(boss, s.general, "admin")
	s.whisper(boss, s.general, "Only admins and owners")
}

func TestDeleteRemovesTheFileAndTheText(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	_, result := s.delivered()
	s.click(s.bob, result, "Delete")
	s.whisper(s.bob, s.general, "or an admin")
	s.sim.Advance(3 * time.Second)
	s.click(s.ann, result, "Delete")
	err := s.sim.Wait(s.ctx, func() bool { return len(videos(s.general)) == 0 && len(fromBot(s.general)) <= 2 })
	if err != nil {
		t.Fatalf("the video is still there: %s", texts(s.general))
	}
	s.sim.Advance(3 * time.Second)
	if _, err := s.ann.Click(s.ctx, result, "Delete"); err == nil {
		t.Error("the text with the button is still there")
	}
}

func TestEditOpensTheFormFilledIn(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j, result := s.delivered()
	s.click(s.bob, result, "Edit")
	s.submit(s.bob, map[string][]string{"camera": {"jib_up"}})
	edited := s.job()
	if edited.Parent != j.ID || edited.Request.Prompt() != j.Request.Prompt() || !strings.Contains(edited.Request.CommandLine(), "camera:jib_up") {
		t.Errorf("the job is %s", edited.Request.CommandLine())
	}
}

func TestAButtonOfAnotherVersionIsExplained(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	_, result := s.delivered()
	payload := map[string]any{
		"type": "block_actions", "team": map[string]any{"id": s.ws.ID()}, "user": map[string]any{"id": s.ann.ID(), "team_id": s.ws.ID()},
		"channel":   map[string]any{"id": s.general.ID()},
		"container": map[string]any{"message_ts": result.TS, "channel_id": s.general.ID()},
		"actions":   []any{map[string]any{"type": "button", "action_id": "v9:dance:k3f92mq7abcd", "action_ts": "1.0"}},
	}
	s.sim.SendFrame(map[string]any{"type": "interactive", "envelope_id": "e1", "payload": payload})
	s.whisper(s.ann, s.general, "from another version")
}

// Slack loads a picture before it takes the message with it. One that is gone
// must not take the rest along.
func TestDetailsShowThePictureThatWentInWhileSlackCanLoadIt(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.share(s.general, "BOT a fox", "", file("wide.png"), file("song.mp3"))
	j := s.job()
	brought, err := adaptertest.Brought(ltx.Rules{}, j.Request)
	if err != nil {
		t.Fatal(err)
	}
	s.engine.Put(j.ID, func(j *generate.Job) { j.Request = brought })
	s.mustShow(j.ID, generate.Running)
	s.mustDeliver(j.ID)
	result := results(s.general, j.ID)[0]
	details := func() string {
		t.Helper()
		before := len(s.general.Messages())
		s.click(s.ann, result, "Details")
		s.until("the details", func() bool { return len(s.general.Messages()) > before })
		return string(blocksJSON(t, s.general.Messages()[before]))
	}
	const picture = `"accessory":{"alt_text":"First picture: wide.png","image_url":"https://v3.fal.media/files/b/wide.png","type":"image"}`
	if got := details(); !strings.Contains(got, picture) || !strings.Contains(got, "song.mp3") {
		t.Errorf("the blocks are %s", got)
	}
	for _, method := range []string{"response_url", "chat.postEphemeral", "chat.postMessage"} {
		s.sim.Inject(sim.Fault{Method: method, Kind: sim.APIError, Error: "invalid_blocks"})
	}
	s.sim.Advance(3 * time.Second)
	if got := details(); strings.Contains(got, "image_url") || !strings.Contains(got, "wide.png") {
		t.Errorf("without the picture the blocks are %s", got)
	}
}
