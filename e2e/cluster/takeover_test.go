package cluster_test

import (
	"context"
	"syscall"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/internal/need"
)

// takeoverLimit is how soon the jobs of a process that is gone are worked on
// elsewhere: it counts as gone after 10 s of silence, and the others look every
// 3.3 s.
const takeoverLimit = 15 * time.Second

// TestJobsOfDeadAndStoppedProcessesAreTakenOver kills one of three processes
// and stops another one in its tracks. The third goes on with all their jobs.
// When the stopped one goes on, it has lost them: it changes nothing of what
// its successor has shown.
func TestJobsOfDeadAndStoppedProcessesAreTakenOver(t *testing.T) {
	t.Parallel()
	need.Spare(t)
	w := newWorld(t, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	killed, stopped, third := w.process("killed"), w.process("stopped"), w.process("third")
	w.begin(ctx, killed)
	for n := range 3 {
		w.ask(ctx, n)
	}
	jobs := w.wait(ctx, "jobs of the first process", allSubmitted(3))
	first, second := jobs[0].Owner, ""
	w.begin(ctx, stopped)
	// Which process gets a job is chance, and jobs end meanwhile.
	for n := 3; n < 100 && (owned(jobs, first) == 0 || second == "" || owned(jobs, second) < 3); n++ {
		w.ask(ctx, n)
		jobs = w.wait(ctx, "a job that runs", allSubmitted(n+1))
		for _, j := range jobs {
			if j.Owner != first {
				second = j.Owner
			}
		}
	}
	w.begin(ctx, third)

	late := lateness(t)
	began := time.Now()
	stopped.signal(syscall.SIGSTOP)
	killed.kill()
	for who, owner := range map[string]string{"the killed process": first, "the stopped process": second} {
		w.wait(ctx, "the takeover from "+who, func(jobs []generate.Job) bool { return owned(jobs, owner) == 0 })
	}
	took, slow := time.Since(began), late()
	t.Logf("%d jobs were taken over in %v, timers were up to %v late", len(jobs), took.Round(10*time.Millisecond), slow)
	if took > takeoverLimit+20*slow { // several programs, several round trips
		t.Errorf("the takeover took %v, want %v", took, takeoverLimit)
	}

	done := w.wait(ctx, "the end of all jobs", func(jobs []generate.Job) bool {
		for _, j := range jobs {
			if j.Unfinished() {
				return false
			}
		}
		return true
	})
	before := w.said()
	stopped.signal(syscall.SIGCONT)
	if err := stopped.ready(ctx); err != nil {
		t.Fatal(err)
	}
	pause(ctx, 4*time.Second) // longer than the time between two edits of a card
	for where, after := range w.said() {
		if after != before[where] {
			t.Errorf("%s was changed by a process that had lost its jobs:\n%s\nit was:\n%s", where, after, before[where])
		}
	}
	w.check(ctx, done, nil, nil)
}

// lateness finds out how much a busy machine delays a timer at the most, until
// it is asked.
func lateness(t *testing.T) func() time.Duration {
	t.Helper()
	const every = 50 * time.Millisecond
	ctx, stop := context.WithCancel(t.Context())
	found := make(chan time.Duration, 1)
	go func() {
		most := time.Duration(0)
		for ctx.Err() == nil {
			began := time.Now()
			pause(ctx, every)
			if ctx.Err() == nil {
				most = max(most, time.Since(began)-every)
			}
		}
		found <- most
	}()
	return func() time.Duration {
		stop()
		return <-found
	}
}

// allSubmitted is true when there are n jobs, and fal has got them all.
func allSubmitted(n int) func([]generate.Job) bool {
	return func(jobs []generate.Job) bool {
		for _, j := range jobs {
			if j.Owner == "" || j.Submission.RequestID == "" {
				return false
			}
		}
		return len(jobs) == n
	}
}

// owned is how many unfinished jobs a process has.
func owned(jobs []generate.Job, owner string) int {
	n := 0
	for _, j := range jobs {
		if j.Owner == owner && j.Unfinished() {
			n++
		}
	}
	return n
}

// begin starts processes and waits until they serve.
func (w *world) begin(ctx context.Context, started ...*process) {
	w.t.Helper()
	for _, p := range started {
		p.start()
	}
	for _, p := range started {
		if err := p.ready(ctx); err != nil {
			w.t.Fatal(err)
		}
	}
}

// said is what the messages of both platforms say, by where they are.
func (w *world) said() map[string]string {
	said := map[string]string{}
	for _, m := range w.general.Messages() {
		said["discord "+m.ID] = m.Text()
	}
	for _, m := range w.videos.Messages() {
		said["slack "+m.TS] = m.Text + m.Blocks.Text()
	}
	return said
}
