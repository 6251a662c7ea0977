package redis_test

import (
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"ltxbot/core/generate/generatetest"
	"ltxbot/core/quota/quotatest"
	"ltxbot/internal/redistest"
	"ltxbot/store/redis"
)

// runSuites runs what every store and every ledger must pass.
func runSuites(t *testing.T, url string) {
	t.Run("store", func(t *testing.T) { generatetest.Run(t, storeHarness(url)) })
	t.Run("ledger", func(t *testing.T) { quotatest.Run(t, ledgerHarness(url)) })
	t.Run("book", func(t *testing.T) { quotatest.RunBook(t, bookHarness(url)) })
}

func storeHarness(url string) generatetest.Harness {
	return generatetest.Harness{
		Open: func(t testing.TB, now func() time.Time) generatetest.Store {
			return open(t, url, redis.Options{Now: now})
		},
		Reopen: func(t testing.TB, s generatetest.Store, now func() time.Time) generatetest.Store {
			return s.(*opened).reopen(t, now)
		},
	}
}

func ledgerHarness(url string) quotatest.Harness {
	return quotatest.Harness{
		Open: func(t testing.TB, now func() time.Time) quotatest.Ledger {
			return open(t, url, redis.Options{Now: now})
		},
		Reopen: func(t testing.TB, l quotatest.Ledger, now func() time.Time) quotatest.Ledger {
			return l.(*opened).reopen(t, now)
		},
	}
}

func bookHarness(url string) quotatest.BookHarness {
	return quotatest.BookHarness{
		Open: func(t testing.TB, now func() time.Time) quotatest.BookLedger {
			return open(t, url, redis.Options{Now: now})
		},
		Reopen: func(t testing.TB, l quotatest.BookLedger, now func() time.Time) quotatest.BookLedger {
			return l.(*opened).reopen(t, now)
		},
	}
}

func TestOnMiniredis(t *testing.T) {
	histories(t, 20)
	runSuites(t, "redis://"+miniredis.RunT(t).Addr())
}

func TestOnRedis(t *testing.T) {
	histories(t, 30)
	runSuites(t, redistest.Start(t).URL())
}
