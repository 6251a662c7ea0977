package faults_test

import (
	"fmt"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/internal/need"
	simdiscord "ltxbot/sim/discord"
	simfal "ltxbot/sim/fal"
	"ltxbot/store"
)

// TestSIGTERM stops the program with a job in each state of its life, and
// looks whether the next start brings it to its end.
func TestSIGTERM(t *testing.T) {
	t.Parallel()
	build(t)
	var trials []trial
	for _, tt := range []struct {
		name   string
		setup  setup
		before func(*world)
		jobs   int
		reach  func(*testing.T, *world, string)
		after  func(*world) // before the next start
		kinds  []generate.FailureKind
	}{
		{
			name: "in the waiting line", jobs: 2, setup: setup{fal: slow(), config: "[quota.member]\njobs_at_a_time = 1"},
			reach: says("Waiting for its turn"),
		},
		{
			name: "submitting", before: func(w *world) { w.fal.Inject(simfal.Fault{Op: simfal.OpSubmit, Delay: 3 * time.Second}) },
			reach: asked1(simfal.OpSubmit),
		},
		{
			name:   "submitting to a fal that does not answer",
			setup:  setup{falKeys: `grace = "1s"`},
			before: func(w *world) { w.fal.Inject(simfal.Fault{Op: simfal.OpSubmit, Delay: time.Hour}) },
			reach:  asked1(simfal.OpSubmit), kinds: []generate.FailureKind{generate.FailLost},
		},
		{
			name: "queued", setup: setup{fal: simfal.Options{Speed: 1, Timing: simfal.Timing{Queue: 8 * time.Second}}},
			reach: says("In the model's queue"),
		},
		{
			name: "running", setup: setup{fal: simfal.Options{Speed: 1, Timing: simfal.Timing{Run: 8 * time.Second}}},
			reach: says("Making your video"),
		},
		{
			name: "unknown", setup: setup{fal: simfal.Options{Speed: 1, HistoryLag: 8 * time.Second}},
			before: func(w *world) { w.fal.Inject(simfal.Fault{Op: simfal.OpSubmit, Lose: true}) }, reach: says("Looking for the model's answer"),
		},
		{
			name: "fetching the result", before: func(w *world) { w.fal.Inject(simfal.Fault{Op: simfal.OpResult, Delay: 3 * time.Second}) },
			reach: asked1(simfal.OpResult),
		},
		{
			name: "downloading the video", before: func(w *world) { w.fal.Inject(simfal.Fault{Op: simfal.OpMedia, Delay: 3 * time.Second}) },
			reach: asked1(simfal.OpMedia),
		},
		{
			name: "downloading a video that does not come", before: func(w *world) { w.fal.Inject(simfal.Fault{Op: simfal.OpMedia, Delay: time.Hour}) },
			reach: asked1(simfal.OpMedia),
		},
		{name: "posting the video", before: func(w *world) {
			w.on.(*onDiscord).sim.Inject(simdiscord.Fault{Route: simdiscord.RouteCreateMessage, Delay: 3 * time.Second})
		}, reach: asked1(simfal.OpMedia)},
		{
			name: "with a last word that nobody takes", before: func(w *world) {
				w.fal.Next(simfal.Refused)
				w.on.(*onDiscord).sim.Inject(simdiscord.Fault{Route: simdiscord.RouteEditResponse, Skip: 1, Status: 500, Times: -1})
			}, reach: asked1(simfal.OpResult), after: func(w *world) { w.on.(*onDiscord).sim.ClearFaults() },
			kinds: []generate.FailureKind{generate.FailRefused},
		},
	} {
		trials = append(trials, trial{tt.name, func(t *testing.T) {
			w := newWorld(t, stages[0].make, tt.setup)
			p := w.spawn()
			if tt.before != nil {
				tt.before(w)
			}
			var job string
			var n int
			for i := range max(1, tt.jobs) {
				if i > 0 {
					w.cardSays(job, "Making your video")
				}
				job, n = w.ask("")
			}
			tt.reach(t, w, job)
			took, code, err := p.terminate()
			if err != nil || code != 0 {
				t.Fatalf("stopped after %s with code %d, %v; want 0\nlog:\n%s", took, code, err, w.logged())
			}
			t.Logf("stopped after %s", took.Round(time.Millisecond))
			if tt.after != nil {
				tt.after(w)
			}
			if err := w.on.gone(w.ctx); err != nil {
				t.Fatal(err)
			}
			p = w.spawn()
			w.mustAwait("the end of the job", func(seen []message) bool {
				for _, m := range seen {
					if m.card(job) && m.over() {
						return true
					}
				}
				return false
			})
			if _, _, err := p.terminate(); err != nil {
				t.Fatal(err)
			}
			want := outcome{state: generate.Delivered}
			if tt.kinds != nil {
				want = fails(tt.kinds[0])
			}
			w.books(func(s *store.Store) {
				j, err := s.Job(t.Context(), job)
				if got := (outcome{j.State, j.Failure.Kind}); err != nil || got != want {
					t.Errorf("the job is %s (%s), %v; want %s (%s)\nlog:\n%s", got.state, got.kind, err, want.state, want.kind, w.logged())
				}
			})
			if got := w.submits(n); got > 1 {
				t.Errorf("fal was asked %d times", got)
			}
		}})
	}
	together(t, need.Some(t, trials, 4))
}

// says waits until the job's card says so.
func says(text string) func(*testing.T, *world, string) {
	return func(_ *testing.T, w *world, job string) { w.cardSays(job, text) }
}

// asked1 waits until fal is asked for something.
func asked1(op simfal.Op) func(*testing.T, *world, string) {
	return func(t *testing.T, w *world, _ string) {
		r := &rig{world: w, t: t}
		r.until(fmt.Sprintf("fal is asked for %s", op), func() bool { return w.fal.Count(op) > 0 })
	}
}
