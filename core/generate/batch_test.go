package generate_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
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
