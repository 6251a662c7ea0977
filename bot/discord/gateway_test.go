package discord_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"ltxbot/bot/discord"
	sim "ltxbot/sim/discord"
)

var unlimited = sim.Options{RateLimits: sim.RateLimits{Off: true}, IdentifyEvery: -1}

// waitConnections waits until so many connections were made and one is up.
func (s *stage) waitConnections(n int) {
	s.t.Helper()
	made := func() int { return strings.Count(s.log.String(), "connected to discord") }
	s.until(fmt.Sprintf("%d connections were made and one is up", n), func() bool { return made() >= n && s.sim.Connected() == 1 })
}

func TestGatewayConnectsAgainAfterFaultsBeforeItIsReady(t *testing.T) {
	t.Parallel()
	faults := map[string]sim.GatewayFault{
		"no HELLO":             {NoHello: true},
		"no READY":             {NoReady: true},
		"op 9 for an identify": {InvalidIdentify: true},
		"op 7 for an identify": {Reconnect: true},
		"502 for the upgrade":  {Refuse: true},
		"close code 4000":      {CloseAtIdentify: 4000},
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := prepareStage(t, unlimited, func(c *discord.Config) { c.Timing.Handshake = 300 * time.Millisecond })
			s.sim.GatewayFault(fault)
			s.start()
			s.check("connect", s.sim.WaitConnected(s.ctx, 1)) // one that was given up may still be there
			if !s.log.Has("cannot connect to discord") {
				t.Error("the fault was not met")
			}
		})
	}
}

func TestGatewayResumesAfterALossWhereDiscordKeepsTheSession(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fault      sim.GatewayFault
		lose       func(*stage)
		identifies int
	}{
		"dropped connection": {lose: func(s *stage) { s.sim.DropGateway() }, identifies: 1},
		"op 7":               {lose: func(s *stage) { s.sim.AskReconnect() }, identifies: 1},
		"op 9":               {lose: func(s *stage) { s.sim.InvalidateSessions(false) }, identifies: 2},
		"op 9, resumable":    {lose: func(s *stage) { s.sim.InvalidateSessions(true) }, identifies: 1},
		"close code 1001":    {lose: func(s *stage) { s.sim.CloseGateway(1001) }, identifies: 2},
		"close code 4000":    {lose: func(s *stage) { s.sim.CloseGateway(4000) }, identifies: 1},
		"close code 4009":    {lose: func(s *stage) { s.sim.CloseGateway(4009) }, identifies: 2},
		"op 9 for a resume": {
			fault: sim.GatewayFault{InvalidResume: true}, lose: func(s *stage) { s.sim.DropGateway() }, identifies: 2,
		},
		"dead host to resume": {
			fault: sim.GatewayFault{DeadResumeHost: true}, lose: func(s *stage) { s.sim.DropGateway() }, identifies: 2,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := prepareStage(t, unlimited)
			if tt.fault != (sim.GatewayFault{}) {
				s.sim.GatewayFault(tt.fault)
			}
			s.start()
			tt.lose(s)
			s.waitConnections(2)
			if got := s.sim.Identifies(); got != tt.identifies {
				t.Errorf("%d identifies, want %d", got, tt.identifies)
			}
			s.ask("/ltx prompt:a cowboy")
		})
	}
}

// TestCommandThatComesBetweenTwoConnectionsIsAnswered has Discord send it after
// the resume.
func TestCommandThatComesBetweenTwoConnectionsIsAnswered(t *testing.T) {
	t.Parallel()
	s := newStageWith(t, unlimited, func(c *discord.Config) { c.Timing.BackoffLeast, c.Timing.BackoffMost = time.Second, time.Second })
	s.sim.DropGateway()
	s.ask("/ltx prompt:a cowboy")
	s.waitConnections(2)
	if got := s.sim.Identifies(); got != 1 {
		t.Errorf("%d identifies, want 1", got)
	}
}

func TestGatewayAnswersWhenItIsAskedForAHeartbeat(t *testing.T) {
	t.Parallel()
	s := newStageWith(t, unlimited) // whose own heartbeats are 41 s apart
	s.sim.RequestHeartbeat()
	s.until("there is a heartbeat", func() bool { return s.sim.Heartbeats() > 0 })
}

func TestGatewayNoticesAConnectionThatIsDeadWithoutAClose(t *testing.T) {
	t.Parallel()
	opts := unlimited
	opts.Heartbeat = 100 * time.Millisecond
	s := prepareStage(t, opts)
	s.sim.GatewayFault(sim.GatewayFault{NoAck: true})
	s.start()
	s.waitConnections(2)
}

func TestGatewayHoldsAQuietConnection(t *testing.T) {
	t.Parallel()
	opts := unlimited
	opts.Heartbeat = 2 * time.Second // and a second more, for a busy machine
	s := newStageWith(t, opts)
	for s.sim.Heartbeats() < 3 {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-s.ctx.Done():
			t.Fatal("no heartbeats")
		}
	}
	if got := s.sim.Identifies(); got != 1 {
		t.Errorf("%d identifies, want 1", got)
	}
}

