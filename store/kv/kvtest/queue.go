package kvtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"ltxbot/store/kv"
)

func (b *bench) publish(e kv.Engine, jobs ...string) {
	b.t.Helper()
	b.update(e, func(tx kv.Tx) {
		for _, j := range jobs {
			tx.Publish(j)
		}
	})
}

func jobNames(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("job%02d", i)
	}
	return names
}

func (b *bench) retire(e kv.Engine, job string) {
	b.t.Helper()
	b.update(e, func(tx kv.Tx) { tx.Retire(job) })
}

// claim wants a job to be handed out.
func (b *bench) claim(e kv.Engine) kv.Claim {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), testTimeout)
	defer cancel()
	c, err := e.Claim(ctx)
	if err != nil {
		b.t.Fatalf("claim: %v", err)
	}
	return c
}

// wantNothing wants no job to be handed out: the only one is one that is
// published now.
func (b *bench) wantNothing() {
	b.t.Helper()
	b.wantNothingFor(b.first())
}

// wantNothingFor is wantNothing for a client.
func (b *bench) wantNothingFor(e kv.Engine) {
	b.t.Helper()
	b.publish(e, "sentinel")
	c := b.claim(e)
	if c.Job != "sentinel" {
		b.t.Errorf("job %s was handed out", c.Job)
	}
	b.retire(e, c.Job)
	c.Release()
}

func (b *bench) wantSignal(c <-chan struct{}, what string) {
	b.t.Helper()
	select {
	case <-c:
	case <-time.After(testTimeout):
		b.t.Fatalf("no signal: %s", what)
	}
}

func testClaim(b *bench) {
	const jobs = 60
	names := jobNames(jobs)
	b.publish(b.first(), names...)
	b.publish(b.first(), names...) // they wait already
	ctx, cancel := context.WithTimeout(b.t.Context(), testTimeout)
	defer cancel()
	var mu sync.Mutex
	claimed := map[string]int{}
	now := map[string]bool{}
	b.each(6, func(e kv.Engine, _ int) {
		for {
			c, err := e.Claim(ctx)
			if err != nil {
				return
			}
			mu.Lock()
			if now[c.Job] {
				b.t.Errorf("job %s is claimed twice", c.Job)
			}
			now[c.Job] = true
			claimed[c.Job]++
			last := claimed[c.Job] == 2
			all := len(claimed) == jobs
			for _, n := range claimed {
				all = all && n == 2
			}
			mu.Unlock()
			if last {
				b.retire(e, c.Job) //nolint:contextcheck // ctx ends when all are claimed
			}
			mu.Lock()
			now[c.Job] = false
			mu.Unlock()
			c.Release() // the first time it goes back
			c.Release()
			if all {
				cancel()
			}
		}
	})
	for _, name := range names {
		if claimed[name] != 2 {
			b.t.Errorf("job %s was handed out %d times, want 2", name, claimed[name])
		}
	}
	b.wantNothing()
}

func testFailedPublish(b *bench) {
	e := b.first()
	refused := errors.New("refused")
	err := e.Update(b.t.Context(), func(tx kv.Tx) error {
		tx.Publish("a")
		return refused
	})
	if !errors.Is(err, refused) {
		b.t.Fatal(err)
	}
	b.wantNothing()
	b.publish(e, "b")
	err = e.Update(b.t.Context(), func(tx kv.Tx) error {
		tx.Retire("b")
		return refused
	})
	if !errors.Is(err, refused) {
		b.t.Fatal(err)
	}
	if c := b.claim(e); c.Job != "b" {
		b.t.Errorf("claimed %s, want the job that was not retired", c.Job)
	}
}

func testChanged(b *bench) {
	e, other := b.first(), b.last()
	b.publish(other, "a", "b")
	claims := map[string]kv.Claim{}
	for range 2 {
		c := b.claim(e)
		claims[c.Job] = c
	}
	a := claims["a"]
	b.publish(other, "a")
	b.wantSignal(a.Changed, "a was published")
	b.publish(other, "a")
	b.publish(other, "a") // nobody has listened yet: one value is enough
	b.wantSignal(a.Changed, "a was published again")
	b.retire(other, "a")
	b.wantSignal(a.Changed, "a was retired")
	b.publish(other, "b")
	b.wantSignal(claims["b"].Changed, "b was published")
	select {
	case <-a.Lost:
		b.t.Error("a claim is lost that nobody took")
	default:
	}
	for _, c := range claims {
		c.Release()
	}
	b.retire(e, "b")
	b.wantNothing()
}

func testPublishWhileClaimed(b *bench) {
	e := b.first()
	b.publish(e, "a")
	c := b.claim(e)
	b.publish(e, "a")
	b.wantNothing()
	b.retire(e, "a")
	b.publish(e, "a") // alive again
	b.wantNothing()
	c.Release()
	c = b.claim(e)
	if c.Job != "a" {
		b.t.Fatalf("claimed %s", c.Job)
	}
	b.update(e, func(tx kv.Tx) { tx.Retire("a"); tx.Publish("a"); tx.Retire("a") })
	c.Release()
	b.wantNothing()
}

