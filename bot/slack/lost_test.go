package slack_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"ltxbot/bot/view"
	"ltxbot/core/generate"
	sim "ltxbot/sim/slack"
)

// without is the app's scopes without those that begin like one of these.
func without(t *testing.T, prefixes ...string) sim.Options {
	t.Helper()
	scopes := slices.DeleteFunc(appScopes(t), func(scope string) bool {
		return slices.ContainsFunc(prefixes, func(p string) bool { return strings.Contains(scope, p) })
	})
	return sim.Options{NoRateLimits: true, App: sim.App{Scopes: scopes}}
}

func TestALostReplyIsNoSecondMessage(t *testing.T) {
	t.Parallel()
	all := []sim.FaultKind{sim.LoseReply, sim.Malformed, sim.DropBefore, sim.HTTPStatus, sim.HTML, sim.RateLimited}
	for method, kinds := range map[string][]sim.FaultKind{
		"chat.postMessage": all, "files.completeUploadExternal": all, "chat.update": all[:3],
		"files.getUploadURLExternal": all[:1], "upload": all[:1], "files.info": all[:2],
	} {
		for _, kind := range kinds {
			t.Run(method+" "+string(kind), func(t *testing.T) {
				t.Parallel()
				s := newStage(t)
				j := s.ask(cowboy)
				s.sim.Inject(sim.Fault{Method: method, Kind: kind})
				s.showAtLast(j.ID, generate.Accepted)
				s.showAtLast(j.ID, generate.Running)
				s.sim.Inject(sim.Fault{Method: method, Kind: kind})
				s.deliverAtLast(j.ID)
				s.showAtLast(j.ID, generate.Delivered)
				if len(videos(s.general)) != 1 || len(results(s.general, j.ID)) != 1 || len(fromBot(s.general)) != 3 {
					t.Errorf("%d videos, %d results, messages:\n%s", len(videos(s.general)), len(results(s.general, j.ID)), texts(s.general))
				}
			})
		}
	}
}

func TestADoubtedJobIsLookedForBeforeAnythingIsPosted(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.shown(cowboy, generate.Accepted)
	s.deliverAtLast(j.ID)
	s.engine.Put(j.ID, func(j *generate.Job) { j.Notes, j.Doubted = nil, true })
	s.mustShow(j.ID, generate.Running)
	s.deliverAtLast(j.ID)
	if len(videos(s.general)) != 1 || len(results(s.general, j.ID)) != 1 || len(fromBot(s.general)) != 3 {
		t.Errorf("%d videos, %d results, messages:\n%s", len(videos(s.general)), len(results(s.general, j.ID)), texts(s.general))
	}
}

