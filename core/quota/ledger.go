package quota

import (
	"context"
	"errors"
	"time"

	"ltxbot/core/usd"
)

// A Ledger keeps holds, counters, and what admins changed. It is the only
// authority on quota. All methods may be called from many goroutines and
// processes; each is atomic and durable when it returns nil.
//
// Counters of a member and of a team belong to the team of the reservation:
// somebody who is in two teams uses up two separate limits. Those of the bot
// belong to no team. A counter may be forgotten once it has expired; billing
// a hold then no longer changes it.
type Ledger interface {
	// Reserve makes a hold by plan, or nothing. It is idempotent by job: a
	// second call returns the hold that exists and does not call plan.
	// It returns plan's error, or the *LimitError of a count without room.
	Reserve(ctx context.Context, key Key, plan Plan) (Hold, error)

	// Bill settles or releases the hold of a job. The first settlement of a
	// hold counts, later calls change nothing; a released hold that is
	// settled after all is charged (a job believed lost was paid). A hold
	// that does not exist is ErrNoHold.
	Bill(ctx context.Context, job string, b Billing, at time.Time) (Hold, error)

	// Hold returns the hold of a job, or ErrNoHold.
	Hold(ctx context.Context, job string) (Hold, error)

	// AdminState returns what admins decided about a member and its team.
	AdminState(ctx context.Context, team, member string) (AdminState, error)

	// Used reads the counters of counts, in their order, each with Also.
	Used(ctx context.Context, team string, counts []Count) ([]int64, error)
}

// Key names a reservation.
type Key struct {
	Job    string
	Team   string
	Member string
}

// Plan says what a job needs of the ledger, given what admins decided about
// its member and team. A ledger may call it several times for one Reserve;
// it must have no effects. Its error, a *LimitError, refuses the job.
type Plan func(AdminState) (Reservation, error)

// ErrNoHold says that a job has no hold.
var ErrNoHold = errors.New("job has no hold")

// AdminState is what admins decided about a member and its team, and the bot.
type AdminState struct {
	Member MemberState `json:"member"`
	Team   TeamState   `json:"team"`
}

// MemberState is what admins decided about one member.
type MemberState struct {
	Overrides []Override `json:"overrides,omitempty"`
	Blocked   *Block     `json:"blocked,omitempty"`
	Grants    []Grant    `json:"grants,omitempty"`
	// Epoch is how often usage was reset. Counters of another epoch are other
	// counters: jobs of before are settled there and counted no more.
	Epoch int `json:"epoch,omitempty"`
	// Account is the member whose limits and admin state apply instead: both
	// are one person. Linked are those for whom this member is the account.
	Account string   `json:"account,omitempty"`
	Linked  []string `json:"linked,omitempty"`
}

// TeamState is what admins decided about a team.
type TeamState struct {
	Overrides []Override `json:"overrides,omitempty"`
	Paused    *Block     `json:"paused,omitempty"`
	Grants    []Grant    `json:"grants,omitempty"`
	Epoch     int        `json:"epoch,omitempty"` // how often usage was reset
}

// Override replaces one limit of the config by another. A limit may have two:
// one of the operator, and one of an admin that makes it tighter.
type Override struct {
	Unit   Unit      `json:"unit"`
	Window Window    `json:"window,omitempty"` // empty for Jobs
	Max    int64     `json:"max"`              // 0 = no limit
	By     string    `json:"by,omitempty"`
	At     time.Time `json:"at,omitzero"`
	Reason string    `json:"reason,omitempty"`
}

// String is the name and the value of the limit: "videos_per_day 5".
func (o Override) String() string {
	return LimitName{o.Unit, o.Window}.String() + " " + WriteAmount(o.Unit, o.Max)
}

// Block says who stopped a member or a team, when and why.
type Block struct {
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason,omitempty"`
}

// Decide says what a reservation adds to which counters, given what is used,
// or the limit that has no room. It is the rule that every ledger follows:
// a count without room is covered by the first grants of its scope and unit
// that have enough left, else the whole reservation is refused.
func Decide(r Reservation, used func(Scope, string) int64) ([]Entry, error) {
	entries := make([]Entry, 0, len(r.Counts))
	drawn := map[string]bool{} // one draw per scope and unit, however many windows lack room
	for _, c := range r.Counts {
		sum := used(c.Scope, c.Counter)
		for _, other := range c.Also {
			sum += used(c.Scope, other)
		}
		if c.Max == 0 || sum+c.Add <= c.Max {
			entries = append(entries, Entry{Scope: c.Scope, Unit: c.Unit, Counter: c.Counter, Add: c.Add, Expires: c.Expires})
			continue
		}
		key := c.Scope.String() + "/" + string(c.Unit)
		if drawn[key] {
			continue
		}
		e, ok := draw(r, c, used)
		if !ok {
			return nil, &LimitError{Reason: OverLimit, Gauge: c.Gauge(sum), Need: c.Add}
		}
		drawn[key] = true
		entries = append(entries, e)
	}
	return entries, nil
}

