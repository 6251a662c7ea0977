package quota_test

import (
	"testing"
	"time"

	"ltxbot/core/quota/quotatest"
)

// The ledger in memory, on which other tests stand, is held to the same
// contract as the stores.
func TestMemoryIsALedger(t *testing.T) {
	quotatest.Run(t, quotatest.Harness{
		Open:   func(_ testing.TB, now func() time.Time) quotatest.Ledger { return quotatest.NewMemory(now) },
		Reopen: func(_ testing.TB, l quotatest.Ledger, _ func() time.Time) quotatest.Ledger { return l },
	})
}

func TestMemoryKeepsAnAuditLog(t *testing.T) {
	quotatest.RunAuditLog(t, quotatest.AuditLogHarness{
		Open:   func(_ testing.TB, now func() time.Time) quotatest.FullLedger { return quotatest.NewMemory(now) },
		Reopen: func(_ testing.TB, l quotatest.FullLedger, _ func() time.Time) quotatest.FullLedger { return l },
	})
}
