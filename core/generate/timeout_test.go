package generate_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
)

// watchedProvider notes when it is called, and calls back after a submit that
// it has taken.
type watchedProvider struct {
	generate.Provider

	mu        sync.Mutex
	calls     map[string][]time.Time
	submitted func(ctx context.Context, job string)
}

func (p *watchedProvider) note(call string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls[call] = append(p.calls[call], time.Now())
}

func (p *watchedProvider) Submit(ctx context.Context, o generate.JobRequest) (generate.Submission, error) {
	p.note("submit")
	sub, err := p.Provider.Submit(ctx, o)
	if p.submitted != nil {
		p.submitted(ctx, o.Job)
	}
	return sub, err
}

func (p *watchedProvider) Cancel(ctx context.Context, s generate.Submission) (generate.CancelOutcome, error) {
	p.note("cancel")
	return p.Provider.Cancel(ctx, s)
}

// longest is the longest pause between two calls.
func (p *watchedProvider) longest(call string) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	var longest time.Duration
	for i := 1; i < len(p.calls[call]); i++ {
		longest = max(longest, p.calls[call][i].Sub(p.calls[call][i-1]))
	}
	return longest
}

func TestPausesBetweenTriesGrowSoFar(t *testing.T) {
	for _, tt := range []struct {
		call    string
		arrange func(*world)
		want    time.Duration
	}{
		{"submit", func(w *world) {
			for range 1000 {
				w.provider.submitErr = append(w.provider.submitErr, busyError())
			}
		}, 30 * time.Second},
		{"cancel", func(w *world) { w.provider.cancelErr, w.provider.run = errReply, time.Hour }, time.Minute},
	} {
		t.Run(tt.call, virtual(func(t *testing.T) {
			w := newWorld(t)
			tt.arrange(w)
			watched := &watchedProvider{Provider: w.provider, calls: map[string][]time.Time{}}
			w.asked = watched
			p := w.run()
			id := p.accept(t, 1)
			elapse(10 * time.Second)
			if tt.call == "cancel" {
				p.cancel(t, id)
			}
			elapse(9 * time.Minute)
			if got := watched.longest(tt.call); got < tt.want*7/8 || got > tt.want*9/8+time.Second {
				t.Errorf("the longest pause is %s, want %s give or take an eighth", got, tt.want)
			}
		}))
	}
}

// TestAnAnswerIsPassedOnToWhoHasTakenTheJobOver: another process has taken it
// over while the provider was asked, and needs a while to begin.
func TestAnAnswerIsPassedOnToWhoHasTakenTheJobOver(t *testing.T) {
	change := func(t *testing.T, p *process, id string, change func(*generate.Job)) {
		t.Helper()
		j, err := p.store.Job(context.Background(), id)
		if err == nil {
			change(&j)
			_, err = p.store.Save(context.Background(), j, quota.Keep())
		}
		if err != nil {
			t.Error(err)
		}
	}
	for _, begins := range []bool{true, false} {
		t.Run(fmt.Sprintf("it begins: %v", begins), virtual(func(t *testing.T) {
			w := newWorld(t)
			w.provider.hidden, w.provider.run = true, time.Hour
			watched := &watchedProvider{Provider: w.provider, calls: map[string][]time.Time{}}
			w.asked = watched
			p := w.run()
			watched.submitted = func(_ context.Context, id string) {
				change(t, p, id, func(j *generate.Job) { j.Owner = "another" })
			}
			id := p.accept(t, 1)
			elapse(40 * time.Second)
			if begins {
				change(t, p, id, func(j *generate.Job) { j.State = generate.Unknown })
			}
			elapse(25 * time.Second)
			j := p.readJob(t, id)
			if begins && j.Submission.RequestID != w.provider.requestOf(t, id) {
				t.Errorf("40 seconds later: job is %s, the request %q is not passed on", j.State, j.Submission.RequestID)
			}
			if !begins && (j.State != generate.Unknown || j.Submission.RequestID != "") {
				t.Errorf("after a minute: job is %s, want it looked for", j.State)
			}
		}))
	}
}

// TestHowLongAJobRunsIsGuessedFromTheLatestFifty of its kind, also after a
// restart.
func TestHowLongAJobRunsIsGuessedFromTheLatestFifty(t *testing.T) {
	for _, tt := range []struct {
		late int // the latest so many ran for 20 seconds, those before for 100
		want time.Duration
	}{
		{50, 20 * time.Second},
		{24, 100 * time.Second},
	} {
		t.Run(fmt.Sprintf("%d late ones", tt.late), virtual(func(t *testing.T) {
			w := newWorld(t)
			w.policy = quota.Policy{}
			w.off = true // nobody works on them
			first := w.start(crashAt(0))
			for n := range 150 {
				a := ask(t, 1000+n)
				j := first.mustSubmit(t, a)
				elapse(time.Millisecond)
				for { // the engine may save it meanwhile
					j = first.readJob(t, j.ID)
					j.State, j.Shown, j.Finished, j.Seconds = generate.Delivered, generate.Delivered, time.Now(), 100
					if n >= 150-tt.late {
						j.Seconds = 20
					}
					if _, err := first.store.Save(t.Context(), j, quota.Release()); err == nil {
						break
					}
				}
			}
			first.kill(t)
			w.off = false
			w.provider.run = 10 * time.Minute
			p := w.run()
			id := p.accept(t, 1)
			elapse(30 * time.Second)
			if got := w.channel.shown(id).Progress.Expected; got != tt.want {
				t.Errorf("expected to run for %s, want %s", got, tt.want)
			}
		}))
	}
}