// Counters are all counters that Decide may ask for, each once and alone, for
// a Ledger's Used.
func (r Reservation) Counters() []Count {
	var out []Count
	seen := map[counterName]bool{}
	add := func(scope Scope, unit Unit, counter string) {
		if name := (counterName{scope, counter}); !seen[name] {
			seen[name] = true
			out = append(out, Count{Scope: scope, Unit: unit, Counter: counter})
		}
	}
	for _, c := range r.Counts {
		add(c.Scope, c.Unit, c.Counter)
		for _, other := range c.Also {
			add(c.Scope, c.Unit, other)
		}
		for _, g := range r.Grants {
			if g.Scope == c.Scope {
				add(g.Scope, c.Unit, g.Counter(c.Unit))
			}
		}
	}
	return out
}

// Sums makes what Decide asks for of used, which Used has told of counters.
func Sums(counters []Count, used []int64) func(Scope, string) int64 {
	sums := make(map[counterName]int64, len(counters))
	for i, c := range counters {
		sums[counterName{c.Scope, c.Counter}] = used[i]
	}
	return func(s Scope, counter string) int64 { return sums[counterName{s, counter}] }
}

// counterName is what a counter is found by within a team.
type counterName struct {
	scope   Scope
	counter string
}

// draw takes what c needs from a grant.
func draw(r Reservation, c Count, used func(Scope, string) int64) (Entry, bool) {
	for _, g := range r.Grants {
		if g.Scope != c.Scope || (!g.Expires.IsZero() && !r.At.Before(g.Expires)) {
			continue
		}
		counter := g.Counter(c.Unit)
		if used(c.Scope, counter)+c.Add <= g.Amount(c.Unit) {
			return Entry{Scope: c.Scope, Unit: c.Unit, Counter: counter, Add: c.Add, Expires: g.Expires}, true
		}
	}
	return Entry{}, false
}

// Extra is how much is left of the grants that cover c once its limit has no room.
func (r Reservation) Extra(c Count, used func(Scope, string) int64) int64 {
	var left int64
	for _, g := range r.Grants {
		if g.Scope == c.Scope && (g.Expires.IsZero() || r.At.Before(g.Expires)) {
			left += max(0, g.Amount(c.Unit)-used(c.Scope, g.Counter(c.Unit)))
		}
	}
	return left
}

// Gauge shows a count of which so much is used.
func (c Count) Gauge(used int64) Gauge {
	return Gauge{Scope: c.Scope, Unit: c.Unit, Window: c.Window, Used: used, Max: c.Max, Resets: c.Resets, Fixed: c.Fixed}
}

// NewHold is the hold that reservation r with entries makes.
func NewHold(r Reservation, entries []Entry) Hold {
	return Hold{
		Job: r.Job, Team: r.Team, Member: r.Member, State: Held,
		Estimate: r.Estimate, At: r.At, Entries: entries,
	}
}

// Apply changes h by b and says by how much each of its counters changes, in
// the order of h.Entries. No changes means that b has no effect any more.
func Apply(h Hold, b Billing, at time.Time) (Hold, []int64) {
	before := h.Shares()
	switch {
	case b.Kind == SettleHold && h.State != Settled:
		h.State, h.Charged, h.Closed = Settled, b.Amount, at
	case b.Kind == ReleaseHold && h.State == Held:
		h.State, h.Closed = Released, at
	default:
		return h, nil
	}
	deltas := h.Shares()
	for i := range deltas {
		deltas[i] -= before[i]
	}
	return h, deltas
}

// Shares is what h has added to each of its counters, in the order of its
// entries.
func (h Hold) Shares() []int64 {
	shares := make([]int64, len(h.Entries))
	for i, e := range h.Entries {
		shares[i] = share(e, h.State, h.Estimate, h.Charged)
	}
	return shares
}

// share is what a hold in state s has added to the counter of e.
func share(e Entry, s HoldState, estimate, charged usd.Micros) int64 {
	switch {
	case s == Released:
		return 0
	case e.Unit == Dollars && s == Settled:
		return int64(charged)
	case e.Unit == Dollars:
		return int64(estimate)
	default:
		return e.Add
	}
}
