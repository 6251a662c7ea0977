// Package cluster_test lets three bots share one Redis while they are killed and
// stopped in their tracks, and counts afterwards: no job is lost, none is
// submitted or delivered twice, and the money adds up.
package cluster_test

import (
	"context"
	"flag"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/internal/need"
)

// seed makes the order of kills repeatable.
var seed = flag.Uint64("crowd.seed", 0, "seed of the chaos; 0 = another one each time")

func TestAnyProcessMayDieAtAnyTime(t *testing.T) {
	need.Long(t)
	chosen := *seed
	if chosen == 0 {
		chosen = rand.Uint64()
	}
	t.Logf("repeat with -crowd.seed=%d", chosen)
	const jobs, faults = 300, 7
	w := newWorld(t, 10)
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	crowd := []*process{w.process("first"), w.process("second"), w.process("third")}
	w.begin(ctx, crowd...)
	stop := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() { w.keepAsking(ctx, stop) })
	cause(ctx, rand.New(rand.NewPCG(chosen, 0)), crowd, faults)
	for ctx.Err() == nil && len(w.fal.Submits()) < jobs {
		pause(ctx, 200*time.Millisecond)
	}
	close(stop)
	all.Wait()
	done := w.wait(ctx, "the end of all jobs", func(all []generate.Job) bool {
		for _, j := range all {
			if j.Unfinished() {
				return false
			}
		}
		return true
	})
	w.check(ctx, done, nil, nil)
}

// perSecond is how many commands people type.
const perSecond = 9

// keepAsking types commands until stop is closed, and waits for the last one.
func (w *world) keepAsking(ctx context.Context, stop <-chan struct{}) {
	tick := time.NewTicker(time.Second / perSecond)
	defer tick.Stop()
	var asked sync.WaitGroup
	defer asked.Wait()
	for n := 0; ; n++ {
		asked.Go(func() { w.ask(ctx, n) })
		select {
		case <-tick.C:
		case <-stop:
			return
		case <-ctx.Done():
			return
		}
	}
}

// cause kills processes, which are started again, and stops some for a while:
// so short that nobody notices, or so long that others take their jobs over.
func cause(ctx context.Context, r *rand.Rand, crowd []*process, faults int) {
	again := func(p *process) {
		p.kill()
		p.start()
	}
	for range faults {
		pause(ctx, time.Second+time.Duration(r.Int64N(int64(time.Second))))
		p := crowd[r.IntN(len(crowd))]
		switch r.IntN(3) {
		case 0:
			p.signal(syscall.SIGSTOP)
			pause(ctx, 200*time.Millisecond+time.Duration(r.Int64N(int64(time.Second))))
			p.signal(syscall.SIGCONT)
		case 1:
			p.signal(syscall.SIGSTOP)
			pause(ctx, 5*time.Second)
			again(p) // it would have gone on with what it believed
		default:
			again(p)
		}
	}
	// One is away for as long as it takes to be given up, and comes back.
	p := crowd[r.IntN(len(crowd))]
	p.signal(syscall.SIGSTOP)
	pause(ctx, 16*time.Second)
	p.signal(syscall.SIGCONT)
}

// pause waits for d, or until ctx is done.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