func testRetire(b *bench) {
	e, other := b.first(), b.last()
	b.publish(e, "a", "b")
	b.retire(other, "a") // while it waits
	b.retire(other, "never")
	c := b.claim(e)
	if c.Job != "b" {
		b.t.Fatalf("claimed %s, which was retired", c.Job)
	}
	b.retire(other, "b") // while it is claimed
	c.Release()
	b.wantNothing()
	b.publish(other, "a")
	if c = b.claim(e); c.Job != "a" {
		b.t.Fatalf("claimed %s, want a, which was published again", c.Job)
	}
	b.retire(e, "a")
	b.update(other, func(tx kv.Tx) { tx.Publish("a") })
	c.Release()
	if c = b.claim(e); c.Job != "a" {
		b.t.Fatalf("claimed %s, want a, which was published while it was claimed", c.Job)
	}
}

func testClaimEnds(b *bench) {
	e := b.first()
	ctx, cancel := context.WithCancel(b.t.Context())
	results := make(chan error)
	go func() {
		_, err := e.Claim(ctx)
		results <- err
		_, err = e.Claim(ctx)
		results <- err
		_, err = e.Claim(context.WithoutCancel(ctx))
		results <- err
	}()
	cancel()
	for range 2 {
		if err := <-results; !errors.Is(err, context.Canceled) {
			b.t.Errorf("context ended: got error %v", err)
		}
	}
	b.drop(e)
	if err := e.Close(); err != nil {
		b.t.Fatal(err)
	}
	if err := <-results; !errors.Is(err, kv.ErrClosed) {
		b.t.Errorf("client closed: got error %v, want ErrClosed", err)
	}
}

func testStray(b *bench) {
	e, other := b.first(), b.last()
	b.publish(e, "claimed", "waits", "retired")
	var c kv.Claim
	for c.Job != "claimed" {
		if c.Release != nil {
			defer c.Release()
		}
		c = b.claim(e)
	}
	b.retire(e, "retired")
	for _, client := range []kv.Engine{e, other} {
		got, err := client.Stray(b.t.Context(), []string{"claimed", "never", "waits", "retired"})
		if err != nil {
			b.t.Fatal(err)
		}
		slices.Sort(got)
		// A retired job that is still claimed may or may not be told.
		got = slices.DeleteFunc(got, func(j string) bool { return j == "retired" })
		if !slices.Equal(got, []string{"never"}) {
			b.t.Errorf("stray jobs: %q, want the one that was never published", got)
		}
	}
}

func testCloseReleases(b *bench) {
	e, other := b.first(), b.last()
	b.publish(e, "a")
	c := b.claim(e)
	b.drop(e)
	if err := e.Close(); err != nil {
		b.t.Fatal(err)
	}
	b.wantSignal(c.Lost, "the claim of a closed client is lost")
	if got := b.claim(other); got.Job != "a" {
		b.t.Errorf("claimed %s", got.Job)
	}
	c.Release() // of a client that is closed: no effect
	b.retire(other, "a")
	b.wantNothing()
}

func testTakeover(b *bench) {
	const jobs = 100
	e, other := b.first(), b.last()
	names := jobNames(jobs)
	b.publish(e, names...)
	claims := map[string]kv.Claim{}
	for range jobs {
		c := b.claim(e)
		claims[c.Job] = c
	}
	b.retire(e, "job00")
	b.wantNothingFor(other)
	b.kill(e)
	began := time.Now()
	got := make([]string, 0, jobs)
	for range jobs - 1 {
		c := b.claim(other)
		got = append(got, c.Job)
		select {
		case <-claims[c.Job].Lost:
		default:
			b.t.Errorf("job %s was taken over before its claim was lost", c.Job)
		}
	}
	if took := time.Since(began); took > kv.TakeoverAfter+20*time.Second { // and a busy machine
		b.t.Errorf("the takeover of %d jobs took %v", jobs, took)
	}
	slices.Sort(got)
	if !slices.Equal(got, names[1:]) {
		b.t.Errorf("taken over: %q", got)
	}
	b.wantNothing()
}

func testRestart(b *bench) {
	for _, end := range []string{"close", "kill"} {
		e := b.first()
		b.publish(e, end+"1", end+"2", end+"3", end+"4")
		claims := map[string]kv.Claim{}
		for range 2 {
			c := b.claim(e)
			claims[c.Job] = c
		}
		retired := slices.Sorted(func(yield func(string) bool) {
			for job := range claims {
				yield(job)
				return
			}
		})[0]
		b.retire(e, retired)
		if end == "close" {
			b.drop(e)
			if err := e.Close(); err != nil {
				b.t.Fatal(err)
			}
		} else {
			b.kill(e)
		}
		e = b.open()
		for _, c := range claims {
			c.Release() // of a client that is gone: no effect
		}
		got := make([]string, 0, 3)
		for range 3 {
			c := b.claim(e)
			got = append(got, c.Job)
			b.retire(e, c.Job)
			defer c.Release()
		}
		slices.Sort(got)
		want := slices.DeleteFunc([]string{end + "1", end + "2", end + "3", end + "4"}, func(j string) bool { return j == retired })
		if !slices.Equal(got, want) {
			b.t.Errorf("after %s: handed out %q, want %q", end, got, want)
		}
		b.wantNothing()
	}
}
