package kvtest

import (
	"time"

	"ltxbot/store/kv"
)

// eventually wants what true says before patience ends.
func (b *bench) eventually(what string, try func() bool) {
	b.t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !try() {
		select {
		case <-tick.C:
		case <-deadline:
			b.t.Fatalf("never: %s", what)
		}
	}
}

func testProcesses(b *bench) {
	e, other := b.first(), b.last()
	count := func() int {
		n, err := e.Processes(b.t.Context())
		if err != nil {
			b.t.Fatal(err)
		}
		return n
	}
	b.eventually("two clients are known", func() bool { return count() == 2 })
	b.drop(other)
	if err := other.Close(); err != nil {
		b.t.Fatal(err)
	}
	if got := count(); got != 1 {
		b.t.Errorf("%d clients after one is closed, want 1", got)
	}
	killed := b.open()
	b.eventually("another client is known", func() bool { return count() == 2 })
	b.kill(killed)
	b.eventually("a dead client is not counted", func() bool { return count() == 1 })
}

func (b *bench) lease(e kv.Engine, name string, ttl time.Duration) bool {
	b.t.Helper()
	ok, err := e.Lease(b.t.Context(), name, ttl)
	if err != nil {
		b.t.Fatalf("lease: %v", err)
	}
	return ok
}

func testLease(b *bench) {
	e, other := b.first(), b.last()
	if !b.lease(e, "gateway", time.Minute) || b.lease(other, "gateway", time.Minute) {
		b.t.Error("the first who asks has the lease, and nobody else")
	}
	if !b.lease(other, "another", time.Minute) {
		b.t.Error("a lease with another name is free")
	}
	// It is renewed, also for a shorter time, and ends by itself.
	const short = 200 * time.Millisecond
	if !b.lease(e, "gateway", short) {
		b.t.Error("the holder renews its lease")
	}
	began := time.Now()
	b.eventually("the lease ends", func() bool { return b.lease(other, "gateway", time.Minute) })
	if took := time.Since(began); took < short/2 {
		b.t.Errorf("the lease ended after %v", took)
	}
	if b.lease(e, "gateway", time.Minute) {
		b.t.Error("the holder of before has the lease again")
	}
	for _, client := range []kv.Engine{e, other} { // the first one has nothing to give
		if err := client.EndLease(b.t.Context(), "gateway"); err != nil {
			b.t.Fatal(err)
		}
		if held := b.lease(e, "gateway", time.Minute); held != (client == other) {
			b.t.Errorf("after the lease of another was given back it is free: %t", held)
		}
	}
}

func testLeaseOfDead(b *bench) {
	e, other := b.first(), b.last()
	b.lease(e, "gateway", time.Second)
	b.kill(e)
	b.eventually("the lease of a dead client ends", func() bool { return b.lease(other, "gateway", time.Minute) })
}

func testLimiter(b *bench) {
	e, other := b.first(), b.last()
	take := func(client kv.Engine, n int) time.Duration {
		b.t.Helper()
		wait, err := client.Take(b.t.Context(), "discord", n, 10, 0.5)
		if err != nil {
			b.t.Fatalf("take: %v", err)
		}
		return wait
	}
	if wait := take(e, 6); wait != 0 {
		b.t.Errorf("a full bucket has to be waited for: %v", wait)
	}
	// 4 are left; 2 are missing, which takes 4 seconds.
	if wait := take(other, 6); wait <= 3*time.Second || wait > 4*time.Second {
		b.t.Errorf("wait for 2 tokens at 0.5 a second: %v, want almost 4 s", wait)
	}
	if wait := take(other, 4); wait != 0 {
		b.t.Errorf("a try that took nothing has taken something: %v", wait)
	}
	if wait := take(e, 1); wait <= time.Second || wait > 2*time.Second {
		b.t.Errorf("wait for a token at 0.5 a second: %v, want almost 2 s", wait)
	}
	if wait, err := e.Take(b.t.Context(), "slack", 1, 1, 50); wait != 0 || err != nil {
		b.t.Errorf("another bucket: %v, %v", wait, err)
	}
	b.eventually("tokens come back", func() bool {
		wait, err := other.Take(b.t.Context(), "slack", 1, 1, 50)
		return wait == 0 && err == nil
	})
	if _, err := e.Take(b.t.Context(), "slack", 2, 1, 50); err == nil {
		b.t.Error("more tokens than a bucket holds can be taken")
	}
}

func testNow(b *bench) {
	now := func() time.Time {
		b.t.Helper()
		got, err := b.first().Now(b.t.Context())
		if err != nil {
			b.t.Fatal(err)
		}
		return got
	}
	start := b.clock
	if got := now(); !got.Equal(start) {
		b.t.Errorf("now is %v, want %v", got, start)
	}
	b.clock = start.Add(time.Hour)
	now()
	b.update(b.first(), func(tx kv.Tx) { put(tx, "a") })
	b.clock = start
	if got := now(); !got.Equal(start.Add(time.Hour)) {
		b.t.Errorf("the clock was set back an hour, and now is %v", got)
	}
	b.kill(b.first())
	b.open()
	if got := now(); !got.Equal(start.Add(time.Hour)) {
		b.t.Errorf("after a restart with a clock that was set back now is %v", got)
	}
	b.clock = start.Add(2 * time.Hour)
	if got := now(); !got.Equal(b.clock) {
		b.t.Errorf("the clock goes on, and now is %v, want %v", got, b.clock)
	}
}
