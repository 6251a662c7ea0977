package slack_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"ltxbot/bot/slack"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	sim "ltxbot/sim/slack"
)

// result is the only text with the buttons of a video.
func (s *stage) result(id string) string {
	s.t.Helper()
	found := results(s.general, id)
	if len(found) != 1 {
		s.t.Fatalf("%d results, messages:\n%s\nlog:\n%s", len(found), texts(s.general), s.log.String())
	}
	return found[0].Text + found[0].Blocks.Text() + string(blocksJSON(s.t, found[0]))
}

// askForLink is a job with its card and an output that a link can lead to.
func (s *stage) askForLink() generate.Job {
	s.t.Helper()
	j := s.shown(cowboy, generate.Accepted)
	return s.engine.Put(j.ID, func(j *generate.Job) { j.Output.URL = "https://v3.fal.media/files/b/x.mp4" })
}

// Slack says ok, and no message with the file ever comes.
func TestAFileThatSlackNeverShowsBecomesALink(t *testing.T) {
	t.Parallel()
	clock := newHandClock()
	s := newStage(t, func(c *slack.Config) { c.Now = clock.now })
	s.sim.SetShareDelay(-1)
	j := s.askForLink()
	delivered := make(chan generate.Receipt, 1)
	go func() { delivered <- s.deliverAtLastOnce(j.ID) }()
	looked := func() int { return len(s.sim.Requests("files.info")) }
	s.until("it is looked for", func() bool { return looked() > 0 })
	clock.advance(29 * time.Second)
	before := looked()
	s.until("it is looked for again", func() bool { return looked() > before })
	if got := results(s.general, j.ID); len(got) != 0 {
		t.Fatalf("after 29 seconds: %s", texts(s.general))
	}
	clock.advance(2 * time.Second)
	receipt := <-delivered
	says := s.result(j.ID)
	if receipt.Fit != generate.FitLink || !strings.Contains(says, "does not appear here") || !strings.Contains(says, "files/b/x.mp4") {
		t.Errorf("receipt %+v, text %q", receipt, says)
	}
	if !strings.Contains(s.log.String(), "a link is posted") || !strings.Contains(s.log.String(), "does not show it") {
		t.Error("nothing in the log")
	}
	if got := len(s.sim.Requests("files.completeUploadExternal")); got != 1 {
		t.Errorf("the file was shared %d times", got)
	}
}

// Slack takes no more questions for now: that says nothing of the file.
func TestAFileThatMayNotBeAskedForYetIsNoLink(t *testing.T) {
	t.Parallel()
	for name, lost := range map[string]bool{"after it was shared": false, "when sharing may have failed": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			j := s.askForLink()
			if lost {
				s.sim.Inject(sim.Fault{Method: "files.completeUploadExternal", Kind: sim.LoseReply})
			}
			busy := s.sim.Inject(sim.Fault{Method: "files.info", Kind: sim.RateLimited, RetryAfter: 20 * time.Second, Times: -1})
			for range 6 {
				_, err := s.deliver(j.ID)
				again := retryOf(err)
				if again == nil {
					t.Fatalf("deliver: %v", err)
				}
				s.sim.Advance(max(again.After, 20*time.Second))
			}
			busy()
			if r := s.deliverAtLast(j.ID); r.Fit != generate.FitOriginal || len(videos(s.general)) != 1 || strings.Contains(s.result(j.ID), "files/b/x.mp4") {
				t.Errorf("receipt %+v, messages:\n%s", r, texts(s.general))
			}
		})
	}
}

// deliverAtLastOnce is one call of Deliver.
func (s *stage) deliverAtLastOnce(id string) generate.Receipt {
	r, err := s.deliver(id)
	if err != nil {
		s.t.Errorf("deliver: %v", err)
	}
	return r
}

// The process dies while it waits for the file to appear.
func TestAFileThatNeverAppearsIsWaitedForAfterARestart(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.sim.SetShareDelay(-1)
	j := s.askForLink()
	ctx, cancel := context.WithCancel(s.ctx)
	j = s.engine.Put(j.ID, func(j *generate.Job) { j.State = generate.Delivering })
	ended := make(chan error, 1)
	go func() {
		_, err := s.bot.Courier().Deliver(ctx, j, []generate.Video{s.video(j)}, s.engine.Keep(j.ID))
		ended <- err
	}()
	s.until("it is looked for", func() bool { return len(s.sim.Requests("files.info")) > 0 })
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatalf("deliver: %v", err)
	}
	s.restart()
	s.sim.Advance(time.Minute)
	if r := s.mustDeliver(j.ID); r.Fit != generate.FitLink || !strings.Contains(s.result(j.ID), "does not appear here") {
		t.Errorf("receipt %+v, text %q", r, s.result(j.ID))
	}
}

