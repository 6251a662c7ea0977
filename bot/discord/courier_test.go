package discord_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"ltxbot/core/generate"
	sim "ltxbot/sim/discord"
)

func TestCardIsEditedWithTheBotTokenOnceTheInteractionTokenIsOld(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.ask("/ltx prompt:a cowboy")
	s.mustShow(j.ID, generate.Queued)
	s.sim.Advance(14*time.Minute + time.Second)
	s.mustShow(j.ID, generate.Running)
	if got := len(s.sim.RequestsTo(sim.RouteEditMessage)); got != 1 {
		t.Errorf("%d edits with the bot token, want 1", got)
	}
	if !strings.Contains(s.card(j).Text(), "Making your video") {
		t.Errorf("card is %q", s.card(j).Text())
	}
}

func TestTokenThatIsRefusedOnceIsNeverUsedAgain(t *testing.T) {
	t.Parallel()
	for _, status := range []int{401, 404} {
		s := newStage(t)
		j := s.ask("/ltx prompt:a cowboy")
		s.mustShow(j.ID, generate.Queued)
		before := len(s.sim.RequestsTo(sim.RouteEditResponse))
		s.sim.Inject(sim.Fault{Route: sim.RouteEditResponse, Status: status, Times: -1})
		s.mustShow(j.ID, generate.Running)
		s.mustShow(j.ID, generate.Fetched)
		if got := len(s.sim.RequestsTo(sim.RouteEditResponse)) - before; got != 1 {
			t.Errorf("status %d: the token was used %d times, want 1", status, got)
		}
		if !strings.Contains(s.card(j).Text(), "fetching") {
			t.Errorf("status %d: card is %q", status, s.card(j).Text())
		}
	}
}

func TestCardIsPostedAnewWhenTheFirstIsNotKnown(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.ask("/ltx prompt:a cowboy")
	s.engine.Put(j.ID, func(j *generate.Job) { j.Notes = map[string]string{} })
	s.sim.Inject(sim.Fault{Route: sim.RouteCreateMessage, LoseReply: true})
	s.mustShow(j.ID, generate.Queued)
	s.mustShow(j.ID, generate.Running)
	posted := 0
	for _, m := range s.general.Messages() {
		if m.Interaction == "" && strings.Contains(m.Text(), "Making your video") {
			posted++
		}
	}
	if posted != 1 {
		t.Errorf("%d cards, want 1: %v", posted, s.general.Messages())
	}
}

func TestEditThatChangesNothingIsNotSent(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.ask("/ltx prompt:a cowboy")
	for range 3 {
		s.mustShow(j.ID, generate.Queued)
	}
	if got := s.card(j).Edits; got != 1 {
		t.Errorf("%d edits, want 1", got)
	}
}

func TestDeletedCardIsLeftAloneAndTheVideoComesAllTheSame(t *testing.T) {
	t.Parallel()
	for name, wait := range map[string]time.Duration{"by token": 0, "by bot": 20 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			j := s.ask("/ltx prompt:a cowboy")
			s.mustShow(j.ID, generate.Queued)
			s.sim.DeleteMessage(s.card(j).ID)
			s.sim.Advance(wait)
			s.mustShow(j.ID, generate.Running)
			before := len(s.sim.Requests())
			s.mustShow(j.ID, generate.Fetched)
			if got := len(s.sim.Requests()) - before; got != 0 {
				t.Errorf("%d requests for a card that is gone", got)
			}
			s.mustDeliver(j.ID, 1<<20)
			found := videos(s.general, j.ID)
			if len(found) != 1 || found[0].ReplyTo != "" {
				t.Errorf("videos are %+v", found)
			}
		})
	}
}

func TestJobThatEndsWithoutAVideoIsToldOnceWhenItsCardIsGone(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		state generate.State
		shown bool          // the loss of the card is known before
		wait  time.Duration // until the end
	}{
		"failed, seen at the end":    {state: generate.Failed},
		"failed, seen before":        {state: generate.Failed, shown: true},
		"failed, by the bot token":   {state: generate.Failed, wait: 20 * time.Minute},
		"cancelled, seen at the end": {state: generate.Cancelled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			j := s.ask("/ltx prompt:a cowboy")
			s.mustShow(j.ID, generate.Queued)
			s.sim.DeleteMessage(s.card(j).ID)
			if tt.shown {
				s.mustShow(j.ID, generate.Running)
			}
			s.sim.Advance(tt.wait)
			s.engine.Put(j.ID, func(j *generate.Job) { j.Failure.Kind = generate.FailTimeout })
			s.sim.Inject(sim.Fault{Route: sim.RouteCreateMessage, LoseReply: true})
			for range 3 {
				s.mustShow(j.ID, tt.state)
			}
			s.restart()
			s.mustShow(j.ID, tt.state)
			told := s.general.Messages()
			if len(told) != 1 || !strings.Contains(told[0].Text(), "a cowboy") || !slices.Equal(told[0].Pings.Users, []string{s.ada.ID}) {
				t.Errorf("messages are %+v", told)
			}
		})
	}
}

