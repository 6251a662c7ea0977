package store_test

import (
	"sync/atomic"
	"testing"
	"time"

	"ltxbot/core/generate/generatetest"
	"ltxbot/core/quota"
	"ltxbot/core/quota/quotatest"
	"ltxbot/store"
	"ltxbot/store/kv"
	"ltxbot/store/kv/mem"
)

// engines are the engines on which the suites run: each makes an empty
// database on a clock, and returns how its clients are opened.
var engines = []struct {
	name string
	make func(t testing.TB, now func() time.Time) (open func() kv.Engine)
}{
	{"mem", func(_ testing.TB, now func() time.Time) func() kv.Engine {
		db := mem.New(now)
		return func() kv.Engine { return db.Open() }
	}},
}

// opened is a store that can be opened again.
type opened struct {
	*store.Store

	open   func() kv.Engine
	limits *atomic.Pointer[store.Limits]
}

func open(db func() kv.Engine, limits *atomic.Pointer[store.Limits]) *opened {
	return &opened{
		Store: store.New(db(), store.Options{Limits: func(team, member string, tiers []string, s quota.Standing) quota.Line {
			if l := limits.Load(); l != nil {
				return (*l)(team, member, tiers, s)
			}
			return quota.Line{}
		}}),
		open: db, limits: limits,
	}
}

func (o *opened) SetLimits(limits func(team, member string, tiers []string, s quota.Standing) quota.Line) {
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
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			test(t, func(t testing.TB, now func() time.Time) *opened {
				return open(e.make(t, now), new(atomic.Pointer[store.Limits]))
			})
		})
	}
}

func TestStore(t *testing.T) {
	onEngines(t, func(t *testing.T, make func(testing.TB, func() time.Time) *opened) {
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
		quotatest.Run(t, quotatest.Harness{
			Open: func(t testing.TB, now func() time.Time) quotatest.Ledger { return make(t, now) },
			Reopen: func(t testing.TB, l quotatest.Ledger, _ func() time.Time) quotatest.Ledger {
				return l.(*opened).reopen(t)
			},
		})
	})
}

func TestBook(t *testing.T) {
	onEngines(t, func(t *testing.T, make func(testing.TB, func() time.Time) *opened) {
		quotatest.RunBook(t, quotatest.BookHarness{
			Open: func(t testing.TB, now func() time.Time) quotatest.BookLedger { return make(t, now) },
			Reopen: func(t testing.TB, l quotatest.BookLedger, _ func() time.Time) quotatest.BookLedger {
				return l.(*opened).reopen(t)
			},
		})
	})
}
