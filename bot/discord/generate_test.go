package discord_test

import (
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ltxbot/bot/discord"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/quota"
	sim "ltxbot/sim/discord"
)

func TestCommandBecomesACardAndThenAVideo(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.ask("/ltx prompt:a cowboy walks through a dusty town camera:dolly_in duration:5")
	if got := j.Request.Camera(); got != "dolly_in" {
		t.Errorf("camera %q, want dolly_in", got)
	}
	s.mustShow(j.ID, generate.Queued)
	s.mustShow(j.ID, generate.Running)
	card := s.card(j)
	if card.Loading || card.EphemeralTo != "" || !strings.Contains(card.Text(), "a cowboy walks through a dusty town") {
		t.Errorf("card is %+v", card)
	}
	if _, ok := card.Button(view.ButtonID(view.ActCancel, j.ID)); !ok {
		t.Errorf("card has no button to cancel: %+v", card.Buttons)
	}
	receipt := s.mustDeliver(j.ID, 3<<20)
	found := videos(s.general, j.ID)
	if len(found) != 1 {
		t.Fatalf("%d messages with the video, want 1", len(found))
	}
	m := found[0]
	switch {
	case m.ID != receipt.Message || receipt.Fit != generate.FitOriginal:
		t.Errorf("receipt is %+v, message is %s", receipt, m.ID)
	case !slices.Equal(m.Pings.Users, []string{s.ada.ID}) || m.Pings.Everyone || len(m.Pings.Roles) > 0:
		t.Errorf("pings %+v, want ada only", m.Pings)
	case len(m.Attachments) != 1 || !m.Attachments[0].Shown || m.Attachments[0].Size != 3<<20:
		t.Errorf("attachments are %+v", m.Attachments)
	case !strings.Contains(m.Attachments[0].Description, "a cowboy walks"):
		t.Errorf("alt text is %q", m.Attachments[0].Description)
	case m.ReplyTo != card.ID:
		t.Errorf("replies to %q, want the card %q", m.ReplyTo, card.ID)
	case !strings.HasSuffix(receipt.Link, "/"+s.general.ID+"/"+m.ID):
		t.Errorf("link is %q", receipt.Link)
	}
	s.mustShow(j.ID, generate.Delivered)
	if card := s.card(j); len(card.Buttons) != 0 || len(card.Pings.Users) != 0 {
		t.Errorf("last card is %+v", card)
	}
}

func TestCommandIsAcknowledgedBeforeItIsAccepted(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.engine.Wait = make(chan struct{})
	i := s.types("/ltx prompt:a cowboy")
	s.acked(i)
	if got := i.CallbackType(); got != 5 {
		t.Errorf("callback of type %d, want 5", got)
	}
	if m, _ := i.Response(); !m.Loading || m.EphemeralTo != "" {
		t.Errorf("response is %+v, want a public deferral", m)
	}
	close(s.engine.Wait)
	s.job(i)
}

func TestPrivateCommandIsSeenByTheCallerOnly(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.ask("/ltx prompt:a secret private:True")
	if !j.Place.Private {
		t.Fatal("job is not private")
	}
	s.mustShow(j.ID, generate.Running)
	card := s.card(j)
	if card.EphemeralTo != s.ada.ID || !strings.Contains(card.Text(), "14 minutes") {
		t.Errorf("card is %+v", card)
	}
	s.mustDeliver(j.ID, 1<<20)
	found := videos(s.general, j.ID)
	if len(found) != 1 || found[0].EphemeralTo != s.ada.ID || len(found[0].Attachments) != 1 {
		t.Errorf("videos are %+v", found)
	}
	s.mustShow(j.ID, generate.Delivered)
	if strings.Contains(s.card(j).Text(), "14 minutes") {
		t.Error("the last card still speaks of what comes")
	}
}

func TestInvalidCommandIsRefusedToTheCallerOnly(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	i := s.slash("ltx", sim.Arg("prompt", "a cowboy"), sim.Arg("size", "99999x3"), sim.Arg("duration", "forever"))
	m := s.response(i)
	if m.EphemeralTo != s.ada.ID || i.CallbackType() != 4 {
		t.Errorf("answer is %+v", m)
	}
	for _, want := range []string{"size", "duration"} {
		if !strings.Contains(m.Text(), want) {
			t.Errorf("answer does not name %s: %s", want, m.Text())
		}
	}
}

