package kvtest

import (
	"time"

	"ltxbot/store/kv"
)

// eventually wants what true says before testTimeout ends.
func (b *bench) eventually(what string, try func() bool) {
	b.t.Helper()
	deadline := time.After(testTimeout)
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
	began := time.Now()
	if !b.lease(e, "gateway", short) {
		b.t.Error("the holder renews its lease")
	}
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
	start, began := b.clock, time.Now()
	spend := func(client kv.Engine, name string, every time.Duration, users int) (time.Duration, int) {
		b.t.Helper()
		b.clock = start.Add(time.Since(began)) // engines follow this clock or one of their own
		wait, total, err := client.Spend(b.t.Context(), name, every, 3, users)
		if err != nil {
			b.t.Fatalf("spend: %v", err)
		}
		return wait, total
	}
	for i, client := range []kv.Engine{e, other, e} {
		if wait, _ := spend(client, "discord", time.Hour, 1); wait != 0 {
			b.t.Errorf("token %d of a full bucket has to be waited for: %v", i, wait)
		}
	}
	for _, client := range []kv.Engine{e, other} { // a try that took nothing takes nothing
		if wait, _ := spend(client, "discord", time.Hour, 1); wait <= 59*time.Minute || wait > time.Hour {
			b.t.Errorf("wait for a token each hour: %v, want almost an hour", wait)
		}
	}
	if wait, _ := spend(other, "another", time.Hour, 1); wait != 0 {
		b.t.Errorf("another bucket: %v", wait)
	}
	const fast = 300 * time.Millisecond
	first := time.Now()
	for range 3 {
		spend(e, "slack", fast, 1)
	}
	if wait, _ := spend(other, "slack", fast, 1); wait == 0 && time.Since(first) < fast {
		b.t.Error("an empty bucket has a token")
	}
	b.eventually("tokens come back", func() bool { wait, _ := spend(other, "slack", fast, 1); return wait == 0 })

	for _, step := range []struct {
		client      kv.Engine
		users, want int
	}{{e, 5, 5}, {other, 3, 8}, {e, 2, 5}, {other, 0, 2}, {other, 1, 3}} {
		if _, total := spend(step.client, "edits", time.Minute, step.users); total != step.want {
			b.t.Errorf("%d want tokens, and in all %d, want %d", step.users, total, step.want)
		}
	}

	for _, d := range []time.Duration{30 * time.Minute, time.Second} { // the second changes nothing
		if err := e.HoldBack(b.t.Context(), "held", time.Second, 3, d); err != nil {
			b.t.Fatal(err)
		}
	}
	if wait, _ := spend(other, "held", time.Second, 1); wait <= 29*time.Minute || wait > 30*time.Minute {
		b.t.Errorf("a bucket that is held back for 30 minutes has none for %v", wait)
	}
	if err := e.HoldBack(b.t.Context(), "short", time.Hour, 3, fast); err != nil {
		b.t.Fatal(err)
	}
	b.eventually("there is one token after a bucket was held back", func() bool {
		wait, _ := spend(other, "short", time.Hour, 1)
		return wait == 0
	})
	if wait, _ := spend(e, "short", time.Hour, 1); wait <= 59*time.Minute {
		b.t.Errorf("there is a second token after %v", wait)
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

// testClock: a clock that was a year ahead is put right.
func testClock(b *bench) {
	ctx, start := b.t.Context(), b.clock
	check := func(what string, want time.Time) {
		b.t.Helper()
		if got, err := b.first().Now(ctx); err != nil || !got.Equal(want) {
			b.t.Errorf("%s: now is %v, %v; want %v", what, got, err, want)
		}
		if got, err := b.first().Clock(ctx); err != nil || !got.Equal(b.clock) {
			b.t.Errorf("%s: the clock shows %v, %v; want %v", what, got, err, b.clock)
		}
	}
	b.clock = start.AddDate(1, 0, 0)
	check("ahead", b.clock)
	b.update(b.first(), func(tx kv.Tx) { put(tx, "a") })
	b.clock = start.Add(time.Minute)
	check("put right", start.AddDate(1, 0, 0))
	if n, err := b.first().Processes(ctx); err != nil || n != 1 {
		b.t.Errorf("%d processes, %v; want 1", n, err)
	}
	if err := b.first().ResetClock(ctx); err != nil {
		b.t.Fatal(err)
	}
	check("reset", b.clock)
	b.kill(b.first())
	b.open()
	check("after a restart", b.clock)
	b.clock = start
	check("never back by itself", start.Add(time.Minute))
}
