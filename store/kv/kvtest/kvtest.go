// Package kvtest is the suite that every kv.Engine passes: what an engine
// promises, written as tests. An engine runs it with
//
//	kvtest.Run(t, kvtest.Harness{New: …})
//
// Keys, hand-out, leases and limiters have tests of their own. The time of
// leases, limiters and heartbeats is real; that of Now is the suite's.
package kvtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"ltxbot/store/kv"
)

// Harness makes databases for the suite.
type Harness struct {
	// New makes an empty database whose clients take Now from now.
	New func(t testing.TB, now func() time.Time) Database
	// Single says that a database has one client at a time.
	Single bool
}

// A Database is opened by clients, one after the other or, unless the harness
// is Single, several at a time.
type Database interface {
	// Open makes a client. The suite closes or kills it.
	Open(t testing.TB) kv.Engine
	// Kill ends a client as a crash of its process does: without Close, and
	// without any way to reach the database any more.
	Kill(t testing.TB, e kv.Engine)
}

// Run runs the suite, several of its tests at a time, and returns at its end.
func Run(t *testing.T, h Harness) {
	t.Run("suite", func(t *testing.T) { run(t, h) })
}

func run(t *testing.T, h Harness) {
	for _, test := range []struct {
		name    string
		clients int // that it needs at a time
		run     func(*bench)
	}{
		{"a transaction reads what it wrote", 1, testOwnWrites},
		{"what is fetched is read as ever", 1, testFetch},
		{"scans go both ways within a prefix", 1, testScan},
		{"a scan does not see what is written during it", 1, testWriteInScan},
		{"a transaction that fails writes nothing", 1, testFailure},
		{"a transaction that panics writes nothing and panics in its caller", 1, testPanic},
		{"what can't be a key or a value fails the transaction", 1, testInvalid},
		{"an update that reads too much fails", 1, testMaxReads},
		{"a view does not write", 1, testReadOnlyView},
		{"a call whose context has ended does nothing", 1, testContext},
		{"a closed engine says so", 1, testClosed},
		{"increments in parallel all count", 1, testIncrements},
		{"increments of several clients all count", 3, testIncrements},
		{"of transactions that read what others write one goes first", 3, testWriteSkew},
		{"a range that was scanned has not grown", 3, testPhantoms},
		{"a view is one state", 3, testView},
		{"a view sees what its client wrote", 3, testViewAfterUpdate},
		{"any history agrees with a map", 1, testMachine},
		{"any history of several clients agrees with a map", 3, testMachine},
		{"a crash loses nothing", 1, testCrash},

		{"a published job is claimed once", 1, testClaim},
		{"a published job is claimed by one of several clients", 3, testClaim},
		{"a transaction that fails hands nothing out", 1, testFailedPublish},
		{"who works on a job hears of news", 1, testChanged},
		{"who works on a job hears of news from another client", 2, testChanged},
		{"a job is published while it is claimed", 1, testPublishWhileClaimed},
		{"a retired job is not handed out", 1, testRetire},
		{"a job retired by another client is not handed out", 2, testRetire},
		{"waiting for a job ends with the context or the client", 1, testClaimEnds},
		{"a job without a hand-out is found", 2, testStray},
		{"a closed client gives its jobs back", 2, testCloseReleases},
		{"the jobs of a dead client are taken over", 2, testTakeover},
		{"a restart hands out what was not retired", 1, testRestart},

		{"clients are counted", 2, testProcesses},
		{"a lease has one holder", 2, testLease},
		{"the lease of a dead client ends", 2, testLeaseOfDead},
		{"a limiter is shared", 2, testLimiter},
		{"time never goes back", 1, testNow},
		{"a clock that was ahead is put right", 1, testClock},
	} {
		t.Run(test.name, func(t *testing.T) {
			if h.Single && test.clients > 1 {
				t.Skip("this engine has one client at a time")
			}
			t.Parallel()
			b := &bench{t: t, clock: time.Date(2026, time.March, 11, 12, 0, 0, 0, time.UTC)}
			b.db = h.New(t, func() time.Time { return b.clock })
			for range test.clients {
				b.open()
			}
			test.run(b)
			for _, e := range b.clients {
				if err := e.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			}
		})
	}
}

// testTimeout is how long a test waits for what must happen, a takeover included.
const testTimeout = kv.TakeoverAfter + time.Minute

// bench is a database with clients, with helpers that fail the test.
type bench struct {
	t       *testing.T
	db      Database
	clients []kv.Engine
	clock   time.Time
}

func (b *bench) open() kv.Engine {
	b.t.Helper()
	e := b.db.Open(b.t)
	b.clients = append(b.clients, e)
	return e
}

// drop makes the bench forget a client that is closed or killed.
func (b *bench) drop(e kv.Engine) {
	b.clients = slices.DeleteFunc(b.clients, func(c kv.Engine) bool { return c == e })
}