// askInVain lets ada type a command for which a limit has no room, as is found
// out after the acknowledgement.
func (s *stage) askInVain(line string) (generate.Job, *sim.Interaction) {
	s.t.Helper()
	s.engine.Refuse = &quota.LimitError{Reason: quota.LineFull, Line: 5}
	i := s.types(line)
	return s.job(i), i
}

func TestRefusalAfterTheAcknowledgementLeavesNothingInTheChannel(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j, _ := s.askInVain("/ltx prompt:a cowboy")
	for range 2 {
		s.mustShow(j.ID, generate.Failed)
	}
	var told []sim.Message
	for _, m := range s.general.MessagesFor(s.ada) {
		if m.EphemeralTo == s.ada.ID {
			told = append(told, m)
		}
	}
	if len(told) != 1 || !strings.Contains(told[0].Text(), "5 jobs waiting") {
		t.Errorf("ada is told %+v", told)
	}
	bob := s.sim.NewUser("bob")
	s.guild.Join(bob)
	if seen := s.general.MessagesFor(bob); len(seen) != 0 {
		t.Errorf("others see %+v", seen)
	}
}

func TestRefusalAfterTheAcknowledgementIsShownWhenTheDeferralStays(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.sim.Inject(sim.Fault{Route: sim.RouteDeleteResponse, Status: 403, Times: -1})
	j, i := s.askInVain("/ltx prompt:a cowboy")
	s.mustShow(j.ID, generate.Failed)
	if m := s.response(i); m.EphemeralTo != "" || !strings.Contains(m.Text(), "Nothing was charged") {
		t.Errorf("refusal is %+v", m)
	}
}

func TestRefusalOfAPrivateCommandIsItsAnswer(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j, i := s.askInVain("/ltx prompt:a cowboy private:True")
	s.mustShow(j.ID, generate.Failed)
	if m := s.response(i); m.EphemeralTo != s.ada.ID || !strings.Contains(m.Text(), "5 jobs waiting") {
		t.Errorf("refusal is %+v", m)
	}
}

