package slack_test

import (
	"strings"
	"testing"
	"time"

	"ltxbot/bot/slack"
	"ltxbot/core/generate"
	"ltxbot/core/quota"
	sim "ltxbot/sim/slack"
)

// TestTheAcknowledgementComesAfterTheRecord is a command on each way that they
// come in: while the store has not answered, Slack has no answer either.
func TestTheAcknowledgementComesAfterTheRecord(t *testing.T) {
	for name, newStage := range map[string]func(*testing.T) *stage{
		"Socket Mode": func(t *testing.T) *stage { return newStage(t) },
		"HTTP": func(t *testing.T) *stage {
			s, _ := newHTTPStage(t)
			return s
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.engine.WaitRecord = make(chan struct{})
			answered := make(chan error, 1)
			go func() {
				_, err := s.ann.Slash(s.ctx, s.general, "/ltx", cowboy)
				answered <- err
			}()
			select {
			case err := <-answered:
				t.Fatalf("answered before the record: %v", err)
			case <-time.After(200 * time.Millisecond):
			}
			close(s.engine.WaitRecord)
			if err := <-answered; err != nil {
				t.Error(err)
			}
			s.job()
		})
	}
}

func TestAStoreThatHangsIsSaidWithinThreeSeconds(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.engine.WaitRecord = make(chan struct{})
	s.slash(s.ann, s.general, cowboy)
	s.whisper(s.ann, s.general, "Nothing was charged")
	s.wantJobs(0)
}

func TestSlackIsAskedWhoSomebodyIsAfterTheAcknowledgement(t *testing.T) {
	t.Parallel()
	s := prepareStage(t, quietSim(), func(c *slack.Config) {
		c.Tiers = func(_ string, groups []string) []string { return groups }
	})
	s.cfg.TierGroups = []string{s.ws.AddGroup("studio", s.ann)}
	s.bot = s.newBot()
	s.start()
	s.sim.Inject(sim.Fault{Method: "users.info", Kind: sim.Delay, Delay: 40 * time.Second})
	s.slash(s.ann, s.general, cowboy) // it returns with the acknowledgement
	s.until("it is asked", func() bool { return len(s.sim.Requests("users.info")) > 0 })
	s.sim.Advance(40 * time.Second)
	if j := s.job(); len(j.Tiers) != 1 || j.Place.Locale != "en-US" || s.engine.Prepared.Load() != 1 {
		t.Errorf("%q in the tiers %q, prepared %d times", j.Place.Locale, j.Tiers, s.engine.Prepared.Load())
	}
	s.slash(s.ann, s.general, cowboy)
	if j := s.job(); len(j.Tiers) != 1 || s.engine.Prepared.Load() != 1 {
		t.Errorf("who is known is looked up again: tiers %q, prepared %d times", j.Tiers, s.engine.Prepared.Load())
	}
}

// TestAJobThatWasNotAcceptedIsToldToItsRequesterOnly is the end of a job
// without a card.
func TestAJobThatWasNotAcceptedIsToldToItsRequesterOnly(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		failure generate.Failure
		says    string
	}{
		{generate.Failure{Kind: generate.FailQuota, Refusal: &quota.LimitError{Reason: quota.LineFull, Line: 5}}, "5 jobs waiting"},
		{generate.Failure{Kind: generate.FailNotAllowed}, "Guests and people of other organisations"},
		{generate.Failure{Kind: generate.FailInterrupted}, "restarted"},
	} {
		for _, urls := range []bool{true, false} {
			s := newStage(t)
			s.slash(s.ann, s.general, cowboy)
			j := s.job()
			if !urls { // the response URL is too old
				s.sim.Advance(31 * time.Minute)
			}
			s.engine.Put(j.ID, func(j *generate.Job) { j.Failure = tt.failure })
			for range 2 {
				s.mustShow(j.ID, generate.Failed)
			}
			told := 0
			for _, m := range s.general.Seen(s.ann) {
				if m.EphemeralTo == s.ann.ID() && strings.Contains(m.Text, tt.says) {
					told++
				}
			}
			if told != 1 || len(fromBot(s.general)) != 0 {
				t.Errorf("%s, response URL %v: told %d times, everybody sees %s", tt.failure.Kind, urls, told, texts(s.general))
			}
		}
	}
}

// TestAnInterruptedCommandIsMadeByAButton is a command whose process was killed
// before it is known whether Slack was answered.
func TestAnInterruptedCommandIsMadeByAButton(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.slash(s.ann, s.general, cowboy)
	j := s.job()
	if told, err := s.bot.Courier().Acknowledged(s.ctx, j); told || err == nil {
		t.Errorf("it is known that it was acknowledged: %v, %v", told, err)
	}
	s.engine.Put(j.ID, func(j *generate.Job) { j.Failure.Kind = generate.FailInterrupted })
	s.mustShow(j.ID, generate.Failed)
	m := s.whisper(s.ann, s.general, "restarted")
	s.click(s.ann, m, "Make it")
	if again := s.job(); again.ID == j.ID || again.Parent != j.ID || again.Request.Prompt() != j.Request.Prompt() || again.Request.Seed() != j.Request.Seed() {
		t.Errorf("the button makes %+v", again)
	}
}
