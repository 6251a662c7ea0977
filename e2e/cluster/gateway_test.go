package cluster_test

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/internal/need"
	simdiscord "ltxbot/sim/discord"
)

func TestOneProcessHoldsTheGatewayAndAnotherTakesItOver(t *testing.T) {
	t.Parallel()
	need.Spare(t)
	w := newWorld(t, 100)
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	crowd := []*process{w.process("first"), w.process("second")}
	for _, p := range crowd {
		w.begin(ctx, p)
	}
	holder, other := crowd[0], crowd[1]
	for i, end := range []struct {
		how    string
		within time.Duration
		do     func(*process)
	}{
		{"is killed", 10 * time.Second, (*process).kill},
		{"is stopped in its tracks", 10 * time.Second, func(p *process) { p.signal(syscall.SIGSTOP) }},
		{"is asked to stop", 4 * time.Second, func(p *process) { p.signal(syscall.SIGTERM) }},
	} {
		if got, standby := holder.part(ctx, "discord"), other.part(ctx, "discord"); got != "ok" || standby != "standby" {
			t.Fatalf("before it %s: the holder is %s, the other %s", end.how, got, standby)
		}
		if got := w.discord.Identifies(); got != i+1 {
			t.Fatalf("before it %s: %d sessions, want %d", end.how, got, i+1)
		}
		late := lateness(t)
		began := time.Now()
		end.do(holder)
		for other.part(ctx, "discord") != "ok" {
			pause(ctx, 20*time.Millisecond)
			if ctx.Err() != nil {
				t.Fatalf("nobody took over from a holder that %s", end.how)
			}
		}
		took, slow := time.Since(began), late()
		t.Logf("a holder that %s: taken over in %v, timers were up to %v late", end.how, took.Round(10*time.Millisecond), slow)
		if took > end.within+20*slow {
			t.Errorf("a holder that %s: taken over in %v, want %v", end.how, took, end.within)
		}
		w.ask(ctx, 10*i+1)
		w.wait(ctx, "a video from the successor", func(jobs []generate.Job) bool {
			return len(jobs) == i+1 && jobs[0].State == generate.Delivered
		})
		// The former holder comes back, and waits.
		holder.signal(syscall.SIGCONT)
		if i != 1 {
			holder.end()
			holder.start()
		}
		for holder.part(ctx, "discord") != "standby" {
			pause(ctx, 20*time.Millisecond)
			if ctx.Err() != nil {
				t.Fatal("the former holder does not wait for its turn")
			}
		}
		holder, other = other, holder
	}
}

func TestPeopleAreToldWhileRedisIsAwayAndJobsGoOnAfterwards(t *testing.T) {
	t.Parallel()
	need.Spare(t)
	w := newWorld(t, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	p := w.process("only")
	w.begin(ctx, p)
	w.ask(ctx, 1)
	w.wait(ctx, "a job that runs", func(jobs []generate.Job) bool { return len(jobs) == 1 && jobs[0].State == generate.Running })
	w.server.Kill()
	pause(ctx, 8*time.Second) // longer than the lease of the gateway
	for n := range 3 {
		late := lateness(t)
		began := time.Now()
		reader := w.members[2+n]
		if _, err := reader.Slash(ctx, w.general, "ltx", simdiscord.Arg("prompt", promptOf(100+n))); err != nil {
			t.Fatal(err)
		}
		text := ""
		for ; text == ""; pause(ctx, 10*time.Millisecond) {
			for _, m := range w.general.MessagesFor(reader) {
				if m.EphemeralTo != "" {
					text = m.Text()
				}
			}
			if ctx.Err() != nil {
				t.Fatal("no answer")
			}
		}
		took, slow := time.Since(began), late()
		t.Logf("answered in %v: %q", took.Round(10*time.Millisecond), text)
		if took > 3*time.Second+20*slow || !strings.Contains(text, "again") {
			t.Errorf("answered in %v: %q", took, text)
		}
	}
	w.server.Start()
	jobs := w.wait(ctx, "the job to be delivered", func(jobs []generate.Job) bool { return len(jobs) == 1 && !jobs[0].Unfinished() })
	w.check(ctx, jobs, nil, nil)
}
