package generate_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/core/generate"
)

func TestATakeThatComesLateIsPostedByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.deadline = 2 * time.Hour
		p := w.run()
		a := askTakes(t, 0, 3)
		p.mustSubmit(t, a)
		elapse(30 * time.Second)
		w.provider.slow(take(t, 2), 40*time.Minute)
		elapse(25 * time.Minute)
		if len(w.channel.posted()) > 0 {
			t.Errorf("posted %v while a take is still made and little time has passed", w.channel.posted())
		}
		elapse(7 * time.Minute)
		if got := w.channel.messages[take(t, 1)]; !slices.Equal(got, []string{take(t, 1), take(t, 3)}) {
			t.Errorf("the message has the takes %v, want those that are made", got)
		}
		elapse(20 * time.Minute)
		if got := w.channel.messages[take(t, 2)]; !slices.Equal(got, []string{take(t, 2)}) {
			t.Errorf("the late take is in the message %v, want one of its own", got)
		}
		for i, j := range p.batchOf(t, a.Event, 3) {
			if j.State != generate.Delivered || j.Unfinished() {
				t.Errorf("take %d is %s", i+1, j.State)
			}
		}
	})
}

// TestALateTakeThatIsNotMadeIsTold: the card goes on telling of takes that are
// not in the message, and whoever did not stop one is told by a message.
func TestALateTakeThatIsNotMadeIsTold(t *testing.T) {
	cancel := func(by string) func(*world, *process) {
		return func(w *world, p *process) {
			if _, err := p.engine.Cancel(w.t.Context(), take(w.t, 2), by); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	for name, tt := range map[string]struct {
		end     func(*world, *process)
		state   generate.State
		notices int
	}{
		"its requester stops it":   {cancel("test:1"), generate.Cancelled, 0},
		"an admin stops it":        {cancel("test:9"), generate.Cancelled, 1},
		"the provider can't do it": {func(w *world, _ *process) { w.change(func(f *fakeProvider) { f.failOf = failures(w, 2) }) }, generate.Failed, 1},
	} {
		t.Run(name, virtual(func(t *testing.T) {
			w := newWorld(t)
			w.deadline = 2 * time.Hour
			p := w.start(crashAt(0))
			defer func() { p.kill(t) }()
			p.mustSubmit(t, askTakes(t, 0, 3))
			elapse(30 * time.Second)
			w.provider.slow(take(t, 2), 40*time.Minute)
			elapse(32 * time.Minute)
			if got := w.channel.messages[take(t, 1)]; len(got) != 2 {
				t.Fatalf("the message has %v, want the two takes that are made", got)
			}
			tt.end(w, p)
			p.kill(t)
			p = w.start(crashAt(0))
			elapse(20 * time.Minute)
			card := w.channel.shown(take(t, 1))
			if len(card.Takes) != 3 || card.Takes[1].State != tt.state {
				t.Errorf("the card shows %d takes, the second one %s, want %s", len(card.Takes), card.Takes[1].State, tt.state)
			}
			if lead := p.readJob(t, take(t, 1)); lead.Unfinished() {
				t.Errorf("the lead is still %s", lead.State)
			}
			for i := 1; i <= 3; i++ {
				want := 0
				if i == 2 {
					want = tt.notices
				}
				if got := w.channel.noticed(take(t, i)); got != want {
					t.Errorf("take %d: %d notices, want %d", i, got, want)
				}
			}
		}))
	}
}

// TestABatchDoesNotOutwaitItsConversation: what is made is posted while the
// conversation takes it without fail.
func TestABatchDoesNotOutwaitItsConversation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.deadline = 2 * time.Hour
		p := w.run()
		a := askTakes(t, 0, 3)
		a.PostBefore = time.Now().Add(10 * time.Minute)
		p.mustSubmit(t, a)
		elapse(30 * time.Second)
		w.provider.slow(take(t, 2), 40*time.Minute)
		elapse(9 * time.Minute)
		if posted := w.channel.posted(); len(posted) > 0 {
			t.Errorf("posted %v while there is time", posted)
		}
		elapse(time.Minute)
		if got := w.channel.messages[take(t, 1)]; !slices.Equal(got, []string{take(t, 1), take(t, 3)}) {
			t.Errorf("the message has the takes %v, want those that are made", got)
		}
	})
}