// The message whose reply is lost is the card, or the text with the buttons.
func TestWithoutTheRightToLookNothingIsPostedTwice(t *testing.T) {
	t.Parallel()
	t.Run("the card", func(t *testing.T) {
		t.Parallel()
		s := newStageWith(t, without(t, "history"))
		j := s.ask(cowboy)
		s.sim.Inject(sim.Fault{Method: "chat.postMessage", Kind: sim.LoseReply})
		s.showAtLast(j.ID, generate.Accepted)
		s.showAtLast(j.ID, generate.Running)
		s.deliverAtLast(j.ID)
		s.showAtLast(j.ID, generate.Delivered)
		if len(videos(s.general)) != 1 || len(results(s.general, j.ID)) != 1 || len(fromBot(s.general)) != 3 {
			t.Errorf("messages:\n%s", texts(s.general))
		}
	})
	t.Run("the card of a job without a video", func(t *testing.T) {
		t.Parallel()
		s := newStageWith(t, without(t, "history"))
		j := s.ask(cowboy)
		s.sim.Inject(sim.Fault{Method: "chat.postMessage", Kind: sim.LoseReply})
		s.showAtLast(j.ID, generate.Accepted)
		s.engine.Put(j.ID, func(j *generate.Job) { j.Failure.Kind = generate.FailNoMedia })
		s.showAtLast(j.ID, generate.Failed)
		s.showAtLast(j.ID, generate.Failed)
		if got := fromBot(s.general); len(got) != 2 || !strings.Contains(got[1].Text, "finished without a video") {
			t.Errorf("messages:\n%s", texts(s.general))
		}
	})
	t.Run("the text", func(t *testing.T) {
		t.Parallel()
		s := newStageWith(t, without(t, "history"))
		j := s.ask(cowboy)
		s.showAtLast(j.ID, generate.Accepted)
		s.sim.Inject(sim.Fault{Method: "chat.postMessage", Kind: sim.DropBefore})
		s.deliverAtLast(j.ID)
		s.showAtLast(j.ID, generate.Delivered)
		found := results(s.general, j.ID)
		if len(videos(s.general)) != 1 || len(fromBot(s.general)) != 2 || len(found) != 1 {
			t.Fatalf("messages:\n%s", texts(s.general))
		}
		if _, ok := found[0].Blocks.Button(view.ButtonID(view.ActAgain, j.ID)); !ok || len(found[0].Edits) == 0 {
			t.Error("the card does not stand in for the text")
		}
	})
	t.Run("the file", func(t *testing.T) {
		t.Parallel()
		for _, kind := range []sim.FaultKind{sim.LoseReply, sim.DropBefore} {
			s := newStageWith(t, without(t, "files:read"))
			j := s.ask(cowboy)
			s.showAtLast(j.ID, generate.Accepted)
			s.sim.Inject(sim.Fault{Method: "files.completeUploadExternal", Kind: kind})
			s.deliverAtLast(j.ID)
			err := s.sim.Wait(s.ctx, func() bool { return len(videos(s.general)) == 1 })
			if err != nil || len(results(s.general, j.ID)) != 1 {
				t.Errorf("%s: %d videos, messages:\n%s", kind, len(videos(s.general)), texts(s.general))
			}
		}
	})
}

// crash is a bot that dies just after a save or a call of its.
func TestARestartInTheMiddleContinuesWhereItWas(t *testing.T) {
	t.Parallel()
	points := []string{"chat.postMessage", "files.completeUploadExternal", "files.getUploadURLExternal", "upload"}
	for _, point := range points {
		t.Run("after "+point, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			j := s.shown(cowboy, generate.Accepted)
			before := s.notes(j.ID)
			s.mustShow(j.ID, generate.Running)
			after := map[string]int{"chat.postMessage": len(s.sim.Requests("chat.postMessage"))}[point] + 1
			// Nothing that is saved after the call survives.
			saved := before
			dead := false
			keep := s.engine.Keep(j.ID)
			running := s.engine.Put(j.ID, func(j *generate.Job) { j.State = generate.Delivering })
			_, _ = s.bot.Courier().Deliver(s.ctx, running, []generate.Video{s.video(running)}, func(ctx context.Context, notes map[string]string) error {
				if dead = dead || len(s.sim.Requests(point)) >= after; dead {
					return errDead
				}
				defer func() { saved = s.notes(j.ID) }()
				return keep(ctx, notes)
			})
			s.engine.Put(j.ID, func(j *generate.Job) { j.Notes = saved })
			s.restart()
			s.deliverAtLast(j.ID)
			s.showAtLast(j.ID, generate.Delivered)
			if len(videos(s.general)) != 1 || len(results(s.general, j.ID)) != 1 || len(fromBot(s.general)) != 3 {
				t.Errorf("messages:\n%s", texts(s.general))
			}
		})
	}
}

