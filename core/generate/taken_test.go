package generate_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
)

// deafStore is a store of several processes whose claims tell nothing: as for
// a process that was stopped for a while and has just gone on.
type deafStore struct {
	generate.Store
	away *atomic.Bool // it answers no reads
}

func (s deafStore) Claim(ctx context.Context) (generate.Claim, error) {
	c, err := s.Store.Claim(ctx)
	c.Changed, c.Lost, c.Done = nil, make(chan struct{}), func() {}
	return c, err
}

func (s deafStore) Job(ctx context.Context, id string) (generate.Job, error) {
	if s.away.Load() {
		return generate.Job{}, errors.New("away")
	}
	return s.Store.Job(ctx, id)
}

func TestAProcessThatIsNotToldOfATakeoverShowsNothingMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var away atomic.Bool
		w.worn = func(s generate.Store) generate.Store { return deafStore{s, &away} }
		p := w.run()
		id := p.accept(t, 1)
		shown := func(after time.Duration) int {
			<-time.After(after)
			synctest.Wait()
			w.channel.mu.Lock()
			defer w.channel.mu.Unlock()
			return len(w.channel.cards[id])
		}
		if before := shown(10 * time.Second); shown(10*time.Second) == before {
			t.Fatal("the card of a job that runs is not shown")
		}
		away.Store(true)
		if before := shown(0); shown(10*time.Second) == before {
			t.Error("the card is not shown while the store is away")
		}
		away.Store(false)
		taken := p.readJob(t, id)
		taken.Owner = "successor"
		if _, err := p.store.Save(t.Context(), taken, quota.Keep()); err != nil {
			t.Fatal(err)
		}
		before := shown(6 * time.Second) // it may rely on what it knows for a while
		if got := shown(5 * time.Minute); got != before {
			t.Errorf("the card was shown %d times after its job was taken over", got-before)
		}
		w.channel.mu.Lock()
		defer w.channel.mu.Unlock()
		if states := w.channel.cards[id]; slices.Contains(states, generate.Delivered) || len(w.channel.videos) > 0 {
			t.Errorf("the card showed %v, and %d videos were posted", states, len(w.channel.videos))
		}
	})
}
