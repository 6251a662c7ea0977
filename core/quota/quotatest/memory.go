package quotatest

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"ltxbot/core/quota"
	"ltxbot/core/team"
)

// Memory is a ledger with audit log and marks in memory, for tests of what stands
// on one. It passes the suites as every store does.
type Memory struct {
	mu      sync.Mutex
	now     func() time.Time
	model   *model
	records []team.Record
	marks   map[string]memoryMark
}

type memoryMark struct {
	value   string
	expires time.Time
}

var _ FullLedger = (*Memory)(nil)

// NewMemory makes an empty ledger on a clock.
func NewMemory(now func() time.Time) *Memory {
	return &Memory{now: now, model: newModel(), marks: map[string]memoryMark{}}
}

// locked runs do unless ctx has ended.
func (m *Memory) locked(ctx context.Context, do func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return do()
}

// Reserve implements quota.Ledger.
func (m *Memory) Reserve(ctx context.Context, key quota.Key, plan quota.Plan) (h quota.Hold, err error) {
	err = m.locked(ctx, func() error {
		h, err = m.model.reserve(key.Job, seat{key.Team, key.Member}, plan)
		return err
	})
	return h, err
}

// Bill implements quota.Ledger.
func (m *Memory) Bill(ctx context.Context, job string, b quota.Billing, at time.Time) (h quota.Hold, err error) {
	err = m.locked(ctx, func() error {
		h, err = m.model.bill(job, b, at)
		return err
	})
	return h, err
}

// Hold implements quota.Ledger.
func (m *Memory) Hold(ctx context.Context, job string) (h quota.Hold, err error) {
	err = m.locked(ctx, func() error {
		var ok bool
		if h, ok = m.model.holds[job]; !ok {
			return quota.ErrNoHold
		}
		return nil
	})
	return h, err
}

// AdminState implements quota.Ledger.
func (m *Memory) AdminState(ctx context.Context, team, member string) (s quota.AdminState, err error) {
	err = m.locked(ctx, func() error {
		s = m.model.adminState(seat{team, member})
		return nil
	})
	return s, err
}

// Used implements quota.Ledger.
func (m *Memory) Used(ctx context.Context, team string, counts []quota.Count) (used []int64, err error) {
	err = m.locked(ctx, func() error {
		used = m.model.used(team, counts)
		return nil
	})
	return used, err
}

// PutMemberState implements Ledger.
func (m *Memory) PutMemberState(ctx context.Context, team, member string, s quota.MemberState) error {
	return m.locked(ctx, func() error {
		m.model.members[seat{team, member}] = s
		return nil
	})
}

// PutTeamState implements Ledger.
func (m *Memory) PutTeamState(ctx context.Context, team string, s quota.TeamState) error {
	return m.locked(ctx, func() error {
		m.model.teams[team] = s
		return nil
	})
}

// VerifyLedger implements Ledger.
func (m *Memory) VerifyLedger(ctx context.Context) (a quota.LedgerReport, err error) {
	err = m.locked(ctx, func() error {
		a.Totals = m.model.totals()
		return nil
	})
	return a, err
}

// Close implements Ledger.
func (m *Memory) Close() error { return nil }

// Amend implements team.AuditLog.
func (m *Memory) Amend(ctx context.Context, team, member string, edit func(*quota.AdminState) (team.Record, error)) error {
	return m.locked(ctx, func() error {
		s := m.model.adminState(seat{team, member})
		r, err := edit(&s)
		if err != nil {
			return err
		}
		if member != "" {
			m.model.members[seat{team, member}] = s.Member
		}
		m.model.teams[team] = s.Team
		m.records = append(m.records, r)
		return nil
	})
}

// Records implements team.AuditLog.
func (m *Memory) Records(ctx context.Context, team string, limit int) (out []team.Record, err error) {
	err = m.locked(ctx, func() error {
		for _, r := range slices.Backward(m.records) {
			if r.Team == team && len(out) < limit {
				out = append(out, r)
			}
		}
		return nil
	})
	return out, err
}

// Holds implements team.AuditLog.
func (m *Memory) Holds(ctx context.Context, team string, from, to time.Time) (out []quota.Hold, err error) {
	err = m.locked(ctx, func() error {
		for _, h := range m.model.holds {
			if h.Team == team && !h.At.Before(from) && h.At.Before(to) {
				h.Entries = nil
				out = append(out, h)
			}
		}
		slices.SortFunc(out, func(a, b quota.Hold) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Job, b.Job)) })
		return nil
	})
	return out, err
}

// Spent implements team.AuditLog.
func (m *Memory) Spent(ctx context.Context, name string, from, to time.Time) ([]team.MemberSpending, error) {
	holds, err := m.Holds(ctx, name, from, to)
	_, members := team.SumUp(holds)
	return members, err
}

// SpentBy implements team.AuditLog.
func (m *Memory) SpentBy(ctx context.Context, name, member string, from, to time.Time) (team.Spending, error) {
	holds, err := m.Holds(ctx, name, from, to)
	all, _ := team.SumUp(slices.DeleteFunc(holds, func(h quota.Hold) bool { return member != "" && h.Member != member }))
	return all, err
}

// ClaimMark implements quota.Marks.
func (m *Memory) ClaimMark(ctx context.Context, key, value string, expires time.Time) (claimed bool, err error) {
	err = m.locked(ctx, func() error {
		if claimed = !m.now().Before(m.marks[key].expires); claimed {
			m.marks[key] = memoryMark{value, expires}
		}
		return nil
	})
	return claimed, err
}

// PutMark implements quota.Marks.
func (m *Memory) PutMark(ctx context.Context, key, value string, expires time.Time) error {
	return m.locked(ctx, func() error {
		m.marks[key] = memoryMark{value, expires}
		return nil
	})
}

// TakeMark implements quota.Marks.
func (m *Memory) TakeMark(ctx context.Context, key string) (value string, err error) {
	err = m.locked(ctx, func() error {
		mark := m.marks[key]
		if !m.now().Before(mark.expires) {
			return team.ErrNoMark
		}
		delete(m.marks, key)
		value = mark.value
		return nil
	})
	return value, err
}