func TestACardWhosePostWasLostInACrashIsFound(t *testing.T) {
	t.Parallel()
	for _, thread := range []bool{false, true} {
		s := newStage(t)
		j := s.ask(cowboy)
		if thread {
			root := s.ann.Say(s.general, "look", "")
			s.engine.Put(j.ID, func(j *generate.Job) { j.Place.Thread = root.TS })
		}
		keep := s.engine.Keep(j.ID)
		accepted := s.engine.Put(j.ID, func(*generate.Job) {})
		err := s.bot.Courier().Show(s.ctx, accepted, func(ctx context.Context, notes map[string]string) error {
			if len(s.sim.Requests("chat.postMessage")) > 0 {
				return errDead
			}
			return keep(ctx, notes)
		})
		if err == nil {
			t.Fatal("the crash was not noticed")
		}
		s.restart()
		s.showAtLast(j.ID, generate.Running)
		cards := fromBot(s.general)
		if len(cards) != 1 || len(cards[0].Edits) != 1 || (cards[0].ThreadTS != "") != thread {
			t.Errorf("cards: %s", texts(s.general))
		}
	}
}

func TestAFileThatAppearsLateIsWaitedFor(t *testing.T) {
	t.Parallel()
	s := newStageWith(t, sim.Options{NoRateLimits: true, ShareDelay: 700 * time.Millisecond})
	j := s.shown(cowboy, generate.Accepted)
	s.mustDeliver(j.ID)
	video, result := videos(s.general), results(s.general, j.ID)
	if len(video) != 1 || len(result) != 1 || video[0].TS > result[0].TS {
		t.Errorf("the text came first: %s", texts(s.general))
	}
}

func TestACardThatSomebodyDeletedIsNotPostedAgainUntilThereIsSomethingToSay(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.shown(cowboy, generate.Accepted)
	s.general.Delete(fromBot(s.general)[0].TS)
	s.mustShow(j.ID, generate.Running)
	if got := len(fromBot(s.general)); got != 0 {
		t.Errorf("%d messages after the card was deleted", got)
	}
	s.engine.Put(j.ID, func(j *generate.Job) { j.Failure.Kind = generate.FailProvider })
	s.mustShow(j.ID, generate.Failed)
	s.mustShow(j.ID, generate.Failed)
	if got := fromBot(s.general); len(got) != 1 || !strings.Contains(got[0].Text, "No video") {
		t.Errorf("messages: %s", texts(s.general))
	}
}

func TestAWorkspaceThatForbidsEditsGetsTheLastWordAsAMessage(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.shown(cowboy, generate.Accepted)
	s.sim.Inject(sim.Fault{Method: "chat.update", Kind: sim.APIError, Error: "edit_window_closed", Times: -1})
	s.mustShow(j.ID, generate.Running)
	s.mustShow(j.ID, generate.Cancelled)
	if got := fromBot(s.general); len(got) != 2 || !strings.Contains(got[1].Text, "Cancelled") {
		t.Errorf("messages: %s", texts(s.general))
	}
}

func TestARevokedTokenStopsTheBotAndKeepsItsJobs(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.shown(cowboy, generate.Accepted)
	s.sim.Inject(sim.Fault{Method: "chat.update", Kind: sim.APIError, Error: "token_revoked", Times: -1})
	err := s.show(j.ID, generate.Running)
	if retry := retryOf(err); retry == nil || retry.After < time.Minute {
		t.Errorf("show says %v", err)
	}
	select {
	case err := <-s.bot.Fatal():
		if !strings.Contains(err.Error(), "install the app again") {
			t.Errorf("fatal says %v", err)
		}
	case <-s.ctx.Done():
		t.Error("nobody is told")
	}
}

func TestALostReplyDoesNotHideThatAChannelTakesNoMessages(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	secret := s.ws.AddChannel(sim.ChannelSpec{Name: "secret", Kind: sim.Private, Members: []*sim.User{s.ann}})
	s.slash(s.ann, secret, cowboy)
	j := s.job()
	s.sim.Inject(sim.Fault{Method: "chat.postMessage", Kind: sim.DropBefore})
	if err := s.show(j.ID, generate.Accepted); retryOf(err) == nil {
		t.Fatalf("show says %v", err)
	}
	s.sim.Advance(time.Second)
	if err := s.show(j.ID, generate.Accepted); !errors.Is(err, generate.ErrUnreachable) {
		t.Errorf("show says %v", err)
	}
	s.whisper(s.ann, secret, "/invite")
}
