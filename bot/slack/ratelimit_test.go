package slack_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"ltxbot/bot/slack"
	"ltxbot/core/generate"
	sim "ltxbot/sim/slack"
)

func TestEditsStayBelowTheLimitAndAreShared(t *testing.T) {
	t.Parallel()
	now := at
	b := slack.NewEditLimit(func() time.Time { return now }, nil)
	const jobs, minutes = 20, 10
	edits := map[string]int{}
	var times []time.Time
	next := map[string]time.Time{}
	for ; now.Sub(at) < minutes*time.Minute; now = now.Add(100 * time.Millisecond) {
		for n := range jobs {
			id := strconv.Itoa(n)
			if now.Before(next[id]) {
				continue
			}
			wait := b.Take(t.Context(), id, false)
			next[id] = now.Add(max(wait, 3*time.Second))
			if wait == 0 {
				edits[id]++
				times = append(times, now)
			}
		}
		if now.Sub(at)%(10*time.Second) == 0 && b.Take(t.Context(), fmt.Sprint("end", now), true) == 0 {
			times = append(times, now)
		}
	}
	for i := range times {
		n := 0
		for _, later := range times[i:] {
			if later.Sub(times[i]) < time.Minute {
				n++
			}
		}
		if n > 45 {
			t.Fatalf("%d edits within a minute", n)
		}
	}
	least, most := 1000, 0
	for _, n := range edits {
		least, most = min(least, n), max(most, n)
	}
	if least < 10 || most > 2*least {
		t.Errorf("between %d and %d edits for a job in %d minutes", least, most, minutes)
	}
}

func TestTheLastWordIsNotHeldUpByProgress(t *testing.T) {
	t.Parallel()
	now := at
	b := slack.NewEditLimit(func() time.Time { return now }, nil)
	for b.Take(t.Context(), fmt.Sprint("job", now.UnixNano()), false) == 0 {
		now = now.Add(time.Nanosecond)
	}
	if wait := b.Take(t.Context(), "ending", true); wait != 0 {
		t.Errorf("the last word waits %s", wait)
	}
}

// With Slack's own limits, many jobs at once are edited without one refusal.
func TestManyJobsMeetNoRateLimit(t *testing.T) {
	t.Parallel()
	s := newStageWith(t, sim.Options{Clock: sim.NewStoppedClock(at)})
	var jobs []generate.Job
	for range 12 {
		j := s.ask(cowboy)
		for {
			err := s.show(j.ID, generate.Accepted)
			if err == nil {
				break
			}
			s.sim.Advance(retryOf(err).After)
		}
		jobs = append(jobs, j)
		s.sim.Advance(time.Second)
	}
	before := len(s.sim.Requests("chat.update"))
	for round := range 40 {
		for _, j := range jobs {
			s.engine.Put(j.ID, func(j *generate.Job) { j.Progress.Percent = round })
			if err := s.show(j.ID, generate.Running); err != nil && retryOf(err) == nil {
				t.Fatal(err)
			}
		}
		s.sim.Advance(3 * time.Second)
	}
	requests := s.sim.Requests("chat.update")[before:]
	for _, r := range requests {
		if r.Status != 200 {
			t.Fatalf("an edit was refused: %s", r.Error)
		}
	}
	if got := len(requests); got < 60 || got > 90 {
		t.Errorf("%d edits in two minutes", got)
	}
}

func TestAnEditThatChangesNothingIsNotSent(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.shown(cowboy, generate.Accepted)
	for range 3 {
		s.showAtLast(j.ID, generate.Running)
		s.sim.Advance(3 * time.Second)
	}
	if got := len(s.sim.Requests("chat.update")); got != 1 {
		t.Errorf("%d edits", got)
	}
}

func TestARateLimitOfSlackIsPassedOnToTheEngine(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.ask(cowboy)
	s.sim.Inject(sim.Fault{Method: "chat.postMessage", Kind: sim.RateLimited, RetryAfter: 30 * time.Second})
	err := s.show(j.ID, generate.Accepted)
	if retry := retryOf(err); retry == nil || retry.After != 30*time.Second {
		t.Errorf("show says %v", err)
	}
	s.mustShow(j.ID, generate.Accepted)
	if got := len(fromBot(s.general)); got != 1 {
		t.Errorf("messages: %s", texts(s.general))
	}
	if strings.Contains(s.log.String(), "level=ERROR") {
		t.Errorf("log:\n%s", s.log.String())
	}
}