// TestDiscordTellsWhetherACommandWasAcknowledged is what the next process asks
// about a job whose process was killed round the acknowledgement.
func TestDiscordTellsWhetherACommandWasAcknowledged(t *testing.T) {
	t.Parallel()
	asked := func(s *stage, line string) generate.Job {
		i := s.types(line)
		return s.job(i)
	}
	for name, c := range map[string]struct {
		job  func(s *stage) generate.Job
		want bool
		err  error
	}{
		"it was":             {func(s *stage) generate.Job { return asked(s, "/ltx prompt:a cowboy") }, true, nil},
		"it was, in private": {func(s *stage) generate.Job { return asked(s, "/ltx prompt:a cowboy private:True") }, true, nil},
		"it was not": {func(s *stage) generate.Job {
			j := asked(s, "/ltx prompt:a cowboy")
			s.sim.Inject(sim.Fault{Route: sim.RouteCallback, Drop: true, Times: -1})
			i := s.types("/ltx prompt:a dog")
			j.Notes["secret_token"] = i.Token()
			return j
		}, false, nil},
		"it was refused": {func(s *stage) generate.Job {
			j := asked(s, "/ltx prompt:a cowboy")
			i := s.slash("ltx", sim.Arg("prompt", "a dog"), sim.Arg("duration", "forever"))
			s.response(i)
			j.Notes["secret_token"] = i.Token()
			return j
		}, false, nil},
		"the answer was deleted": {func(s *stage) generate.Job {
			j := asked(s, "/ltx prompt:a cowboy")
			s.sim.DeleteMessage(j.Notes["card"])
			return j
		}, false, nil},
		"the token is too old": {func(s *stage) generate.Job {
			j := asked(s, "/ltx prompt:a cowboy")
			s.sim.Advance(14*time.Minute + time.Second)
			return j
		}, false, generate.ErrCannotTell},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			got, err := s.bot.Courier().Acknowledged(s.ctx, c.job(s))
			if got != c.want || !errors.Is(err, c.err) {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

func TestSameEventOfTwoConnectionsIsOneJob(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	second := s.newBot()
	s.check("start", second.Start(s.ctx))
	s.check("connect", s.sim.WaitConnected(s.ctx, 2))
	j := s.ask("/ltx prompt:a cowboy")
	s.check("stop", second.Stop(s.ctx))
	s.check("stop", s.bot.Stop(s.ctx))
	if len(s.engine.Known) != 1 || s.engine.Known[j.ID].ID == "" {
		t.Errorf("jobs are %v", s.engine.Known)
	}
}

func TestLostReplyOfTheAcknowledgementDoesNotLoseTheJob(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.sim.Inject(sim.Fault{Route: sim.RouteCallback, LoseReply: true})
	j := s.running("/ltx prompt:a cowboy")
	if got := s.card(j); got.Loading {
		t.Error("the card still loads")
	}
}

func TestAcknowledgementThatIsNeverConfirmedMakesAJob(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]sim.Fault{
		"the person sees it":         {LoseReply: true, Times: -1},
		"the person does not see it": {Drop: true, Times: -1},
		"the reply comes too late":   {Delay: 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			fault.Route = sim.RouteCallback
			s.sim.Inject(fault)
			j := s.running("/ltx prompt:a cowboy")
			if got := s.card(j); got.Loading || !strings.Contains(got.Text(), "a cowboy") {
				t.Errorf("card is %+v", got)
			}
			s.mustDeliver(j.ID, 1<<20)
			s.wantVideos(j.ID, 1)
		})
	}
}

func TestPlaceIsCheckedBeforeMoneyIsSpent(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		config func(*stage, *discord.Config)
		place  func(*stage) *sim.Channel
		want   string
	}{
		{
			name:  "the bot may not attach files",
			place: func(s *stage) *sim.Channel { s.general.Deny(s.sim.Bot(), sim.AttachFiles); return s.general },
			want:  "Attach Files",
		},
		{
			name:  "the bot may not send messages",
			place: func(s *stage) *sim.Channel { s.general.Deny(s.sim.Bot(), sim.SendMessages); return s.general },
			want:  "Send Messages",
		},
		{
			name:  "the bot may not read the history",
			place: func(s *stage) *sim.Channel { s.general.Deny(s.sim.Bot(), sim.ReadMessageHistory); return s.general },
			want:  "Read Message History",
		},
		{
			name: "the bot may not send messages in threads",
			place: func(s *stage) *sim.Channel {
				s.general.Deny(s.sim.Bot(), sim.SendMessagesInThreads)
				return s.general.NewThread("a thread")
			},
			want: "Send Messages in Threads",
		},
		{
			name:  "the bot does not see the channel",
			place: func(s *stage) *sim.Channel { s.general.Deny(s.sim.Bot(), sim.ViewChannel); return s.general },
			want:  "View Channel",
		},
		{
			name:   "the channel is not on the list",
			config: func(s *stage, c *discord.Config) { c.Channels = []string{s.guild.NewChannel("videos").ID} },
			place:  func(s *stage) *sim.Channel { return s.general },
			want:   "<#",
		},
		{
			name:   "the channel is not age-restricted",
			config: func(_ *stage, c *discord.Config) { c.AgeRestrictedOnly = true },
			place:  func(s *stage) *sim.Channel { return s.general },
			want:   "age-restricted",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := prepareStage(t, unlimited)
			if tt.config != nil {
				tt.config(s, &s.cfg)
				s.bot = s.newBot()
			}
			s.start()
			m := s.response(s.slashBy(s.ada, tt.place(s), "ltx", sim.Arg("prompt", "a cowboy")))
			if m.EphemeralTo != s.ada.ID || !strings.Contains(m.Text(), tt.want) {
				t.Errorf("answer is %q", m.Text())
			}
			if len(s.engine.Known) != 0 {
				t.Error("a job was accepted")
			}
		})
	}
}

func TestAllowedPlacesTakeCommands(t *testing.T) {
	t.Parallel()
	s := prepareStage(t, unlimited)
	s.cfg.Channels, s.cfg.AgeRestrictedOnly = []string{s.general.ID}, true
	s.general.SetNSFW(true)
	s.bot = s.newBot()
	s.start()
	s.job(s.slashBy(s.ada, s.general.NewThread("a thread"), "ltx", sim.Arg("prompt", "a cowboy")))
}

