package cluster_test

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/internal/need"
	"ltxbot/internal/redistest"
)

// lostFor is for how long the replica has not got what the master did.
const lostFor = time.Second

// TestAFailoverLosesTheLastSecond lets a replica take over that lacks the last
// second of writes, while everything goes on, and in the second case while one
// of the processes that made them dies as well.
func TestAFailoverLosesTheLastSecond(t *testing.T) {
	need.Long(t)
	for _, tt := range []struct {
		name string
		dies bool
	}{{"and all processes live", false}, {"and one process dies with it", true}} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, 10)
			ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
			defer cancel()
			replica := redistest.Start(t, "--replicaof", "127.0.0.1 "+strconv.Itoa(w.server.Port))
			crowd := []*process{w.process("first"), w.process("second"), w.process("third")}
			w.begin(ctx, crowd...)
			stop := make(chan struct{})
			var all sync.WaitGroup
			all.Go(func() { w.keepAsking(ctx, stop) })
			w.wait(ctx, "jobs of all kinds", func(jobs []generate.Job) bool {
				kinds := map[generate.State]bool{}
				for _, j := range jobs {
					kinds[j.State] = true
				}
				return len(jobs) > 20 && kinds[generate.Delivered] && kinds[generate.Queued]
			})
			known := states(w.jobs(ctx))
			w.server.Replicated(replica) // it has all of these at least
			replica.CLI("REPLICAOF", "NO", "ONE")
			pause(ctx, lostFor)
			lost := states(w.jobs(ctx))
			w.server.Kill()
			posted := w.videosByPrompt()
			if tt.dies {
				crowd[1].kill()
			}
			// What was over by then, or had an owner that died, may be forgotten.
			forgotten := map[string]bool{}
			for prompt := range w.submitted() {
				if known[prompt] == "" {
					forgotten[prompt] = true
				}
			}
			// At this speed a job can live its whole life in the lost second. Of one
			// that was not accepted before and whose owner has done with it, nobody
			// can know that it has its video.
			unknown := map[string]bool{}
			for prompt, n := range posted {
				if s := known[prompt]; n > 0 && (s == "" || s == generate.Received || s == generate.Preparing) {
					unknown[prompt] = true
				}
			}
			w.redis.Lead(replica.Addr())
			pause(ctx, 4*time.Second)
			close(stop)
			all.Wait()
			if tt.dies {
				crowd[1].start()
			}
			pause(ctx, time.Second)
			jobs := w.wait(ctx, "the end of all jobs", func(jobs []generate.Job) bool {
				for _, j := range jobs {
					if !j.State.Terminal() || j.Shown != j.State { // a lost one is looked for later, too
						return false
					}
				}
				return true
			})
			w.check(ctx, jobs, forgotten, unknown)
			there := states(jobs)
			for prompt := range lost {
				if there[prompt] == "" && !tt.dies && w.videosByPrompt()[prompt] != 1 {
					t.Errorf("%q was accepted, and has neither a record nor a video", prompt)
				}
			}
			t.Logf("%d jobs before the replica fell behind, %d after", len(known), len(lost))
		})
	}
}

// states are those of jobs, by prompt.
func states(jobs []generate.Job) map[string]generate.State {
	all := map[string]generate.State{}
	for _, j := range jobs {
		all[j.Request.Prompt()] = j.State
	}
	return all
}

// submitted are the prompts that the provider got.
func (w *world) submitted() map[string]bool {
	all := map[string]bool{}
	for _, s := range w.fal.Submits() {
		prompt, _ := s.Input()["prompt"].(string)
		all[prompt] = true
	}
	return all
}