func (b *bench) kill(e kv.Engine) {
	b.t.Helper()
	b.drop(e)
	b.db.Kill(b.t, e)
}

func (b *bench) first() kv.Engine { return b.clients[0] }

func (b *bench) last() kv.Engine { return b.clients[len(b.clients)-1] }

func (b *bench) update(e kv.Engine, fn func(kv.Tx)) {
	b.t.Helper()
	if err := e.Update(b.t.Context(), func(tx kv.Tx) error { fn(tx); return nil }); err != nil {
		b.t.Fatalf("update: %v", err)
	}
}

func (b *bench) view(e kv.Engine, fn func(kv.Tx)) {
	b.t.Helper()
	if err := e.View(b.t.Context(), func(tx kv.Tx) error { fn(tx); return nil }); err != nil {
		b.t.Fatalf("view: %v", err)
	}
}

// want fails the test unless e has exactly the keys and values of pairs,
// "key=value", in order.
func (b *bench) want(e kv.Engine, pairs ...string) {
	b.t.Helper()
	b.view(e, func(tx kv.Tx) {
		if got := list(tx.Scan("", "")); !slices.Equal(got, pairs) {
			b.t.Errorf("keys: got %q, want %q", got, pairs)
		}
	})
}

// list writes what a scan yields as "key=value".
func list(seq func(yield func(string, []byte) bool)) []string {
	var pairs []string
	for k, v := range seq {
		pairs = append(pairs, k+"="+string(v))
	}
	return pairs
}

func put(tx kv.Tx, keys ...string) {
	for _, k := range keys {
		tx.Put(k, []byte("v"+k))
	}
}

func testOwnWrites(b *bench) {
	e := b.first()
	b.update(e, func(tx kv.Tx) {
		if got := tx.Get("a"); got != nil {
			b.t.Errorf("a key that was never written is %q", got)
		}
		put(tx, "a", "b")
		if got := tx.Get("a"); string(got) != "va" {
			b.t.Errorf("own write: got %q", got)
		}
		tx.Put("a", []byte("again"))
		tx.Delete("b")
		tx.Delete("never")
		if got := tx.Get("b"); got != nil {
			b.t.Errorf("own delete: got %q", got)
		}
	})
	b.want(e, "a=again")
	b.update(e, func(tx kv.Tx) {
		tx.Delete("a")
		put(tx, "0", "b")
		if got := list(tx.Scan("", "")); !slices.Equal(got, []string{"0=v0", "b=vb"}) {
			b.t.Errorf("own writes in a scan: %q", got)
		}
		tx.Put("a", []byte("new"))
	})
	b.want(e, "0=v0", "a=new", "b=vb")
}

func testFetch(b *bench) {
	e := b.first()
	b.update(e, func(tx kv.Tx) { put(tx, "a", "b", "c") })
	read := func(tx kv.Tx, want ...string) {
		b.t.Helper()
		var got []string
		for _, key := range []string{"a", "b", "c", "d"} {
			got = append(got, string(tx.Get(key)))
		}
		if !slices.Equal(got, want) {
			b.t.Errorf("read %q, want %q", got, want)
		}
	}
	b.update(e, func(tx kv.Tx) {
		tx.Put("a", []byte("again"))
		tx.Delete("b")
		tx.Fetch([]string{"a", "b", "c", "d"})
		read(tx, "again", "", "vc", "")
	})
	if err := e.View(b.t.Context(), func(tx kv.Tx) error {
		tx.Fetch(nil)
		tx.Fetch([]string{"a", "b", "c", "d"})
		read(tx, "again", "", "vc", "")
		return nil
	}); err != nil {
		b.t.Error(err)
	}
}

