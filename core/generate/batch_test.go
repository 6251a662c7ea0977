package generate_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
)

// takesOf are the ids of the takes of a command.
func takesOf(event string, n int) []string {
	ids := []string{generate.NewID(event)}
	for i := 2; i <= n; i++ {
		ids = append(ids, generate.NewID(fmt.Sprintf("%s#%d", ids[0], i)))
	}
	return ids
}

// take is the id of a take of the first command.
func take(t *testing.T, i int) string { return takesOf(ask(t, 0).Event, i)[i-1] }

// failing makes the model refuse some takes of the first command.
func failing(takes ...int) func(*world) {
	return func(w *world) { w.provider.failOf = failures(w, takes...) }
}

func failures(w *world, takes ...int) map[string]*generate.ProviderError {
	of := map[string]*generate.ProviderError{}
	for _, i := range takes {
		of[take(w.t, i)] = &generate.ProviderError{Op: "result", Kind: generate.FailRefused, HTTPStatus: 422}
	}
	return of
}

// batchScenarios are lives of commands that ask for several videos.
var batchScenarios = []scenario{
	{name: "three takes go well", takes: 3, ends: []ending{delivered}},
	{name: "the takes wait for each other's slot", takes: 3, arrange: oneAtATime, ends: []ending{delivered}, lasts: 10 * time.Minute},
	{name: "another take than the first fails", takes: 3, arrange: failing(2), ends: []ending{delivered, failedAs(generate.FailRefused)}},
	{name: "the first take fails", takes: 3, arrange: failing(1), ends: []ending{delivered, failedAs(generate.FailRefused)}},
	{name: "all takes fail", takes: 2, arrange: failing(1, 2), ends: []ending{failedAs(generate.FailRefused)}},
	{
		name: "somebody cancels the takes that are not made yet", takes: 3, arrange: oneAtATime,
		outside: []happening{press(0, 70*time.Second)}, ends: []ending{cancelled, delivered}, lasts: 10 * time.Minute,
	},
	{
		name: "the reply to a submit of a take is lost and nobody knows it", takes: 2,
		arrange: func(w *world) { w.provider.loseReply, w.provider.hidden = true, true }, ends: []ending{lostEnd, delivered},
	},
	{
		name: "files go into all takes", takes: 2, inputs: twoFiles,
		arrange: func(w *world) {
			w.channel.files["test:cat"], w.files["https://example.com/song.mp3"] = aPicture, aSound
		}, ends: []ending{delivered},
	},
	{
		name: "the conversation goes away while the takes are made", takes: 2,
		outside: []happening{{after: 20 * time.Second, does: func(w *world, _ *process) error {
			w.channel.mu.Lock()
			defer w.channel.mu.Unlock()
			w.channel.gone = true
			return nil
		}}},
		ends: []ending{
			{state: generate.Failed, kind: generate.FailUnreachable, hold: quota.Settled},
			{state: generate.Failed, kind: generate.FailUnreachable, hold: quota.Released},
			delivered,
		},
	},
	{
		name: "the results of all takes are gone when they are fetched", takes: 2,
		arrange: func(w *world) { w.provider.openErr = generate.ErrGone },
		ends:    []ending{{state: generate.Failed, kind: generate.FailExpired, hold: quota.Settled}},
	},
}

