package redis_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"ltxbot/internal/flaky"
	"ltxbot/internal/redistest"
	"ltxbot/store/redis"
)

// stoppedServer is a server whose time is the test's own.
type stoppedServer struct {
	*miniredis.Miniredis
	now time.Time
}

func newStoppedServer(t *testing.T) *stoppedServer {
	t.Helper()
	s := &stoppedServer{miniredis.RunT(t), time.Unix(1_767_225_600, 0)}
	s.SetTime(s.now)
	return s
}

func (s *stoppedServer) advance(d time.Duration) {
	s.now = s.now.Add(d)
	s.SetTime(s.now)
	s.FastForward(d)
}

func (s *stoppedServer) url() string { return "redis://" + s.Addr() }

// spend spends, or ends the test.
func spend(t *testing.T, s *opened, name string, every time.Duration, burst, users int) (wait time.Duration, total int) {
	t.Helper()
	wait, total, err := s.Spend(t.Context(), name, every, burst, users)
	if err != nil {
		t.Fatal(err)
	}
	return wait, total
}

func TestProcessesShareABudget(t *testing.T) {
	server := newStoppedServer(t)
	a := open(t, server.url(), redis.Options{})
	defer a.Close()
	b := a.another(t)
	const every, burst = 2 * time.Second, 3
	var spent []time.Time
	for range 4 * 600 { // four minutes
		for _, s := range []*opened{a, b} {
			if wait, _ := spend(t, s, "edits", every, burst, 1); wait == 0 {
				spent = append(spent, server.now)
			}
		}
		server.advance(100 * time.Millisecond)
	}
	if want := burst + 4*30 - 1; len(spent) != want {
		t.Errorf("%d were spent in four minutes, want %d", len(spent), want)
	}
	for i := range spent {
		n := 0
		for _, later := range spent[i:] {
			if later.Sub(spent[i]) < time.Minute {
				n++
			}
		}
		if n > burst+30 {
			t.Fatalf("%d were spent within a minute", n)
		}
	}
}

func TestABudgetSaysHowLongThereIsNone(t *testing.T) {
	server := newStoppedServer(t)
	s := open(t, server.url(), redis.Options{})
	defer s.Close()
	for _, step := range []struct {
		after, want time.Duration
	}{
		{0, 0},
		{0, 0},
		{0, time.Second},
		{400 * time.Millisecond, 600 * time.Millisecond},
		{600 * time.Millisecond, 0},
		{0, time.Second},
		{time.Hour, 0},
		{0, 0},
		{0, time.Second},
	} {
		server.advance(step.after)
		if got, _ := spend(t, s, "edits", time.Second, 2, 1); got != step.want {
			t.Errorf("at %s: wait %v, want %v", server.now.UTC().Format(time.TimeOnly), got, step.want)
		}
	}
	if wait, _ := spend(t, s, "others", time.Second, 2, 1); wait != 0 {
		t.Errorf("another budget is empty for %v", wait)
	}
}

func TestABudgetThatIsHeldBackIsEmptyForAllProcessesAndThenHasOne(t *testing.T) {
	server := newStoppedServer(t)
	a := open(t, server.url(), redis.Options{})
	defer a.Close()
	b := a.another(t)
	for _, d := range []time.Duration{30 * time.Second, time.Second} { // the second changes nothing
		if err := a.HoldBack(t.Context(), "edits", 2*time.Second, 3, d); err != nil {
			t.Fatal(err)
		}
	}
	if wait, _ := spend(t, b, "edits", 2*time.Second, 3, 1); wait != 30*time.Second {
		t.Errorf("another process waits %v, want 30s", wait)
	}
	server.advance(30 * time.Second)
	if wait, _ := spend(t, b, "edits", 2*time.Second, 3, 1); wait != 0 {
		t.Errorf("afterwards there is none for %v", wait)
	}
	if wait, _ := spend(t, a, "edits", 2*time.Second, 3, 1); wait != 2*time.Second {
		t.Errorf("the second waits %v, want 2s", wait)
	}
}

func TestABudgetKnowsHowManyWantIt(t *testing.T) {
	server := newStoppedServer(t)
	a := open(t, server.url(), redis.Options{})
	defer a.Close()
	b := a.another(t)
	for _, step := range []struct {
		what  string
		s     *opened
		users int
		after time.Duration
		want  int
	}{
		{"one process", a, 5, 0, 5},
		{"a second one", b, 3, 0, 8},
		{"the first has fewer", a, 2, 10 * time.Second, 5},
		{"the second has none", b, 0, 0, 2},
		{"the second is back", b, 1, 0, 3},
		{"the first has not been heard of for long", b, 1, 61 * time.Second, 1},
	} {
		server.advance(step.after)
		if _, got := spend(t, step.s, "edits", time.Second, 1, step.users); got != step.want {
			t.Errorf("%s: %d in all, want %d", step.what, got, step.want)
		}
	}
	server.advance(time.Hour)
	for _, key := range server.Keys() {
		if strings.Contains(key, "budget") {
			t.Errorf("%s is left", key)
		}
	}
}

func TestALostReplyGivesNothingAway(t *testing.T) {
	proxy := flaky.New(t, redistest.Start(t).Addr())
	s := open(t, "redis://"+proxy.Addr(), redis.Options{})
	defer s.Close()
	const burst = 10
	spent := 0
	for range 2 * burst {
		proxy.LoseReplyTo("budget:edits")
		if wait, _ := spend(t, s, "edits", time.Hour, burst, 1); wait == 0 {
			spent++
		}
	}
	if spent > burst || spent < burst/2 {
		t.Errorf("%d of %d were spent", spent, burst)
	}
}

func TestABudgetHoldsUnderLoad(t *testing.T) {
	server := redistest.Start(t)
	a := open(t, server.URL(), redis.Options{})
	defer a.Close()
	const every, burst, span = 20 * time.Millisecond, 5, time.Second
	ctx, cancel := context.WithTimeout(t.Context(), span)
	defer cancel()
	began := time.Now()
	var spent atomic.Int64
	var all sync.WaitGroup
	for _, s := range []*opened{a, a.another(t), a.another(t)} {
		for range 2 {
			all.Go(func() {
				for ctx.Err() == nil {
					wait, _, err := s.Spend(ctx, "edits", every, burst, 1)
					switch {
					case err != nil:
						return
					case wait == 0:
						spent.Add(1)
					default:
						pause := time.NewTimer(wait)
						select {
						case <-pause.C:
						case <-ctx.Done():
						}
						pause.Stop()
					}
				}
			})
		}
	}
	all.Wait()
	most := burst + int64(time.Since(began)/every) + 1
	if n := spent.Load(); n < burst || n > most {
		t.Errorf("%d were spent, want at most %d", n, most)
	}
	t.Logf("%d of %d were spent", spent.Load(), most)
}
