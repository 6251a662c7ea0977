package discord_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/internal/need"
	sim "ltxbot/sim/discord"
)

// busy limits what reads messages as Discord does, only twenty times as fast.
var busy = sim.Options{IdentifyEvery: -1, RateLimits: sim.RateLimits{Off: true, History: true, Speed: 20}}

// deliverAtLast delivers as the engine does: again and again.
func (s *stage) deliverAtLast(id string) (generate.Receipt, error) {
	for {
		r, err := s.deliver(id, 1<<20)
		again, ok := errors.AsType[*generate.RetryError](err)
		if !ok {
			return r, err
		}
		select {
		case <-time.After(again.After):
		case <-s.ctx.Done():
			return r, s.ctx.Err()
		}
	}
}

func TestAVideoThatIsFarBackIsNotPostedAgain(t *testing.T) {
	t.Parallel()
	s := newStageWith(t, busy)
	j := s.running("/ltx prompt:a cowboy")
	s.sim.Inject(sim.Fault{Route: sim.RouteCreateMessage, LoseReply: true, Times: -1})
	if _, err := s.deliver(j.ID, 1<<20); err == nil {
		t.Fatal("the fault was not met")
	}
	s.sim.ClearFaults()
	s.sim.Advance(2 * time.Hour) // the nonce is forgotten
	for range 1500 {
		s.ada.Say(s.general, "are we there yet?")
	}
	s.restart()
	r, err := s.deliverAtLast(j.ID)
	found := videos(s.general, j.ID)
	if err != nil || len(found) != 1 || found[0].ID != r.Message {
		t.Errorf("%d videos, receipt %+v, error %v", len(found), r, err)
	}
	if got := len(s.sim.RequestsTo(sim.RouteListMessages)); got > 16 {
		t.Errorf("%d pages were read", got)
	}
}

// Half of the jobs have their video in the channel, and nobody knows which.
func TestJobsThatLookAtTheSameTimeReadTheChannelOnce(t *testing.T) {
	t.Parallel()
	s := newStageWith(t, busy)
	jobs, pages := 50, 15 // that the channel has
	if need.Quick() {
		jobs, pages = 12, 4
	}
	var ids []string
	for n := range jobs {
		j := s.running(fmt.Sprintf("/ltx prompt:cowboy %d", n))
		before := s.engine.Put(j.ID, func(*generate.Job) {}).Notes
		if n%2 == 0 {
			if _, err := s.deliverAtLast(j.ID); err != nil {
				t.Fatal(err)
			}
		}
		s.engine.Put(j.ID, func(j *generate.Job) { j.Notes, j.Doubted = before, true })
		ids = append(ids, j.ID)
	}
	s.sim.Advance(2 * time.Hour)
	for range pages*100 - 3*jobs {
		s.ada.Say(s.general, "are we there yet?")
	}
	s.restart()
	var all sync.WaitGroup
	for _, id := range ids {
		all.Go(func() {
			r, err := s.deliverAtLast(id)
			if err != nil || r.Message == "" {
				t.Errorf("job %s: %+v, %v", id, r, err)
			}
		})
	}
	all.Wait()
	for _, id := range ids {
		if got := len(videos(s.general, id)); got != 1 {
			t.Errorf("job %s has %d videos", id, got)
		}
	}
	// The pages have all there was, and each job that came later than the others
	// has read the newest one again. Alone, each would have read all of them.
	if got := len(s.sim.RequestsTo(sim.RouteListMessages)); got > pages+len(ids) {
		t.Errorf("%d pages were read", got)
	}
}