// checkBatch looks at what came of the takes of a command together.
func (sc scenario) checkBatch(t *testing.T, w *world, p *process, event string) error {
	t.Helper()
	ids := takesOf(event, sc.takes)
	lead, err := p.store.Job(t.Context(), ids[0])
	if errors.Is(err, generate.ErrNoJob) {
		return nil
	}
	if err != nil {
		return err
	}
	var states []string
	var takes []generate.Job
	for i, id := range ids {
		j, err := p.store.Job(t.Context(), id)
		if errors.Is(err, generate.ErrNoJob) && lead.Batch.Size == 0 {
			continue // it was never accepted
		}
		if err != nil {
			return fmt.Errorf("take %d: %w", i+1, err)
		}
		takes, states = append(takes, j), append(states, string(j.State))
		messages := 0
		for _, in := range w.channel.messages {
			if slices.Contains(in, id) {
				messages++
			}
		}
		if (messages == 1) != (j.State == generate.Delivered) || messages > 1 {
			return fmt.Errorf("take %d is %s and in %d messages", i+1, j.State, messages)
		}
		if i > 0 && len(w.channel.cards[id]) > 0 {
			return fmt.Errorf("take %d has a card of its own", i+1)
		}
	}
	if len(w.channel.messages) > 1 {
		return fmt.Errorf("there are %d messages, want one: %v", len(w.channel.messages), w.channel.messages)
	}
	if lead.Batch.Size == 0 || w.channel.gone {
		return nil
	}
	card := w.channel.shown(ids[0])
	var shown []string
	for _, j := range card.Takes {
		shown = append(shown, string(j.State))
	}
	if want := lead.Whole(takes).State; !slices.Equal(shown, states) || card.State != want {
		return fmt.Errorf("the card shows %v and %s, the takes are %v and together %s", shown, card.State, states, want)
	}
	return nil
}

// askTakes is a command for several videos.
func askTakes(t *testing.T, n, takes int, more ...ltx.Setting) generate.Ask {
	return ask(t, n, append([]ltx.Setting{{Key: "count", Value: strconv.Itoa(takes)}}, more...)...)
}

// batchOf reads the takes of a command.
func (p *process) batchOf(t *testing.T, event string, n int) []generate.Job {
	t.Helper()
	var jobs []generate.Job
	for _, id := range takesOf(event, n) {
		j := p.readJob(t, id)
		jobs = append(jobs, j)
	}
	return jobs
}

func TestTakesHaveSeedsHoldsAndPricesOfTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		p := w.run()
		a := askTakes(t, 0, 3)
		p.mustSubmit(t, a)
		elapse(5 * time.Second)
		jobs := p.batchOf(t, a.Event, 3)
		seeds := map[int64]bool{}
		one := a.Request.One().Estimate(price(a.Request.Endpoint()))
		for i, j := range jobs {
			seeds[j.Request.Seed()] = true
			if j.Batch.ID != jobs[0].ID || j.Batch.Index != i+1 || j.Batch.Size != 3 || j.Request.Count() != 1 || j.Estimate != one {
				t.Errorf("take %d: batch %+v, asks for %d videos, is estimated at %d; want %d", i+1, j.Batch, j.Request.Count(), j.Estimate, one)
			}
			if h, err := p.store.Hold(t.Context(), j.ID); err != nil || h.State != quota.Held || h.Estimate != one {
				t.Errorf("take %d: hold %+v, %v", i+1, h, err)
			}
		}
		if len(seeds) != 3 || jobs[0].Request.Seed() != 1000 {
			t.Errorf("the seeds are %v, want that of the command for the first take and others for the rest", seeds)
		}
		card := w.channel.shown(jobs[0].ID)
		if card.Estimate != 3*one || len(card.Takes) != 3 {
			t.Errorf("the card says %d for %d takes, want %d", card.Estimate, len(card.Takes), 3*one)
		}
	})
}

func TestTakesAreAcceptedAllOrNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.policy.Member.Windows[0].Videos = 3
		p := w.run()
		a := askTakes(t, 0, 4)
		_, quoted := p.engine.Quote(t.Context(), a)
		_, err := p.submit(t.Context(), a)
		for _, err := range []error{quoted, err} {
			limit, ok := errors.AsType[*quota.LimitError](err)
			if !ok || limit.Gauge.Used != 0 || limit.Gauge.Max != 3 || limit.Need != 4 {
				t.Errorf("four takes of three videos: %v, want a refusal that says that none of 3 is used", err)
			}
		}
		elapse(time.Minute)
		if _, err := p.store.Job(t.Context(), take(t, 2)); !errors.Is(err, generate.ErrNoJob) {
			t.Errorf("the second take: %v", err)
		}
		if _, err := p.submit(t.Context(), askTakes(t, 1, 3)); err != nil {
			t.Errorf("three takes of three videos: %v", err)
		}
		elapse(10 * time.Minute)
	})
}

