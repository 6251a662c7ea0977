package store_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"ltxbot/core/generate/generatetest"
	"ltxbot/core/library/librarytest"
	"ltxbot/core/quota"
	"ltxbot/core/quota/quotatest"
	"ltxbot/internal/need"
	"ltxbot/internal/redistest"
	"ltxbot/store"
	"ltxbot/store/bolt"
	"ltxbot/store/kv"
	"ltxbot/store/kv/mem"
	"ltxbot/store/redis"
)

// A maker makes an empty database on a clock, and returns how its clients are
// opened.
type maker func(t testing.TB, now func() time.Time) (open func() kv.Engine)

// engines are the engines on which the suites run.
var engines = []struct {
	name  string
	start func(t testing.TB) maker
}{
	{"mem", func(testing.TB) maker {
		return func(_ testing.TB, now func() time.Time) func() kv.Engine {
			db := mem.New(now)
			return func() kv.Engine { return db.Open() }
		}
	}},
	{"bolt", func(testing.TB) maker {
		return func(t testing.TB, now func() time.Time) func() kv.Engine {
			path := filepath.Join(t.TempDir(), "ltx.db")
			return func() kv.Engine {
				e, err := bolt.Open(path, bolt.Options{Logger: quiet, Now: now, NoSync: true})
				if err != nil {
					t.Fatal(err)
				}
				return e
			}
		}
	}},
	{"redis", func(t testing.TB) maker {
		url, databases := redistest.Start(t).URL(), new(atomic.Int64)
		return func(t testing.TB, now func() time.Time) func() kv.Engine {
			opts := redis.Options{Logger: quiet, Now: now, Prefix: fmt.Sprint("t", databases.Add(1))}
			return func() kv.Engine {
				e, err := redis.Open(t.Context(), url, opts)
				if err != nil {
					t.Fatal(err)
				}
				return e
			}
		}
	}},
}

// quiet is a logger for what is expected.
var quiet = slog.New(slog.DiscardHandler)

// opened is a store that can be opened again.
type opened struct {
	*store.Store

	open   func() kv.Engine
	limits *atomic.Pointer[store.Limits]
}

func open(db func() kv.Engine, limits *atomic.Pointer[store.Limits]) *opened {
	return &opened{
		Store: store.New(db(), store.Options{Limits: func(team, member string, tiers []string, s quota.AdminState) quota.Line {
			if l := limits.Load(); l != nil {
				return (*l)(team, member, tiers, s)
			}
			return quota.Line{}
		}}),
		open: db, limits: limits,
	}
}

func (o *opened) SetLimits(limits func(team, member string, tiers []string, s quota.AdminState) quota.Line) {
	l := store.Limits(limits)
	o.limits.Store(&l)
}

func (o *opened) reopen(t testing.TB) *opened {
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	return open(o.open, o.limits)
}

// onEngines runs a test with stores on every engine.
func onEngines(t *testing.T, test func(t *testing.T, make func(t testing.TB, now func() time.Time) *opened)) {
	t.Parallel() // beside the tests that wait for a failover
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			database := e.start(t)
			test(t, func(t testing.TB, now func() time.Time) *opened {
				return open(database(t, now), new(atomic.Pointer[store.Limits]))
			})
		})
	}
}

func TestStore(t *testing.T) {
	onEngines(t, func(t *testing.T, make func(testing.TB, func() time.Time) *opened) {
		need.Checks()
		generatetest.Run(t, generatetest.Harness{
			Open: func(t testing.TB, now func() time.Time) generatetest.Store { return make(t, now) },
			Reopen: func(t testing.TB, s generatetest.Store, _ func() time.Time) generatetest.Store {
				return s.(*opened).reopen(t)
			},
		})
	})
}

func TestLedger(t *testing.T) {
	onEngines(t, func(t *testing.T, make func(testing.TB, func() time.Time) *opened) {
		need.Checks()
		quotatest.Run(t, quotatest.Harness{
			Open: func(t testing.TB, now func() time.Time) quotatest.Ledger { return make(t, now) },
			Reopen: func(t testing.TB, l quotatest.Ledger, _ func() time.Time) quotatest.Ledger {
				return l.(*opened).reopen(t)
			},
		})
	})
}

func TestAuditLog(t *testing.T) {
	onEngines(t, func(t *testing.T, make func(testing.TB, func() time.Time) *opened) {
		quotatest.RunAuditLog(t, quotatest.AuditLogHarness{
			Open: func(t testing.TB, now func() time.Time) quotatest.FullLedger { return make(t, now) },
			Reopen: func(t testing.TB, l quotatest.FullLedger, _ func() time.Time) quotatest.FullLedger {
				return l.(*opened).reopen(t)
			},
		})
	})
}

func TestLibrary(t *testing.T) {
	onEngines(t, func(t *testing.T, make func(testing.TB, func() time.Time) *opened) {
		librarytest.Run(t, librarytest.Harness{
			Open: func(t testing.TB) librarytest.Store { return make(t, time.Now) },
			Reopen: func(t testing.TB, s librarytest.Store) librarytest.Store {
				return s.(*opened).reopen(t)
			},
		})
	})
}