func testScan(b *bench) {
	e := b.first()
	b.update(e, func(tx kv.Tx) { put(tx, "a", "b", "b/1", "b/3", "b/5", "b0", "c", "é") })
	check := func(when string, tx kv.Tx, inside ...string) {
		b.t.Helper()
		keys := func(seq func(func(string, []byte) bool)) []string {
			var keys []string
			for k, v := range seq {
				if string(v) != "v"+k {
					b.t.Errorf("%s: value of %s: %q", when, k, v)
				}
				keys = append(keys, k)
			}
			return keys
		}
		after := func(from string) []string {
			return slices.DeleteFunc(slices.Clone(inside), func(k string) bool { return k < from })
		}
		before := func(end string) []string {
			below := slices.DeleteFunc(slices.Clone(inside), func(k string) bool { return end != "" && k >= end })
			slices.Reverse(below)
			return below
		}
		for _, at := range []string{"", "a", "b/", "b/1", "b/2", "b/3", "b/9", "b0", "zz"} {
			if got, want := keys(tx.Scan("b/", at)), after(at); !slices.Equal(got, want) {
				b.t.Errorf("%s: scan from %q: got %q, want %q", when, at, got, want)
			}
			if got, want := keys(tx.ScanReverse("b/", at)), before(at); !slices.Equal(got, want) {
				b.t.Errorf("%s: scan back before %q: got %q, want %q", when, at, got, want)
			}
		}
		for k := range tx.ScanReverse("b/", "") { // ends early
			if k != inside[len(inside)-1] {
				b.t.Errorf("%s: last key: %q", when, k)
			}
			break
		}
		if got := keys(tx.Scan("nothing", "")); got != nil {
			b.t.Errorf("%s: scan of nothing: %q", when, got)
		}
		if got := keys(tx.ScanReverse("", "")); got[0] != "é" || got[len(got)-1] != "a" {
			b.t.Errorf("%s: scan back over everything: %q", when, got)
		}
	}
	b.view(e, func(tx kv.Tx) { check("stored", tx, "b/1", "b/3", "b/5") })
	b.update(e, func(tx kv.Tx) {
		check("in an update", tx, "b/1", "b/3", "b/5")
		put(tx, "b/0", "b/2", "b/3", "b/6", "b/7")
		tx.Delete("b/1")
		tx.Delete("b/7")
		tx.Delete("b/8")
		check("with own writes", tx, "b/0", "b/2", "b/3", "b/5", "b/6")
	})
	b.view(e, func(tx kv.Tx) { check("committed", tx, "b/0", "b/2", "b/3", "b/5", "b/6") })
}

func testWriteInScan(b *bench) {
	e := b.first()
	b.update(e, func(tx kv.Tx) { put(tx, "a", "c") })
	b.update(e, func(tx kv.Tx) {
		for k := range tx.Scan("", "") {
			tx.Delete(k)
			put(tx, k+"1")
		}
		for k := range tx.ScanReverse("", "") {
			put(tx, k+"0")
		}
	})
	b.want(e, "a1=va1", "a10=va10", "c1=vc1", "c10=vc10")
	b.update(e, func(tx kv.Tx) {
		for i := range 100 {
			put(tx, fmt.Sprintf("w%03d", i))
		}
		var got []string
		for k := range tx.Scan("w", "") {
			got = append(got, k)
			put(tx, k+"+")
			tx.Delete(fmt.Sprintf("w%03d", len(got)))
		}
		if len(got) != 100 {
			b.t.Errorf("a scan over 100 own writes yields %d: %q", len(got), got)
		}
	})
}

func testFailure(b *bench) {
	e := b.first()
	b.update(e, func(tx kv.Tx) { put(tx, "a") })
	failure := errors.New("no")
	err := e.Update(b.t.Context(), func(tx kv.Tx) error {
		put(tx, "b")
		tx.Delete("a")
		return fmt.Errorf("refused: %w", failure)
	})
	if !errors.Is(err, failure) {
		b.t.Errorf("update: got error %v, want the function's", err)
	}
	if err := e.View(b.t.Context(), func(kv.Tx) error { return failure }); !errors.Is(err, failure) {
		b.t.Errorf("view: got error %v, want the function's", err)
	}
	b.want(e, "a=va")
}

func testPanic(b *bench) {
	e := b.first()
	// Others in the same batch are not affected.
	done := make(chan error, 20)
	for i := range cap(done) {
		go func() {
			done <- e.Update(b.t.Context(), func(tx kv.Tx) error {
				put(tx, fmt.Sprintf("k%02d", i))
				return nil
			})
		}()
	}
	func() {
		defer func() {
			if got := recover(); got != "oops" {
				b.t.Errorf("recovered %v, want the value of the panic", got)
			}
		}()
		err := e.Update(b.t.Context(), func(tx kv.Tx) error {
			put(tx, "bad")
			panic("oops")
		})
		b.t.Errorf("update returned %v after a panic", err)
	}()
	for range cap(done) {
		if err := <-done; err != nil {
			b.t.Errorf("update beside one that panics: %v", err)
		}
	}
	b.view(e, func(tx kv.Tx) {
		if got := list(tx.Scan("", "")); len(got) != cap(done) || tx.Get("bad") != nil {
			b.t.Errorf("keys: %q", got)
		}
	})
}