// askTrial is a command that compares the strengths of a LoRA.
func askTrial(t *testing.T, n int) generate.Ask {
	t.Helper()
	a := ask(t, n)
	rules := ltx.Rules{Library: func(name string) (ltx.LoRA, bool) {
		return ltx.LoRA{Name: name, Path: "owner/film", Scale: 0.8}, true
	}}
	r, err := a.Request.With(rules, ltx.Setting{Key: "lora", Value: "film"})
	if err != nil {
		t.Fatal(err)
	}
	a.Request = r.Try("film", ltx.TrialScales()...)
	return a
}

func TestATrialHasOneSeedAndAStrengthForEachTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		p := w.run()
		a := askTrial(t, 0)
		p.mustSubmit(t, a)
		elapse(5 * time.Second)
		one := a.Request.One().Estimate(price(a.Request.Endpoint()))
		var scales []float64
		jobs := p.batchOf(t, a.Event, 4)
		for i, j := range jobs {
			scales = append(scales, j.Request.LoRAs()[0].Scale)
			if j.Request.Seed() != 1000 || j.Request.Count() != 1 || j.Batch.Size != 4 || j.Batch.Trial.Label(i) != fmt.Sprintf("film@%v", scales[i]) {
				t.Errorf("take %d: batch %+v of %s", i+1, j.Batch, j.Request.CommandLine())
			}
			if h, err := p.store.Hold(t.Context(), j.ID); err != nil || h.State != quota.Held || h.Estimate != one {
				t.Errorf("take %d: hold %+v, %v; want %d", i+1, h, err, one)
			}
		}
		if want := []float64{0.4, 0.7, 1, 1.3}; !slices.Equal(scales, want) {
			t.Errorf("the strengths are %v, want %v", scales, want)
		}
		if card := w.channel.shown(jobs[0].ID); card.Estimate != 4*one || card.Request.Trial().LoRA != "film" {
			t.Errorf("the card says %d, want %d; it tries %+v", card.Estimate, 4*one, card.Request.Trial())
		}
		elapse(10 * time.Minute)
		for _, videos := range w.channel.messages {
			if len(w.channel.messages) != 1 || len(videos) != 4 {
				t.Errorf("the messages are %v, want one of four videos", w.channel.messages)
			}
		}
	})
}

func TestATrialIsAcceptedAllOrNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.policy.Member.Windows[0].Videos = 3
		p := w.run()
		a := askTrial(t, 0)
		_, quoted := p.engine.Quote(t.Context(), a)
		_, err := p.submit(t.Context(), a)
		for _, err := range []error{quoted, err} {
			if limit, ok := errors.AsType[*quota.LimitError](err); !ok || limit.Gauge.Used != 0 || limit.Need != 4 {
				t.Errorf("four strengths where three videos are left: %v, want a refusal that says that 4 were needed", err)
			}
		}
		elapse(time.Minute)
		if _, err := p.store.Job(t.Context(), take(t, 2)); !errors.Is(err, generate.ErrNoJob) {
			t.Errorf("the second take: %v", err)
		}
	})
}

func TestARefusalInDollarsIsOfAllTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := askTakes(t, 0, 3)
		one := a.Request.One().Estimate(price(a.Request.Endpoint()))
		w.policy.Member.Windows[0] = quota.WindowLimit{Window: quota.Day, USD: 2 * one}
		p := w.run()
		_, quoted := p.engine.Quote(t.Context(), a)
		_, err := p.submit(t.Context(), a)
		for _, err := range []error{quoted, err} {
			limit, ok := errors.AsType[*quota.LimitError](err)
			if !ok || limit.Gauge.Unit != quota.Dollars || limit.Videos != 3 || limit.Need != int64(3*one) {
				t.Errorf("three takes for the money of two: %v, want a refusal that says what all three cost", err)
			}
		}
		if _, err := p.submit(t.Context(), ask(t, 1)); err != nil {
			t.Errorf("one video: %v", err)
		}
		elapse(10 * time.Minute)
	})
}

