// Package quotatest is the suite that every quota.Ledger passes: what a
// ledger promises, written as tests. A store runs it with
//
//	quotatest.Run(t, quotatest.Harness{Open: …, Reopen: …})
//
// Each test opens a ledger of its own and closes it. Time is the suite's: a
// ledger must ask the clock that it was opened with, never its own.
package quotatest

import (
	"context"
	"sync"
	"testing"
	"time"
	_ "time/tzdata" // time zones with summer time, wherever the suite runs

	"ltxbot/core/quota"
)

// Ledger is a ledger with what the suite needs to set it up and to look into
// its books.
type Ledger interface {
	quota.Ledger

	// PutMemberState replaces what admins decided about a member.
	PutMemberState(ctx context.Context, team, member string, s quota.MemberState) error
	// PutTeamState replaces what admins decided about a team.
	PutTeamState(ctx context.Context, team string, s quota.TeamState) error
	// VerifyLedger compares the books with the holds.
	VerifyLedger(ctx context.Context) (quota.LedgerReport, error)
	// Close ends the use of the ledger; what it keeps remains.
	Close() error
}

// Harness makes ledgers for the suite.
type Harness struct {
	// Open opens an empty ledger. It may be called many times in one test.
	Open func(t testing.TB, now func() time.Time) Ledger
	// Reopen closes l, which Open or Reopen returned, and opens again what it
	// keeps, as a new process would.
	Reopen func(t testing.TB, l Ledger, now func() time.Time) Ledger
}

// Run runs the suite.
func Run(t *testing.T, h Harness) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, Harness)
	}{
		{"a reservation is held and counted", testReserve},
		{"a refused reservation leaves nothing", testRefusal},
		{"a job is reserved for once", testIdempotent},
		{"billing changes a hold by the rules", testBilling},
		{"limits hold to the last unit", testExactLimits},
		{"windows reset when they end", testWindows},
		{"a member's counters belong to one team and the bot's to all", testScopes},
		{"grants cover what limits do not", testGrants},
		{"what admins decided reaches the plan", testAdminState},
		{"everything survives a restart", testReopen},
		{"exactly as many fit as fit, however many ask at once", testParallel},
		{"one job asked for in parallel is one hold", testParallelSameJob},
		{"a call whose context has ended does nothing", testContext},
		{"any history agrees with the model", testMachine},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, h) })
	}
}

// Clock is a time that stands still until it is told to move.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock makes a clock that shows now.
func NewClock(now time.Time) *Clock { return &Clock{now: now} }

// Now is the time that the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Set makes the clock show now.
func (c *Clock) Set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
}

// Advance moves the clock by d.
func (c *Clock) Advance(d time.Duration) { c.Set(c.Now().Add(d)) }

// CheckLedger fails the test if the ledger's books contradict each other.
func CheckLedger(t TB, l Ledger) quota.Totals {
	t.Helper()
	a, err := l.VerifyLedger(context.Background())
	if err != nil {
		t.Fatalf("audit: %v", err)
	}
	if len(a.Wrong) > 0 {
		t.Fatalf("books contradict the holds: %+v", a.Wrong)
	}
	if !a.Totals.Balanced() {
		t.Fatalf("settled + released + held is not what was reserved: %+v", a.Totals)
	}
	return a.Totals
}

// TB is what CheckLedger needs of a test; a *rapid.T has it too.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
}