func TestUploadsThatFailForAMinuteBecomeALink(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		fault sim.Fault
	}{
		{"sharing answers internal_error", sim.Fault{Method: "files.completeUploadExternal", Kind: sim.APIError, Error: "internal_error"}},
		{"sharing answers fatal_error", sim.Fault{Method: "files.completeUploadExternal", Kind: sim.APIError, Error: "fatal_error"}},
		{"sharing answers something new", sim.Fault{Method: "files.completeUploadExternal", Kind: sim.APIError, Error: "who_knows"}},
		{"no address for the upload", sim.Fault{Method: "files.getUploadURLExternal", Kind: sim.APIError, Error: "internal_error"}},
		{"the rate limit stays", sim.Fault{Method: "files.getUploadURLExternal", Kind: sim.RateLimited, RetryAfter: 8 * time.Hour}},
		{"the bytes are not taken", sim.Fault{Method: "upload", Kind: sim.HTTPStatus, Status: 503}},
		{"the bytes are refused", sim.Fault{Method: "upload", Kind: sim.HTTPStatus, Status: 403}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newStageWith(t, sim.Options{NoRateLimits: true, Clock: sim.NewStoppedClock(at)}, func(c *slack.Config) {
				c.Timing.Settle = 0 // the bot's own: the test's clock moves by it
			})
			j := s.askForLink()
			tt.fault.Times = -1
			s.sim.Inject(tt.fault)
			began := s.sim.Now()
			var receipt generate.Receipt
			for receipt.Message == "" {
				r, err := s.deliver(j.ID)
				if receipt = r; err == nil {
					continue
				}
				retry := retryOf(err)
				if retry == nil || s.sim.Now().Sub(began) > 2*time.Minute {
					t.Fatalf("after %s: %v", s.sim.Now().Sub(began), err)
				}
				s.sim.Advance(retry.After)
			}
			if took := s.sim.Now().Sub(began); took < 58*time.Second || took > 75*time.Second {
				t.Errorf("it took %s", took)
			}
			says := s.result(j.ID)
			if receipt.Fit != generate.FitLink || !strings.Contains(says, "failed several times") || !strings.Contains(says, "files/b/x.mp4") {
				t.Errorf("receipt %+v, text %q", receipt, says)
			}
			if len(videos(s.general)) != 0 {
				t.Error("there is a video as well")
			}
		})
	}
}

func TestUploadsThatFailForAWhileAreNoLink(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.askForLink()
	s.sim.Inject(sim.Fault{Method: "files.completeUploadExternal", Kind: sim.APIError, Error: "internal_error", Times: 3})
	if r := s.deliverAtLast(j.ID); r.Fit != generate.FitOriginal || len(videos(s.general)) != 1 || len(results(s.general, j.ID)) != 1 {
		t.Errorf("receipt %+v, messages: %s", r, texts(s.general))
	}
}

func TestALinkSaysWhyTheVideoCouldNotBeHad(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		err  error
		says string
	}{
		{"it is on a foreign host", generate.ErrForeign, "on a server that I do not fetch videos from"},
		{"it cannot be fetched", errDead, "could not fetch it"},
		{"it is too large", &generate.TooLargeError{Size: 2, Limit: 1}, "too large to upload here"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			j := s.askForLink()
			v := generate.Video{Output: ltx.Output{URL: j.Output.URL}, Fetch: func(context.Context, int64) (generate.File, error) {
				return generate.File{}, &generate.LinkError{Err: tt.err}
			}}
			if r, err := one(s.bot.Courier().Deliver(s.ctx, j, []generate.Video{v}, s.engine.Keep(j.ID))); err != nil || r.SHA256 != "" || r.Mark != "" {
				t.Fatalf("receipt %+v, %v", r, err)
			}
			if says := s.result(j.ID); !strings.Contains(says, tt.says) {
				t.Errorf("the text says %q", says)
			}
		})
	}
}

// All of Slack was away for longer than uploads are tried. Where the text with
// the link was not posted either, the conversation that comes back gets the
// file.
func TestAConversationThatComesBackGetsTheFile(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]sim.Fault{
		"it refuses everything":          {Kind: sim.APIError, Error: "internal_error"},
		"it answers with a server error": {Kind: sim.HTTPStatus, Status: 503},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			j := s.askForLink()
			var back []func()
			for _, method := range []string{"files.getUploadURLExternal", "chat.postMessage", "files.info", "conversations.history"} {
				fault.Method, fault.Times = method, -1
				back = append(back, s.sim.Inject(fault))
			}
			for range 4 {
				if _, err := s.deliver(j.ID); err == nil {
					t.Fatal("a video is delivered though Slack is away")
				}
				s.sim.Advance(30 * time.Second)
			}
			for _, undo := range back {
				undo()
			}
			r := s.deliverAtLast(j.ID)
			if r.Fit != generate.FitOriginal || len(videos(s.general)) != 1 || len(results(s.general, j.ID)) != 1 {
				t.Errorf("receipt %+v, %d videos, messages:\n%s", r, len(videos(s.general)), texts(s.general))
			}
			if says := s.result(j.ID); strings.Contains(says, "files/b/x.mp4") {
				t.Errorf("the text says %q", says)
			}
		})
	}
}
