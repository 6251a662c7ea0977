package redis_test

import (
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ltxbot/internal/flaky"
	"ltxbot/internal/leak"
	"ltxbot/internal/need"
	"ltxbot/internal/parallel"
	"ltxbot/internal/redistest"
	"ltxbot/internal/until"
	"ltxbot/store/kv"
	"ltxbot/store/kv/kvtest"
	"ltxbot/store/redis"
)

// A pool that is closed while its server is away ends its last try to dial
// within a second.
func TestMain(m *testing.M) {
	parallel.AtLeast(16) // they wait for servers
	leak.Verify(m, goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial"))
}

// prefixes makes databases on one server strangers to each other.
var prefixes atomic.Int64

// database is a prefix on a server, for the suite.
type database struct {
	server  *redistest.Server
	opts    redis.Options
	proxies map[kv.Engine]*flaky.Proxy // each client has its own way to the server
}

func newDatabase(s *redistest.Server, now func() time.Time) *database {
	return &database{server: s, proxies: map[kv.Engine]*flaky.Proxy{}, opts: redis.Options{
		Prefix: fmt.Sprintf("t%d", prefixes.Add(1)), Now: now, Logger: slog.New(slog.DiscardHandler),
	}}
}

func (d *database) Open(t testing.TB) kv.Engine {
	t.Helper()
	proxy := flaky.New(t, d.server.Addr())
	e, err := redis.Open(t.Context(), "redis://"+proxy.Addr(), d.opts)
	if err != nil {
		t.Fatal(err)
	}
	d.proxies[e] = proxy
	return e
}

// openAtLast opens a database whose timeout a busy machine may miss.
func (d *database) openAtLast(t *testing.T) (e kv.Engine) {
	t.Helper()
	until.True(t, "it is open", func() bool {
		opened, err := redis.Open(t.Context(), d.server.URL(), d.opts)
		e = opened
		return err == nil
	})
	return e
}

// Kill cuts a client off for good.
func (d *database) Kill(t testing.TB, e kv.Engine) {
	t.Helper()
	d.proxies[e].Refuse(true)
	d.proxies[e].Sever()
	t.Cleanup(func() { e.Close() })
}

func TestEngine(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	need.Checks()
	kvtest.Run(t, kvtest.Harness{New: func(_ testing.TB, now func() time.Time) kvtest.Database {
		return newDatabase(server, now)
	}})
}

// TestAFetchIsOneCommand however many keys are read of it.
func TestAFetchIsOneCommand(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	e := newDatabase(server, time.Now).Open(t)
	defer e.Close()
	var keys []string
	for i := range 100 {
		keys = append(keys, fmt.Sprint("key", i))
	}
	if err := e.Update(t.Context(), func(tx kv.Tx) error {
		for _, key := range keys {
			tx.Put(key, []byte("value"))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	server.CLI("CONFIG", "RESETSTAT")
	if err := e.View(t.Context(), func(tx kv.Tx) error {
		tx.Fetch(keys)
		for _, key := range keys {
			if string(tx.Get(key)) != "value" {
				t.Errorf("%s is not there", key)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	stats := server.CLI("INFO", "commandstats")
	if strings.Contains(stats, "cmdstat_hget:") || !strings.Contains(stats, "cmdstat_hmget:calls=1,") {
		t.Errorf("the keys were read by other commands than one HMGET:\n%s", stats)
	}
}
