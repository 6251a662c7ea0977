package slack_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/bot/adapter/adaptertest"
	"ltxbot/bot/slack"
	"ltxbot/core/generate"
	"ltxbot/internal/need"
	sim "ltxbot/sim/slack"
)

func TestTheAcknowledgementDoesNotWaitForTheStore(t *testing.T) {
	t.Parallel()
	var slowest atomic.Int64
	s := prepareStage(t, sim.Options{NoRateLimits: true}, func(c *slack.Config) {
		c.ObserveAck = func(d time.Duration) { slowest.Store(max(slowest.Load(), int64(d))) }
	})
	s.engine.Wait = make(chan struct{})
	s.start()
	r := s.slash(s.ann, s.general, cowboy) // it returns with the acknowledgement: while the engine waits
	s.until("the acknowledgement is observed", func() bool { return slowest.Load() > 0 })
	if len(r.Answer) > 0 && string(r.Answer) != "null" {
		t.Errorf("the acknowledgement says %s", r.Answer)
	}
	close(s.engine.Wait)
	s.job()
}

func TestABurstBeyondTheRoomIsToldToComeBackAndCounted(t *testing.T) {
	t.Parallel()
	need.Speed(t)
	var turnedAway atomic.Int64
	s := prepareStage(t, sim.Options{NoRateLimits: true}, func(c *slack.Config) { c.OnBusy = func() { turnedAway.Add(1) } })
	s.engine.Wait = make(chan struct{})
	s.start()
	const burst = 300
	var busy, fine atomic.Int64
	var group sync.WaitGroup
	for range burst {
		group.Go(func() {
			r, err := s.ann.Slash(s.ctx, s.general, "/ltx", cowboy)
			switch {
			case err != nil:
				t.Errorf("slash: %v", err)
			case strings.Contains(string(r.Answer), "too busy right now"):
				busy.Add(1)
			default:
				fine.Add(1)
			}
		})
	}
	group.Wait()
	if busy.Load() == 0 || busy.Load() != turnedAway.Load() || busy.Load()+fine.Load() != burst {
		t.Errorf("%d accepted, %d turned away, %d counted", fine.Load(), busy.Load(), turnedAway.Load())
	}
	close(s.engine.Wait)
	for range fine.Load() {
		s.job()
	}
}

func TestARefreshOfAConnectionLosesNoCommand(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for n := range 3 {
		s.connected(2)
		// It stays away until it was seen to be gone.
		back := s.sim.Inject(sim.Fault{Method: "apps.connections.open", Kind: sim.HTTPStatus, Times: -1})
		s.sim.SendFrame(map[string]any{"type": "disconnect", "reason": "refresh_requested"})
		s.connected(1)
		back()
		s.slash(s.ann, s.general, fmt.Sprintf("take %d of a cowboy", n))
		s.job()
	}
}

func TestConnectionsThatAllBreakAreMadeAgain(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.connected(2)
	cancel := s.sim.Inject(sim.Fault{Method: "apps.connections.open", Kind: sim.HTTPStatus, Times: -1})
	s.sim.DropSockets()
	s.connected(0)
	s.until("the loss is noticed", func() bool { return !s.bot.Connected() })
	cancel()
	s.connected(2)
	s.until("the connections are noticed", s.bot.Connected)
	s.ask(cowboy)
}

func TestAnEventThatNobodyCanReadIsAcknowledged(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	// slack-go refuses the whole of a message with a block like this.
	s.sim.SendFrame(map[string]any{"type": "interactive", "envelope_id": "odd", "payload": map[string]any{
		"type": "message_action", "callback_id": "x", "message": map[string]any{"blocks": "not a list", "ts": 5},
	}})
	err := s.sim.Wait(s.ctx, func() bool {
		for _, a := range s.sim.Acks() {
			if a.EnvelopeID == "odd" {
				return true
			}
		}
		return false
	})
	if err != nil {
		t.Errorf("no acknowledgement: %v", err)
	}
}

func TestAPanicCostsOneAnswer(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.engine.Lock()
	s.engine.Panics = true
	s.engine.Unlock()
	s.slash(s.ann, s.general, cowboy)
	s.whisper(s.ann, s.general, "the number")
	s.engine.Lock()
	s.engine.Panics = false
	s.engine.Unlock()
	s.ask(cowboy)
}

func TestWhatNoConnectionCanMendIsFatal(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		end  func(s *stage)
		says string
	}{
		{"the token is revoked", func(s *stage) { s.ws.RevokeToken() }, "revoked"},
		{"the app is removed", func(s *stage) { s.ws.Uninstall() }, "removed from the workspace"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			tt.end(s)
			select {
			case err := <-s.bot.Fatal():
				var f *slack.FatalError
				if !errors.As(err, &f) || !strings.Contains(err.Error(), tt.says) {
					t.Errorf("fatal says %v", err)
				}
			case <-s.ctx.Done():
				t.Error("nobody is told")
			}
		})
	}
}

