package generate_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/internal/need"
)

// wornStore fails some of its calls, as a disk does that is full or breaks.
type wornStore struct {
	generate.Store
	wear *wear
}

// wear says which calls of a store fail.
type wear struct {
	mu      sync.Mutex
	first   int  // the first write that fails, from 1
	times   int  // how many fail from there on
	applied bool // the write is done all the same
	reads   bool // reads fail instead of writes
	calls   int
}

var errDisk = errors.New("input/output error")

// fails counts a call and reports whether it is one of those that fail.
func (w *wear) fails(read bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if read != w.reads {
		return false
	}
	w.calls++
	return w.calls >= w.first && w.calls < w.first+w.times
}

func (s wornStore) Save(ctx context.Context, j generate.Job, b quota.Billing) (generate.Job, error) {
	fails := s.wear.fails(false)
	if fails && !s.wear.applied {
		return generate.Job{}, errDisk
	}
	saved, err := s.Store.Save(ctx, j, b)
	if fails {
		return generate.Job{}, errDisk
	}
	return saved, err
}

func (s wornStore) Job(ctx context.Context, id string) (generate.Job, error) {
	if s.wear.fails(true) {
		return generate.Job{}, errDisk
	}
	return s.Store.Job(ctx, id)
}

func (s wornStore) Place(ctx context.Context, id string) (int, error) {
	if s.wear.fails(true) {
		return 0, errDisk
	}
	return s.Store.Place(ctx, id)
}

// TestAStoreThatFailsForAWhileCostsTimeAndNothingElse lets each write and each
// read of a job's life fail, once and several times, with and without effect.
// Without a crash no outcome may get lost by that.
func TestAStoreThatFailsForAWhileCostsTimeAndNothingElse(t *testing.T) {
	t.Parallel()
	telling := slices.DeleteFunc(slices.Clone(scenarios), func(sc scenario) bool {
		return !strings.HasPrefix(sc.name, "all") && !strings.HasPrefix(sc.name, "somebody") && !strings.HasPrefix(sc.name, "the reply") && sc.jobs < 2
	})
	for _, sc := range need.Some(t, telling, 4) {
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			for _, kind := range []struct{ applied, reads bool }{{}, {applied: true}, {reads: true}} {
				for _, times := range []int{1, 5} {
					for first := 1; ; first += step() {
						w := &wear{first: first, times: times, applied: kind.applied, reads: kind.reads}
						synctest.Test(t, func(t *testing.T) {
							old := sc.arrange
							sc := sc
							sc.sure = true
							sc.arrange = func(world *world) {
								if old != nil {
									old(world)
								}
								world.worn = func(s generate.Store) generate.Store { return wornStore{s, w} }
							}
							sc.play(t, crashAt(0))
						})
						if t.Failed() {
							t.Fatalf("with call %d and %d more failing (reads: %v, applied: %v)", first, times-1, kind.reads, kind.applied)
						}
						if w.calls < first {
							break
						}
					}
				}
			}
		})
	}
}

// step is every how many-eth call is made to fail.
func step() int {
	if need.Thorough() {
		return 1
	}
	return 9
}

// TestAFullDiskHoldsJobsUpUntilThereIsRoom fills the store's file to its limit
// in the middle of jobs, restarts with room, and looks whether anything is
// missing.
func TestAFullDiskHoldsJobsUpUntilThereIsRoom(t *testing.T) {
	for _, full := range need.Some(t, []int64{64 << 10, 96 << 10, 128 << 10, 256 << 10}, 2) {
		t.Run(fmt.Sprintf("%d kB", full>>10), virtual(func(t *testing.T) {
			w := newWorld(t)
			w.policy = quota.Policy{}
			w.maxStore = full
			p := w.start(crashAt(0))
			accepted := map[int]bool{}
			refused := 0
			for n := range 80 {
				if _, err := p.submit(t.Context(), ask(t, n)); err == nil {
					accepted[n] = true
				} else {
					refused++
				}
				elapse(200 * time.Millisecond)
			}
			if refused == 0 {
				t.Fatal("the disk was never full")
			}
			elapse(30 * time.Minute)
			p.kill(t)
			w.maxStore = 1 << 30
			p = w.run()
			elapse(time.Hour)
			for n := range 80 {
				// A refused command may have been recorded: then it is done.
				sc := scenario{ends: []ending{delivered, failedAs(generate.FailTimeout)}}
				if err := sc.checkJob(t, w, p, generate.NewID(ask(t, n).Event)); err != nil {
					t.Errorf("job %d, accepted %v: %v", n, accepted[n], err)
				}
			}
			books, err := p.store.VerifyLedger(t.Context())
			if err != nil || len(books.Wrong) > 0 || !books.Totals.Balanced() || books.Totals.Held != 0 {
				t.Errorf("the books are %+v, %v; want balanced and nothing held", books, err)
			}
		}))
	}
}

func TestTheLastCardShowsWhatIsLeftAfterTheBill(t *testing.T) {
	for _, tt := range []struct {
		name   string
		fail   *generate.ProviderError
		videos int64
		spent  int64
	}{
		{"a video that was made counts with what it cost", nil, 1, 126350},
		{"a job without a video counts no more", &generate.ProviderError{Op: "result", Kind: generate.FailRefused, HTTPStatus: 422}, 0, 0},
	} {
		t.Run(tt.name, virtual(func(t *testing.T) {
			w := newWorld(t)
			w.provider.fail = tt.fail
			p := w.run()
			id := p.accept(t, 1)
			elapse(2 * time.Minute)
			finished(t, p, id)
			for _, g := range w.channel.shown(id).Gauges {
				if want := map[quota.Unit]int64{quota.Videos: tt.videos, quota.Dollars: tt.spent}[g.Unit]; g.Unit != quota.Jobs && g.Used != want {
					t.Errorf("the card says that %d %s %s are used, want %d", g.Used, g.Unit, g.Window, want)
				}
			}
		}))
	}
}

// TestAConversationIsNotAskedBeforeTheTimeThatItNamed keeps the saves of a
// job's own run from cutting a pause short.
func TestAConversationIsNotAskedBeforeTheTimeThatItNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		patient := &patientChannel{fakeChannel: w.channel}
		w.courier = patient
		p := w.run()
		p.mustSubmit(t, ask(t, 1))
		elapse(5 * time.Minute)
		if patient.early > 0 || patient.calls != 3 {
			t.Errorf("asked %d times, %d of them too early; want 3 in time", patient.calls, patient.early)
		}
	})
}

// patientChannel saves a note and then asks to be left alone, twice.
type patientChannel struct {
	*fakeChannel
	calls, early int
	notBefore    time.Time
}

func (c *patientChannel) Deliver(ctx context.Context, j generate.Job, videos []generate.Video, keep generate.Keep) ([]generate.Receipt, error) {
	c.calls++
	if time.Now().Before(c.notBefore) {
		c.early++
	}
	if c.calls > 2 {
		return c.fakeChannel.Deliver(ctx, j, videos, keep)
	}
	if err := keep(ctx, map[string]string{"try": strconv.Itoa(c.calls)}); err != nil {
		return nil, err
	}
	c.notBefore = time.Now().Add(20 * time.Second)
	return nil, later(20 * time.Second)
}
