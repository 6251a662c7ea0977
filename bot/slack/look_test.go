package slack_test

import (
	"fmt"
	"sync"
	"testing"

	"ltxbot/core/generate"
	"ltxbot/internal/need"
	sim "ltxbot/sim/slack"
)

// The right to read is used up again and again, and the message is further back
// than one page.
func TestATextThatIsFarBackIsNotPostedAgain(t *testing.T) {
	t.Parallel()
	for name, threaded := range map[string]bool{"in a channel": false, "in a thread": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStageWith(t, sim.Options{NoRateLimits: true, Rates: map[string]int{"conversations.history": 2, "conversations.replies": 2}})
			j := s.ask(cowboy)
			root := ""
			if threaded {
				root = s.ann.Say(s.general, "look", "").TS
				s.engine.Put(j.ID, func(j *generate.Job) { j.Place.Thread = root })
			}
			s.mustShow(j.ID, generate.Accepted)
			for range 700 {
				s.ann.Say(s.general, "are we there yet?", root)
			}
			s.sim.Inject(sim.Fault{Method: "chat.postMessage", Kind: sim.LoseReply})
			if _, err := s.deliver(j.ID); err == nil {
				t.Fatal("the fault was not met")
			}
			for range 1500 {
				s.ann.Say(s.general, "are we there yet?", root)
			}
			s.restart()
			s.deliverAtLast(j.ID)
			if len(videos(s.general)) != 1 || len(results(s.general, j.ID)) != 1 {
				t.Errorf("%d videos, %d texts", len(videos(s.general)), len(results(s.general, j.ID)))
			}
			pages := len(s.sim.Requests("conversations.history")) + len(s.sim.Requests("conversations.replies"))
			if pages < 4 || pages > 24 { // refusals and newest pages are among them
				t.Errorf("%d calls", pages)
			}
		})
	}
}

func TestJobsThatLookAtTheSameTimeReadTheChannelOnce(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	jobs, pages := 50, 15 // that the channel has
	if need.Quick() {
		jobs, pages = 12, 4
	}
	var ids []string
	for n := range jobs {
		j := s.shown(fmt.Sprintf("%s %d", cowboy, n), generate.Running)
		before := s.notes(j.ID)
		if n%2 == 0 {
			s.deliverAtLast(j.ID)
		}
		s.engine.Put(j.ID, func(j *generate.Job) { j.Notes, j.Doubted = before, true })
		ids = append(ids, j.ID)
	}
	for range pages*100 - 3*jobs {
		s.ann.Say(s.general, "are we there yet?", "")
	}
	s.restart()
	before := len(s.sim.Requests("conversations.history"))
	var all sync.WaitGroup
	for _, id := range ids {
		all.Go(func() {
			var err error
			for range 100 {
				if _, err = s.deliver(id); err == nil {
					return
				}
			}
			t.Errorf("job %s: %v", id, err)
		})
	}
	all.Wait()
	for _, id := range ids {
		if got := len(results(s.general, id)); got != 1 {
			t.Errorf("job %s has %d texts", id, got)
		}
	}
	if got := len(videos(s.general)); got != jobs {
		t.Errorf("%d videos", got)
	}
	// The pages have all there was. The file and its text are looked for, and a
	// job that comes later than the others reads the newest page again.
	if got := len(s.sim.Requests("conversations.history")) - before; got > pages+2*jobs {
		t.Errorf("%d calls", got)
	}
}