func TestGatewayGivesUpOnCloseCodesThatForbidToConnectAgain(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]string{4004: "token", 4010: "shard", 4011: "shard", 4012: "version", 4013: "intents", 4014: "intents"} {
		s := prepareStage(t, unlimited)
		s.sim.GatewayFault(sim.GatewayFault{CloseAtIdentify: code, Times: -1})
		err := s.bot.Start(s.ctx)
		var fatal *discord.FatalError
		if !errors.As(err, &fatal) || fatal.Code != code || !strings.Contains(err.Error(), want) {
			t.Errorf("start with close code %d: %v", code, err)
		}
	}
}

func TestGatewayReportsAFatalCloseOfALaterConnection(t *testing.T) {
	t.Parallel()
	s := newStageWith(t, unlimited)
	s.sim.GatewayFault(sim.GatewayFault{CloseAtIdentify: 4014, Times: -1})
	s.sim.InvalidateSessions(false)
	select {
	case err := <-s.bot.Fatal():
		var fatal *discord.FatalError
		if !errors.As(err, &fatal) || fatal.Code != 4014 {
			t.Errorf("got %v", err)
		}
	case <-s.ctx.Done():
		t.Fatal("no fatal error")
	}
}

func TestStartRefusesATokenThatDiscordDoesNotKnow(t *testing.T) {
	t.Parallel()
	for _, app := range []string{"", "123"} {
		s := prepareStage(t, unlimited, func(c *discord.Config) { c.Token, c.ApplicationID = "wrong", app })
		err := s.bot.Start(s.ctx)
		var fatal *discord.FatalError
		if !errors.As(err, &fatal) || strings.Contains(err.Error(), "wrong") {
			t.Errorf("got %v", err)
		}
	}
}

func TestGatewayBacksOffFromConnectionsThatBreakAtOnce(t *testing.T) {
	t.Parallel()
	s := prepareStage(t, unlimited, func(c *discord.Config) {
		c.Timing.BackoffLeast, c.Timing.BackoffMost = 100*time.Millisecond, time.Minute
	})
	s.sim.GatewayFault(sim.GatewayFault{DropAfterReady: true, Times: -1})
	s.sim.GatewayFault(sim.GatewayFault{InvalidResume: true, Times: -1})
	began := time.Now()
	s.start()
	select {
	case <-time.After(time.Second):
	case <-s.ctx.Done():
	}
	got, took := s.sim.Identifies(), time.Since(began)
	most := 1
	for pause := 50 * time.Millisecond; pause <= took; pause *= 2 { // each is at least that long
		took -= pause
		most++
	}
	if got > most {
		t.Errorf("%d identifies, want %d at most", got, most)
	}
}

func TestConnectedIsTrueOnlyWhileThereIsAConnection(t *testing.T) {
	t.Parallel()
	s := prepareStage(t, unlimited)
	if s.bot.Connected() {
		t.Error("connected before the start")
	}
	s.start()
	if !s.bot.Connected() {
		t.Error("not connected after the start")
	}
	s.sim.GatewayFault(sim.GatewayFault{Refuse: true, Times: -1})
	s.sim.DropGateway()
	s.until("it is not connected", func() bool { return !s.bot.Connected() })
	s.sim.ClearGatewayFaults()
	s.until("it is connected", s.bot.Connected)
}

func TestStopEndsTheConnectionAndMayBeCalledTwice(t *testing.T) {
	t.Parallel()
	s := newStageWith(t, unlimited)
	for range 2 {
		s.check("stop", s.bot.Stop(s.ctx))
	}
	s.until("the connection ends", func() bool { return s.sim.Connected() == 0 })
}

// TestCommandsAreAnsweredSoonAfterTheGatewayAsksTwiceForANewConnection has op
// 7 in the place of READY. Each costs one handshake and not more.
func TestCommandsAreAnsweredSoonAfterTheGatewayAsksTwiceForANewConnection(t *testing.T) {
	t.Parallel()
	const handshake = time.Second
	for name, fault := range map[string]sim.GatewayFault{
		"op 7": {Reconnect: true, Times: 2}, "no HELLO": {NoHello: true, Times: 2}, "no READY": {NoReady: true, Times: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStageWith(t, unlimited, func(c *discord.Config) { c.Timing.Handshake = handshake })
			s.sim.GatewayFault(fault)
			s.sim.InvalidateSessions(false)
			began := time.Now()
			s.waitConnections(2)
			s.ask("/ltx prompt:a cowboy")
			if took := time.Since(began); took > 15*handshake { // two, and a busy machine
				t.Errorf("answered after %s", took)
			}
		})
	}
}

func TestAddressOfTheGatewayThatDoesNotComeIsAskedForAgain(t *testing.T) {
	t.Parallel()
	s := prepareStage(t, unlimited, func(c *discord.Config) { c.Timing.Handshake = 300 * time.Millisecond })
	s.sim.Inject(sim.Fault{Route: sim.RouteGatewayBot, Delay: time.Hour})
	s.start()
}

func TestHandshakeMayTakeTenSeconds(t *testing.T) {
	t.Parallel()
	if got := discord.DefaultTiming().Handshake; got != 10*time.Second {
		t.Errorf("handshake may take %s", got)
	}
}