func TestCardThatTheTokenCannotEditIsEditedByTheBot(t *testing.T) {
	t.Parallel()
	for _, known := range []bool{true, false} {
		s := newStage(t)
		j := s.ask("/ltx prompt:a cowboy")
		if !known {
			s.engine.Put(j.ID, func(j *generate.Job) {
				j.Notes = maps.Clone(j.Notes)
				delete(j.Notes, "card")
			})
		}
		s.sim.Inject(sim.Fault{Route: sim.RouteEditResponse, Status: 400, Times: -1})
		s.mustShow(j.ID, generate.Queued)
		s.mustShow(j.ID, generate.Running)
		if got := len(s.sim.RequestsTo(sim.RouteEditResponse)); got != 1 {
			t.Errorf("card known %t: %d edits by the token, want 1", known, got)
		}
		if all := s.general.Messages(); len(all) != 1 {
			t.Errorf("card known %t: messages are %+v", known, all)
		}
		if card := s.card(j); card.Loading || !strings.Contains(card.Text(), "Making your video") {
			t.Errorf("card known %t: card is %+v", known, card)
		}
	}
}

func TestRateLimitsBecomeRetriesAndNeverTakeLonger(t *testing.T) {
	t.Parallel()
	limits := map[string]sim.Limit{
		"user": sim.UserLimit, "shared": sim.SharedLimit, "global": sim.GlobalLimit, "cloudflare": sim.CloudflareLimit,
	}
	for name, kind := range limits {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			j := s.ask("/ltx prompt:a cowboy")
			s.sim.Inject(sim.Fault{Route: sim.RouteEditResponse, Limit: kind, RetryAfter: 30 * time.Second})
			began := time.Now()
			err := s.show(j.ID, generate.Queued)
			var again *generate.RetryError
			if !errors.As(err, &again) || again.After+time.Since(began) < 25*time.Second || again.After > 31*time.Second {
				t.Fatalf("got %v", err)
			}
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("took %s, as if the limit was waited for", took)
			}
			// It is not tried again before its time.
			before := len(s.sim.Requests())
			if err := s.show(j.ID, generate.Running); !errors.As(err, &again) {
				t.Errorf("second try: %v", err)
			}
			if got := len(s.sim.Requests()) - before; got != 0 {
				t.Errorf("%d requests before the time", got)
			}
		})
	}
}

func TestShortRateLimitIsWaitedOut(t *testing.T) {
	t.Parallel()
	for _, kind := range []sim.Limit{sim.UserLimit, sim.SharedLimit, sim.GlobalLimit} {
		s := newStage(t)
		j := s.ask("/ltx prompt:a cowboy")
		s.sim.Inject(sim.Fault{Route: sim.RouteEditResponse, Limit: kind, RetryAfter: 100 * time.Millisecond})
		s.mustShow(j.ID, generate.Queued)
	}
}

func TestAnotherJobIsNotHeldUpByALimitOfOneToken(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	one, two := s.ask("/ltx prompt:one"), s.ask("/ltx prompt:two")
	s.sim.Inject(sim.Fault{Route: sim.RouteEditResponse, Limit: sim.UserLimit, RetryAfter: 30 * time.Second})
	if err := s.show(one.ID, generate.Queued); err == nil {
		t.Fatal("the fault was not met")
	}
	s.mustShow(two.ID, generate.Queued)
}

func TestRealRateLimitsAreKept(t *testing.T) {
	t.Parallel()
	s := newStageWith(t, sim.Options{IdentifyEvery: -1, RateLimits: sim.RateLimits{Speed: 5}})
	j := s.ask("/ltx prompt:a cowboy")
	for n := range 20 {
		s.engine.Put(j.ID, func(j *generate.Job) { j.Progress.Percent = n + 1 })
		s.mustShow(j.ID, generate.Running)
	}
	// A window begins for Discord a little later than for the bot. On a busy
	// machine, with windows of a second, one request may come too early.
	if got := s.sim.InvalidRequests(); got > 1 {
		t.Errorf("%d of 20 edits were refused, want none", got)
	}
}

func TestEditsOfOldMessagesBecomeSlower(t *testing.T) {
	t.Parallel()
	s := newStageWith(t, sim.Options{IdentifyEvery: -1})
	j := s.ask("/ltx prompt:a cowboy")
	s.mustShow(j.ID, generate.Queued)
	s.sim.Advance(2 * time.Hour)
	var again *generate.RetryError
	for n := range 5 {
		s.engine.Put(j.ID, func(j *generate.Job) { j.Progress.Percent = n + 1 })
		if err := s.show(j.ID, generate.Running); errors.As(err, &again) {
			break
		}
	}
	if again == nil || again.After < 6*time.Second {
		t.Errorf("got %v", again)
	}
}

