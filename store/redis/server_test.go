package redis_test

import (
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ltxbot/store/redis"
)

// A pool that is closed while its server is away ends its last try to dial
// within a second.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial"))
}

// waitFor waits until something has happened.
func waitFor(t testing.TB, what string, happened func() bool) {
	t.Helper()
	deadline, tick := time.After(20*time.Second), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for !happened() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// prefixes makes stores on one server strangers to each other.
var prefixes atomic.Int64

// opened remembers where a store is, so that it can be opened again.
type opened struct {
	*redis.Store
	url  string
	opts redis.Options
}

// open opens an empty store.
func open(t testing.TB, url string, opts redis.Options) *opened {
	t.Helper()
	opts.Prefix = fmt.Sprintf("t%d", prefixes.Add(1))
	return openAs(t, url, opts)
}

// openAs opens the store that opts.Prefix names, as one more process.
func openAs(t testing.TB, url string, opts redis.Options) *opened {
	t.Helper()
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	s, err := redis.Open(t.Context(), url, opts)
	if err != nil {
		t.Fatal(err)
	}
	return &opened{s, url, opts}
}

// another opens a store as one more process, until the end of the test.
func (o *opened) another(t testing.TB) *opened {
	t.Helper()
	s := openAs(t, o.url, o.opts)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// reopen opens a store as a new process after the old one has ended.
func (o *opened) reopen(t testing.TB, now func() time.Time) *opened {
	t.Helper()
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	o.opts.Now = now
	return openAs(t, o.url, o.opts)
}
