package redis_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ltxbot/internal/need"
	"ltxbot/internal/redistest"
	"ltxbot/internal/until"
	"ltxbot/store/kv"
)

// testTimeout is how long a test waits for what must happen.
const testTimeout = 2 * time.Minute

func number(b []byte) int {
	n, _ := strconv.Atoi(string(b))
	return n
}

// increment counts in a key, until it is known to be done.
func increment(t *testing.T, e kv.Engine, key string) {
	t.Helper()
	err := e.Update(t.Context(), func(tx kv.Tx) error {
		tx.Put(key, []byte(strconv.Itoa(number(tx.Get(key))+1)))
		return nil
	})
	if err != nil {
		t.Errorf("increment: %v", err)
	}
}

func read(t *testing.T, e kv.Engine, key string) string {
	t.Helper()
	var value string
	if err := e.View(t.Context(), func(tx kv.Tx) error { value = string(tx.Get(key)); return nil }); err != nil {
		t.Fatal(err)
	}
	return value
}

func publish(t *testing.T, e kv.Engine, jobs ...string) {
	t.Helper()
	err := e.Update(t.Context(), func(tx kv.Tx) error {
		for _, job := range jobs {
			tx.Publish(job)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func claim(t *testing.T, e kv.Engine) kv.Claim {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	c, err := e.Claim(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func closed(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(testTimeout):
		t.Fatalf("never: %s", what)
	}
}

func TestATransactionIsAppliedOnceWhenEveryFourthReplyIsLost(t *testing.T) {
	t.Parallel()
	d := newDatabase(redistest.Start(t), nil)
	d.opts.Timeout = time.Minute // a busy machine needs more than three seconds
	e := d.Open(t)
	t.Cleanup(func() { e.Close() })
	d.proxies[e].LoseEvery(4)
	const goroutines, rounds = 8, 25
	var all sync.WaitGroup
	for range goroutines {
		all.Go(func() {
			for range rounds {
				increment(t, e, "n")
			}
		})
	}
	all.Wait()
	d.proxies[e].LoseEvery(0)
	if got := read(t, e, "n"); got != strconv.Itoa(goroutines*rounds) {
		t.Errorf("counted %s, want %d", got, goroutines*rounds)
	}
}

// A transaction that has leased the writes because of its conflicts, and then
// writes nothing, lets the others go on at once.
func TestAWriteLeaseThatIsNotNeededIsGivenBack(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	d := newDatabase(server, nil)
	one, other := d.Open(t), d.Open(t)
	t.Cleanup(func() { one.Close(); other.Close() })
	lease := func() string { return strings.TrimSpace(server.CLI("EXISTS", "{"+d.opts.Prefix+"}:write-lease")) }
	for try := 1; ; try++ {
		runs, taken, key := 0, "", strconv.Itoa(try)
		var before time.Time // the lease
		var late bool        // it may be over when it is looked at, on a busy machine
		err := one.Update(t.Context(), func(tx kv.Tx) error {
			n := number(tx.Get(key))
			if runs++; runs <= 2 {
				increment(t, other, key) // what was read is outdated
				tx.Put(key, []byte("lost"))
				before = time.Now()
				return nil
			}
			taken = lease()
			late = time.Since(before) > 300*time.Millisecond
			if n != 2 {
				tx.Put(key, []byte("not seen"))
			}
			return nil
		})
		if late && try < 100 {
			continue
		}
		if err != nil || taken != "1" {
			t.Fatalf("after two conflicts there are %s leases, %v; want one", taken, err)
		}
		if left := lease(); left != "0" {
			t.Errorf("afterwards there are %s leases, want none", left)
		}
		if got := read(t, one, key); got != "2" {
			t.Errorf("it is %s, want 2", got)
		}
		return
	}
}

// An operator, or a failover, may remove the stream: what is worked on is
// handed out again, and the rest is found by Stray and published again.
func TestAStreamThatWasDeletedIsMadeAgain(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	d := newDatabase(server, nil)
	e := d.Open(t)
	t.Cleanup(func() { e.Close() })
	publish(t, e, "a", "b")
	c := claim(t, e)
	server.CLI("DEL", "{"+d.opts.Prefix+"}:jobs")
	closed(t, "the claim is lost that Redis does not know", c.Lost)
	stray, err := e.Stray(t.Context(), []string{"a", "b"})
	if err != nil || len(stray) != 2 {
		t.Fatalf("stray: %v, %v", stray, err)
	}
	publish(t, e, stray...)
	seen := map[string]bool{}
	for range 2 {
		seen[claim(t, e).Job] = true
	}
	if len(seen) != 2 {
		t.Errorf("handed out %v", seen)
	}
}

// A delivery whose reply was lost is not lost.
func TestADeliveryThatDoesNotArriveIsHandedOutAgain(t *testing.T) {
	t.Parallel()
	d := newDatabase(redistest.Start(t), nil)
	e := d.Open(t)
	t.Cleanup(func() { e.Close() })
	d.proxies[e].LoseReplyTo("XREADGROUP")
	publish(t, e, "a")
	if c := claim(t, e); c.Job != "a" {
		t.Errorf("claimed %s", c.Job)
	}
}

// A failover can take one claim away and lose the reply to another delivery: as
// many as before, but not the same.
func TestAClaimThatIsLostAndADeliveryThatDoesNotArriveAreBothNoticed(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	d := newDatabase(server, nil)
	e := d.Open(t)
	t.Cleanup(func() { e.Close() })
	stream := "{" + d.opts.Prefix + "}:jobs"
	publish(t, e, "a")
	c := claim(t, e)
	publish(t, e, "b")
	pending := strings.Fields(server.CLI("XPENDING", stream, "bot", "-", "+", "1"))
	if len(pending) < 2 {
		t.Fatalf("pending: %q", pending)
	}
	entry, consumer := pending[0], pending[1]
	server.CLI("XREADGROUP", "GROUP", "bot", consumer, "COUNT", "1", "STREAMS", stream, ">")
	server.CLI("XACK", stream, "bot", entry)
	server.CLI("XDEL", stream, entry)
	closed(t, "the claim is lost that Redis does not know", c.Lost)
	if c := claim(t, e); c.Job != "b" {
		t.Errorf("claimed %s", c.Job)
	}
}

func TestAllJobsOfADeadProcessAreTakenOver(t *testing.T) {
	t.Parallel()
	need.Spare(t) // 10,000 jobs are claimed twice
	const jobs = 10_000
	d := newDatabase(redistest.Start(t), nil)
	e, other := d.Open(t), d.Open(t)
	t.Cleanup(func() { other.Close() })
	for first := 0; first < jobs; first += 500 {
		var names []string
		for i := range 500 {
			names = append(names, fmt.Sprintf("job%05d", first+i))
		}
		publish(t, e, names...)
	}
	for range jobs {
		claim(t, e)
	}
	d.Kill(t, e)
	began := time.Now()
	seen := map[string]bool{}
	for range jobs {
		seen[claim(t, other).Job] = true
	}
	t.Logf("%d jobs were taken over in %v", jobs, time.Since(began))
	if len(seen) != jobs {
		t.Errorf("%d of %d jobs were taken over", len(seen), jobs)
	}
}

// A server whose memory is full refuses a transaction as a whole.
func TestAFullServerAppliesNothingByHalves(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	d := newDatabase(server, nil)
	e := d.Open(t)
	t.Cleanup(func() { e.Close() })
	write := func(value string) error {
		return e.Update(t.Context(), func(tx kv.Tx) error {
			tx.Delete("gone")
			tx.Put("a", []byte(value))
			tx.Publish("job")
			return nil
		})
	}
	if err := e.Update(t.Context(), func(tx kv.Tx) error { tx.Put("gone", []byte("there")); tx.Put("a", []byte("before")); return nil }); err != nil {
		t.Fatal(err)
	}
	server.CLI("CONFIG", "SET", "maxmemory", "1mb")
	if err := write("during"); err == nil || !strings.Contains(err.Error(), "OOM") {
		t.Fatalf("a full server: %v", err)
	}
	if a, gone := read(t, e, "a"), read(t, e, "gone"); a != "before" || gone != "there" {
		t.Errorf("half of it was applied: a is %q, gone is %q", a, gone)
	}
	server.CLI("CONFIG", "SET", "maxmemory", "0")
	if err := write("after"); err != nil {
		t.Fatal(err)
	}
	if a, gone := read(t, e, "a"), read(t, e, "gone"); a != "after" || gone != "" {
		t.Errorf("afterwards a is %q, gone is %q", a, gone)
	}
}

func TestSyncWaitsForAReplica(t *testing.T) {
	t.Parallel()
	master := redistest.Start(t)
	replica := redistest.Start(t, "--replicaof", "127.0.0.1 "+strconv.Itoa(master.Port))
	until.True(t, "the replica follows", func() bool {
		return strings.Contains(replica.CLI("INFO", "replication"), "master_link_status:up")
	})
	d := newDatabase(master, nil)
	d.opts.Timeout = time.Second
	e := d.openAtLast(t)
	t.Cleanup(func() { e.Close() })
	confirmed := func() bool { return e.Sync(t.Context()) == nil } // a busy machine may need more than a second
	increment(t, e, "n")
	until.True(t, "a replica answers", confirmed)
	replica.Freeze()
	increment(t, e, "n")
	if err := e.Sync(t.Context()); err == nil {
		t.Error("a replica that does not answer has confirmed a write")
	}
	replica.Thaw()
	until.True(t, "a replica answers again", confirmed)
}

func TestIncarnationIsOfTheServersRun(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	e := newDatabase(server, nil).Open(t)
	t.Cleanup(func() { e.Close() })
	name := func() string {
		t.Helper()
		got, err := e.Incarnation(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	first := name()
	if first == "" || name() != first {
		t.Errorf("the run is called %q, then %q", first, name())
	}
	server.Kill()
	server.Start()
	increment(t, e, "n")
	if name() == first {
		t.Error("another run has the same name")
	}
}