func TestServerErrorsOfAnEditAreTriedAgain(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]sim.Fault{
		"502 of the edge": {BadGateway: true}, "500": {Status: 500}, "dropped": {Drop: true}, "lost reply": {LoseReply: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			j := s.ask("/ltx prompt:a cowboy")
			fault.Route, fault.Times = sim.RouteEditResponse, 2
			s.sim.Inject(fault)
			s.mustShow(j.ID, generate.Queued)
		})
	}
}

func TestConversationThatIsGoneIsUnreachable(t *testing.T) {
	t.Parallel()
	lose := map[string]func(*stage){
		"channel deleted": func(s *stage) { s.general.Delete() },
		"bot removed":     func(s *stage) { s.guild.Leave(s.sim.Bot()) },
		"not seen":        func(s *stage) { s.general.Deny(s.sim.Bot(), sim.ViewChannel) },
	}
	for name, lose := range lose {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			j := s.ask("/ltx prompt:a cowboy")
			s.mustShow(j.ID, generate.Queued)
			s.sim.Advance(time.Hour)
			lose(s)
			if err := s.show(j.ID, generate.Running); !errors.Is(err, generate.ErrUnreachable) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestPrivateCardIsContinuedByDirectMessage(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.running("/ltx prompt:a secret private:True")
	s.sim.Advance(20 * time.Minute)
	s.mustShow(j.ID, generate.Fetched)
	s.engine.Put(j.ID, func(j *generate.Job) { j.Failure.Kind = generate.FailTimeout })
	for range 2 {
		s.mustShow(j.ID, generate.Failed)
	}
	told := s.ada.DM().Messages()
	if len(told) != 1 || !strings.Contains(told[0].Text(), "longer than allowed") || len(told[0].Buttons) != 0 {
		t.Errorf("direct messages are %+v", told)
	}
}

func TestPrivateJobIsNotBegunForSomebodyWhoCannotBeReached(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.ada.RefuseDMs(true)
	j := s.ask("/ltx prompt:a secret private:True")
	s.sim.Advance(20 * time.Minute) // it waited for its turn
	if err := s.show(j.ID, generate.Accepted); !errors.Is(err, generate.ErrUnreachable) {
		t.Errorf("got %v", err)
	}
}

func TestJobThatFailsIsToldByDirectMessageWhenTheChannelIsGone(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.running("/ltx prompt:a cowboy")
	s.sim.Advance(20 * time.Minute)
	s.general.Delete()
	s.engine.Put(j.ID, func(j *generate.Job) { j.Failure.Kind = generate.FailTimeout })
	for range 2 {
		s.mustShow(j.ID, generate.Failed)
	}
	if told := s.ada.DM().Messages(); len(told) != 1 || !strings.Contains(told[0].Text(), "longer than allowed") {
		t.Errorf("direct messages are %+v", told)
	}
}

func TestCardInAnArchivedThreadIsPostedAnew(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	thread := s.general.NewThread("a thread")
	j := s.job(s.slashBy(s.ada, thread, "ltx", sim.Arg("prompt", "a cowboy")))
	s.mustShow(j.ID, generate.Queued)
	s.sim.Advance(2 * time.Hour)
	thread.Archive(true, false)
	s.mustShow(j.ID, generate.Running)
	s.mustShow(j.ID, generate.Fetched)
	if card := s.card(j); card.Interaction != "" || !strings.Contains(card.Text(), "fetching") {
		t.Errorf("card is %+v", card)
	}
}

func TestSecretsReachNeitherLogNorError(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.ask("/ltx prompt:a very private prompt")
	token := j.Notes["secret_token"]
	if len(token) < 20 {
		t.Fatalf("token is %q", token)
	}
	s.sim.Inject(sim.Fault{Drop: true, Times: -1})
	err := s.show(j.ID, generate.Running)
	if err == nil {
		t.Fatal("the fault was not met")
	}
	for _, secret := range []string{token, s.sim.Token(), "very private"} {
		if strings.Contains(err.Error(), secret) || s.log.Has(secret) {
			t.Errorf("%q is told", secret)
		}
	}
}

func TestRestartInTheMiddleGoesOnWithTheSameCard(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.running("/ltx prompt:a cowboy")
	card := s.card(j).ID
	s.restart()
	s.mustShow(j.ID, generate.Fetched)
	s.mustDeliver(j.ID, 1<<20)
	s.restart()
	s.mustShow(j.ID, generate.Delivered)
	if got := s.card(j); got.ID != card || !strings.Contains(got.Text(), "Done") {
		t.Errorf("card is %+v", got)
	}
	s.wantVideos(j.ID, 1)
}