func TestNoTakeIsSubmittedBeforeTheCardIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.channel.gone = true
		p := w.run()
		a := askTakes(t, 0, 2)
		p.mustSubmit(t, a)
		elapse(30 * time.Second)
		for i, j := range p.batchOf(t, a.Event, 2) {
			if j.State != generate.Failed || j.Failure.Kind != generate.FailUnreachable || w.provider.submitted(j.ID) != 0 || j.Charged != 0 {
				t.Errorf("take %d: %s (%s) after %d submits", i+1, j.State, j.Failure.Kind, w.provider.submitted(j.ID))
			}
		}
	})
}

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

// alternating gives two processes a job each in turn.
type alternating struct {
	generate.Store
	mine, next chan struct{} // has a value when it is the turn of this process, or the other one's
}

func (a alternating) Claim(ctx context.Context) (generate.Claim, error) {
	select {
	case <-a.mine:
	case <-ctx.Done():
		return generate.Claim{}, ctx.Err()
	}
	c, err := a.Store.Claim(ctx)
	if err != nil {
		a.mine <- struct{}{}
	} else {
		a.next <- struct{}{}
	}
	return c, err
}

func TestTakesOfOneBatchAreMadeByDifferentProcesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		mine, next := make(chan struct{}, 1), make(chan struct{}, 1)
		mine <- struct{}{}
		w.worn = func(s generate.Store) generate.Store {
			a := alternating{s, mine, next}
			mine, next = next, mine
			return a
		}
		w.policy = quota.Policy{Member: quota.Limits{JobsAtATime: 3}, Waiting: 5}
		first := w.start(crashAt(0))
		second := w.join(first.store, crashAt(0))
		for n := range 20 {
			a := askTakes(t, n, 3)
			first.mustSubmit(t, a)
			elapse(30 * time.Second)
			owners := map[string]bool{}
			for _, j := range first.batchOf(t, a.Event, 3) {
				owners[j.Owner] = true
			}
			if len(owners) != 2 {
				t.Errorf("batch %d is made by %d processes, want two", n, len(owners))
			}
			elapse(2 * time.Minute)
			lead := generate.NewID(a.Event)
			if got := w.channel.messages[lead]; len(got) != 3 || len(w.channel.messages) != n+1 {
				t.Errorf("batch %d: its message has %v, there are %d messages", n, got, len(w.channel.messages))
			}
			if card := w.channel.shown(lead); card.State != generate.Delivered || len(card.Takes) != 3 {
				t.Errorf("batch %d: the card shows %s with %d takes", n, card.State, len(card.Takes))
			}
		}
		second.leave()
		first.kill(t)
	})
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

// leadlessStore has failed over while a batch was accepted: it has kept the
// other takes and not what became of the lead.
type leadlessStore struct {
	generate.Store
	over *atomic.Bool
}

func (s leadlessStore) AcceptAll(ctx context.Context, batch []generate.Asked) ([]generate.Job, error) {
	if !s.over.CompareAndSwap(false, true) {
		return s.Store.AcceptAll(ctx, batch)
	}
	if _, err := s.Store.AcceptAll(ctx, batch[1:]); err != nil {
		return nil, err
	}
	return nil, errors.New("the store fails over")
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

func TestTheLeadThatAFailoverLostIsAcceptedBesideItsTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var over atomic.Bool
		w.worn = func(s generate.Store) generate.Store { return leadlessStore{s, &over} }
		p := w.run()
		a := askTakes(t, 0, 3)
		j, err := p.submit(t.Context(), a)
		if err != nil || j.ID != take(t, 1) {
			t.Fatalf("accepted %s, %v; want the lead %s", j.ID, err, take(t, 1))
		}
		elapse(10 * time.Minute)
		for i, j := range p.batchOf(t, a.Event, 3) {
			h := hold(t, p, j.ID)
			if n := w.provider.submitted(j.ID); j.State != generate.Delivered || h.State != quota.Settled || n != 1 {
				t.Errorf("take %d is %s (%s) after %d submits, its hold %s", i+1, j.State, j.Failure.Kind, n, h.State)
			}
		}
		if got := w.channel.messages[take(t, 1)]; len(got) != 3 || len(w.channel.messages) != 1 {
			t.Errorf("the message of the lead has %v, there are %d messages; want one with all three", got, len(w.channel.messages))
		}
	})
}