func testInvalid(b *bench) {
	e := b.first()
	for name, write := range map[string]func(kv.Tx){
		"an empty key":              func(tx kv.Tx) { tx.Put("", []byte("v")) },
		"a key with a zero byte":    func(tx kv.Tx) { tx.Put("a\x00b", []byte("v")) },
		"a key that is not UTF-8":   func(tx kv.Tx) { tx.Put("a\xff", []byte("v")) },
		"an empty value":            func(tx kv.Tx) { tx.Put("a", []byte{}) },
		"no value":                  func(tx kv.Tx) { tx.Put("a", nil) },
		"an empty key to delete":    func(tx kv.Tx) { tx.Delete("") },
		"a job without a name":      func(tx kv.Tx) { tx.Publish("") },
		"a job with a bad name":     func(tx kv.Tx) { tx.Publish("a\x00") },
		"to retire a job like that": func(tx kv.Tx) { tx.Retire("\xff") },
	} {
		err := e.Update(b.t.Context(), func(tx kv.Tx) error {
			put(tx, "before")
			write(tx)
			put(tx, "after")
			return nil
		})
		if err == nil {
			b.t.Errorf("%s was accepted", name)
		}
	}
	b.want(e)
}

func testMaxReads(b *bench) {
	e := b.first()
	for i := range 3 {
		b.update(e, func(tx kv.Tx) {
			for j := range kv.MaxReads/2 - 1 {
				put(tx, fmt.Sprintf("%d/%04d", i, j))
			}
		})
	}
	read := func(tx kv.Tx, n int) (got int) {
		for range tx.Scan("", "") {
			if got++; got == n {
				break
			}
		}
		return got
	}
	b.update(e, func(tx kv.Tx) {
		if got := read(tx, kv.MaxReads); got != kv.MaxReads {
			b.t.Errorf("an update has read %d keys, want %d", got, kv.MaxReads)
		}
		put(tx, "written")
	})
	err := e.Update(b.t.Context(), func(tx kv.Tx) error {
		read(tx, kv.MaxReads)
		put(tx, "too much")
		tx.Get("0/0000")
		return nil
	})
	if !errors.Is(err, kv.ErrReads) {
		b.t.Errorf("one read more: got error %v, want ErrReads", err)
	}
	b.view(e, func(tx kv.Tx) {
		if got := read(tx, -1); got < kv.MaxReads+100 || tx.Get("too much") != nil || tx.Get("written") == nil {
			b.t.Errorf("a view has read %d keys", got)
		}
	})
}

func testReadOnlyView(b *bench) {
	e := b.first()
	for name, write := range map[string]func(kv.Tx){
		"put":     func(tx kv.Tx) { put(tx, "a") },
		"delete":  func(tx kv.Tx) { tx.Delete("a") },
		"publish": func(tx kv.Tx) { tx.Publish("a") },
		"retire":  func(tx kv.Tx) { tx.Retire("a") },
	} {
		if err := e.View(b.t.Context(), func(tx kv.Tx) error { write(tx); return nil }); err == nil {
			b.t.Errorf("%s in a view is no error", name)
		}
	}
	b.want(e)
}

func testContext(b *bench) {
	e := b.first()
	ctx, cancel := context.WithCancel(b.t.Context())
	cancel()
	called := func(kv.Tx) error {
		b.t.Error("the function was called")
		return nil
	}
	if err := e.Update(ctx, called); !errors.Is(err, context.Canceled) {
		b.t.Errorf("update: got error %v", err)
	}
	if err := e.View(ctx, called); !errors.Is(err, context.Canceled) {
		b.t.Errorf("view: got error %v", err)
	}
	if err := e.Sync(b.t.Context()); err != nil {
		b.t.Errorf("sync: %v", err)
	}
}

func testClosed(b *bench) {
	e := b.first()
	b.drop(e)
	for range 2 {
		if err := e.Close(); err != nil {
			b.t.Fatalf("close: %v", err)
		}
	}
	ctx := b.t.Context()
	nothing := func(kv.Tx) error { return nil }
	for name, call := range map[string]func() error{
		"update":      func() error { return e.Update(ctx, nothing) },
		"view":        func() error { return e.View(ctx, nothing) },
		"sync":        func() error { return e.Sync(ctx) },
		"claim":       func() error { _, err := e.Claim(ctx); return err },
		"stray":       func() error { _, err := e.Stray(ctx, []string{"a"}); return err },
		"now":         func() error { _, err := e.Now(ctx); return err },
		"clock":       func() error { _, err := e.Clock(ctx); return err },
		"reset clock": func() error { return e.ResetClock(ctx) },
		"incarnation": func() error { _, err := e.Incarnation(ctx); return err },
		"processes":   func() error { _, err := e.Processes(ctx); return err },
		"lease":       func() error { _, err := e.Lease(ctx, "a", time.Minute); return err },
		"end lease":   func() error { return e.EndLease(ctx, "a") },
		"spend":       func() error { _, _, err := e.Spend(ctx, "a", time.Second, 1, 1); return err },
		"hold back":   func() error { return e.HoldBack(ctx, "a", time.Second, 1, 1) },
	} {
		if err := call(); !errors.Is(err, kv.ErrClosed) {
			b.t.Errorf("%s after Close: got error %v, want ErrClosed", name, err)
		}
	}
}