func TestStartSaysWhyItCannot(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(c *slack.Config)
		says   string
	}{
		{"an unknown bot token", func(c *slack.Config) { c.BotToken = "xoxb-1" }, "copy it again"},
		{"an unknown app token", func(c *slack.Config) { c.AppToken = "xapp-1" }, "copy it again"},
		{"Socket Mode is off", nil, "switch it on at"},
		{"the tokens swapped", func(c *slack.Config) { c.AppToken = c.BotToken }, "must start with"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := prepareStage(t, sim.Options{NoRateLimits: true}, func(c *slack.Config) {
				if tt.change != nil {
					tt.change(c)
				}
			})
			s.sim.SetSocketMode(tt.change != nil)
			err := s.bot.Start(s.ctx)
			var f *slack.FatalError
			if !errors.As(err, &f) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("start says %v", err)
			}
		})
	}
}

func TestStopMayBeCalledTwiceAndBeforeStart(t *testing.T) {
	t.Parallel()
	s := prepareStage(t, sim.Options{})
	for range 2 {
		s.check("stop", s.bot.Stop(s.ctx))
	}
}

func TestAnEventThatIsBroughtTwiceIsOneJob(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.general.Add(s.ann)
	payload := map[string]any{
		"type": "event_callback", "event_id": "Ev1", "team_id": s.ws.ID(),
		"event": map[string]any{"type": "app_mention", "user": s.ann.ID(), "channel": s.general.ID(), "text": "<@" + s.ws.Bot().ID() + "> " + cowboy, "ts": "1.000001"},
	}
	for n := range 3 {
		s.sim.SendFrame(map[string]any{"type": "events_api", "envelope_id": fmt.Sprint("e", n), "payload": payload, "retry_attempt": n})
	}
	s.job()
	err := s.sim.Wait(s.ctx, func() bool { return len(s.sim.Acks()) >= 3 })
	if err != nil {
		t.Fatal(err)
	}
	s.wantJobs(1)
}

// Somebody has switched Socket Mode off on the app's page. Slack refuses new
// connections, or gives some that are silent.
func TestSocketModeThatIsSwitchedOffIsWaitedFor(t *testing.T) {
	t.Parallel()
	for name, off := range map[string]func(s *sim.Server) (on func()){
		"and refused": func(s *sim.Server) func() {
			s.SetSocketMode(false)
			return func() { s.SetSocketMode(true) }
		},
		"with a warning": (*sim.Server).MuteSocketMode,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			j := s.shown(cowboy, generate.Accepted)
			all := func() bool { return slack.Live(s.bot) == slack.Connections }
			s.until("all connections are there", all)
			on := off(s.sim)
			s.until("the bot knows", func() bool { return !s.bot.Connected() && strings.Contains(s.log.String(), "no command comes in") })
			s.mustShow(j.ID, generate.Running)
			s.mustDeliver(j.ID)
			if len(videos(s.general)) != 1 || len(results(s.general, j.ID)) != 1 {
				t.Errorf("what was under way was not delivered: %s", texts(s.general))
			}
			asked := len(s.sim.Requests("apps.connections.open"))
			s.until("it is tried again", func() bool { return len(s.sim.Requests("apps.connections.open")) >= asked+4 })
			select {
			case err := <-s.bot.Fatal():
				t.Fatalf("the bot ends: %v", err)
			default:
			}
			if s.bot.Connected() {
				t.Error("the bot is ready for commands that do not come")
			}
			if got := strings.Count(s.log.String(), "no command comes in"); got != 1 {
				t.Errorf("%d lines within a moment", got)
			}
			if got := len(s.sim.Requests("apps.connections.open")); got > 30 {
				t.Errorf("%d tries: the pauses do not grow", got)
			}
			on()
			// Slack may send a command on a silent connection, too, that the bot
			// is about to leave: the command would be lost.
			s.until("it is on again", all)
			s.ask(cowboy)
		})
	}
}

// Apps have been warned and got events all the same.
func TestAConnectionThatBringsEventsInSpiteOfAWarningIsAGoodOne(t *testing.T) {
	t.Parallel()
	s := prepareStage(t, quietSim(), func(c *slack.Config) { c.Timing.Reconnect = time.Hour })
	on := s.sim.MuteSocketMode()
	s.start()
	if s.bot.Connected() {
		t.Error("a silent connection counts")
	}
	on()
	s.ask(cowboy)
	s.until("the event is noticed", s.bot.Connected)
}

func TestThatSocketModeIsOffIsLoggedOnceAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := &adaptertest.Log{}
		off := slack.Reminder(t.Context(), slog.New(slog.NewTextHandler(log, nil)))
		for want := 1; want <= 5; want++ {
			off()
			synctest.Wait()
			if got := strings.Count(log.String(), "switch it on at"); got != want {
				t.Fatalf("%d lines after %d minutes", got, want-1)
			}
			<-time.After(time.Minute)
		}
	})
}
