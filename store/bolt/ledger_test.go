package bolt_test

import (
	"path/filepath"
	"testing"
	"time"

	"ltxbot/core/quota/quotatest"
)

func TestLedger(t *testing.T) {
	quotatest.Run(t, quotatest.Harness{
		Open: func(t testing.TB, now func() time.Time) quotatest.Ledger {
			return open(t, filepath.Join(t.TempDir(), "ltx.db"), now)
		},
		Reopen: func(t testing.TB, l quotatest.Ledger, now func() time.Time) quotatest.Ledger {
			return reopen(t, l.(*file), now)
		},
	})
}

func TestBook(t *testing.T) {
	quotatest.RunBook(t, quotatest.BookHarness{
		Open: func(t testing.TB, now func() time.Time) quotatest.BookLedger {
			return open(t, filepath.Join(t.TempDir(), "ltx.db"), now)
		},
		Reopen: func(t testing.TB, l quotatest.BookLedger, now func() time.Time) quotatest.BookLedger {
			return reopen(t, l.(*file), now)
		},
	})
}