// delay makes each upload take so long.
func (c *fakeChannel) delay(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.slow = d
}

// slow makes the provider run a job longer from now on.
func (p *fakeProvider) slow(job string, more time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, j := range p.jobs {
		if j.asked.Job == job {
			j.at = j.at.Add(more)
		}
	}
}

func TestAVideoThatIsFoundAfterItsBatchWasPostedIsLinked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.provider.loseReply, w.provider.hidden = true, true
		p := w.run()
		a := askTakes(t, 0, 2)
		p.mustSubmit(t, a)
		elapse(15 * time.Minute)
		jobs := p.batchOf(t, a.Event, 2)
		lost := slices.IndexFunc(jobs, func(j generate.Job) bool { return j.State == generate.Failed })
		if lost < 0 || len(w.channel.posted()) != 1 {
			t.Fatalf("the takes are %s and %s, %d videos are posted; want one lost, one posted", jobs[0].State, jobs[1].State, len(w.channel.posted()))
		}
		request, _ := w.provider.find(jobs[lost].ID)
		if err := p.engine.Arrived(t.Context(), jobs[lost].ID, request); err != nil {
			t.Fatal(err)
		}
		elapse(time.Minute)
		j := p.batchOf(t, a.Event, 2)[lost]
		switch {
		case lost > 0 && (j.State != generate.Delivered || len(w.channel.messages[j.ID]) != 1):
			t.Errorf("the take is %s, want it posted by itself", j.State)
		case lost == 0 && (j.State != generate.Failed || !strings.HasPrefix(w.channel.shown(j.ID).Takes[0].Output.URL, "https://")):
			t.Errorf("the take is %s, want a link on the card", j.State)
		case lost == 0 && w.channel.noticed(j.ID) != 1:
			t.Error("its requester is not told, since edits of the card notify nobody")
		}
		if j.Charged == 0 || j.Unfinished() {
			t.Errorf("charged %d, unfinished: %t", j.Charged, j.Unfinished())
		}
	})
}

// TestTakesThatComeBackTogetherArePostedOnce: both submits were lost and given
// up. The provider tells of the second take first, which goes alone; while its
// video is on the way, the lead comes back, too.
func TestTakesThatComeBackTogetherArePostedOnce(t *testing.T) {
	for _, apart := range []time.Duration{0, time.Second, 3 * time.Second, 10 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.provider.loseAll, w.provider.hidden = true, true
			p := w.run()
			a := askTakes(t, 0, 2)
			p.mustSubmit(t, a)
			elapse(40 * time.Minute)
			jobs := p.batchOf(t, a.Event, 2)
			w.channel.delay(30 * time.Second)
			for _, i := range []int{1, 0} {
				if jobs[i].Failure.Kind != generate.FailLost || jobs[i].Unfinished() {
					t.Fatalf("take %d is %s (%s)", i+1, jobs[i].State, jobs[i].Failure.Kind)
				}
				p.arrived(t, w, jobs[i].ID)
				elapse(apart)
			}
			elapse(10 * time.Minute)
			times := map[string]int{}
			for _, videos := range w.channel.messages {
				for _, video := range videos {
					times[video]++
				}
			}
			if times[jobs[0].ID] != 1 || times[jobs[1].ID] != 1 {
				t.Errorf("%s apart: the videos are in messages %v, want each once", apart, w.channel.messages)
			}
			for i, j := range p.batchOf(t, a.Event, 2) {
				if j.State != generate.Delivered || j.Unfinished() {
					t.Errorf("%s apart: take %d is %s", apart, i+1, j.State)
				}
			}
		})
	}
}