func TestCallerIsWhoDiscordSays(t *testing.T) {
	t.Parallel()
	s := prepareStage(t, unlimited)
	studio := s.guild.NewRole("studio", 0)
	s.cfg.Team = func(guild string) string {
		if guild == s.guild.ID {
			return "acme"
		}
		return ""
	}
	s.cfg.Tiers = func(_ string, roles []string) []string {
		if slices.Contains(roles, studio.ID) {
			return []string{"studio"}
		}
		return nil
	}
	s.bot = s.newBot()
	s.start()
	s.guild.Join(s.ada, studio)
	s.ada.SetLocale("de")
	j := s.ask("/ltx prompt:ein Cowboy")
	if j.Team != "acme" || j.Member != "discord:"+s.ada.ID || !slices.Equal(j.Tiers, []string{"studio"}) || j.Place.Locale != "de" {
		t.Errorf("job is of %s, %s, %v, %s", j.Team, j.Member, j.Tiers, j.Place.Locale)
	}
}

func TestPanicCostsOneAnswer(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.engine.Panics = true
	m := s.response(s.types("/ltx prompt:a cowboy"))
	if m.EphemeralTo != s.ada.ID || !strings.Contains(m.Text(), "number") || !s.log.Has("handler panicked") {
		t.Errorf("answer is %q", m.Text())
	}
	s.engine.Lock()
	s.engine.Panics = false
	s.engine.Unlock()
	s.ask("/ltx prompt:a cowboy")
}

// TestFloodIsAnsweredPolitely has a clock that stands still: on a busy machine the
// time to answer an interaction would be over.
func TestFloodIsAnsweredPolitely(t *testing.T) {
	t.Parallel()
	opts, now := unlimited, time.Now()
	opts.Now = func() time.Time { return now }
	var turnedAway atomic.Int64
	s := newStageWith(t, opts, func(c *discord.Config) { c.OnBusy = func() { turnedAway.Add(1) } })
	s.engine.Wait = make(chan struct{})
	s.sim.Inject(sim.Fault{Route: sim.RouteCallback, Delay: 100 * time.Millisecond, Times: -1})
	const flood = 500 // more than there is room to work, and to say so at a time
	var asked []*sim.Interaction
	for range flood {
		i := s.types("/ltx prompt:a cowboy")
		asked = append(asked, i)
	}
	busy := 0
	for _, i := range asked {
		s.acked(i)
		if i.CallbackType() == 4 {
			busy++
			if m, _ := i.Response(); !strings.Contains(m.Text(), "too busy right now") {
				t.Errorf("answer is %q", m.Text())
			}
		}
	}
	close(s.engine.Wait)
	const want = flood - 256
	for turnedAway.Load() < want { // each is counted while it is being told
		select {
		case <-time.After(time.Millisecond):
		case <-s.ctx.Done():
			t.Fatalf("%d are counted, want %d", turnedAway.Load(), want)
		}
	}
	if busy != want || turnedAway.Load() != want {
		t.Errorf("%d are told to come back, %d are counted, want %d", busy, turnedAway.Load(), want)
	}
	s.engine.Lock()
	accepted := len(s.engine.Known)
	s.engine.Unlock()
	if accepted > 256 {
		t.Errorf("%d jobs were accepted", accepted)
	}
}

func TestEveryAcknowledgementIsMeasuredFromTheArrival(t *testing.T) {
	t.Parallel()
	acks := make(chan time.Duration, 1000)
	begin := time.Now()
	var looks atomic.Int64
	s := newStage(t, func(c *discord.Config) {
		// Each look at the clock is a millisecond after the one before.
		c.Now = func() time.Time { return begin.Add(time.Duration(looks.Add(1)) * time.Millisecond) }
		c.ObserveAck = func(d time.Duration) { acks <- d }
	})
	const n = 20
	for range n {
		s.types("/ltx prompt:a cowboy")
	}
	for i := range n {
		select {
		case d := <-acks:
			if d < time.Millisecond {
				t.Errorf("an acknowledgement took %s, want the time since the interaction came", d)
			}
		case <-s.ctx.Done():
			t.Fatalf("%d of %d acknowledged", i, n)
		}
	}
}
