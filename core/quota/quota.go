// Package quota decides who may spend how much.
//
// A Policy holds what the operator configured. For each job it makes a Plan:
// given what the ledger knows of the member and the team, which counters must
// have room and by how much they grow. The Ledger, implemented by a store,
// adds to all of these counters or to none, in one atomic step, and remembers
// it as a Hold until the job is settled (charged) or released (refunded).
//
// Amounts are whole numbers: videos, and micro-dollars.
package quota

import (
	"time"

	"ltxbot/core/usd"
)

// Unit is what a limit counts.
type Unit string

// The units of limits. Jobs at a time are not counted by the ledger: the
// waiting line enforces them.
const (
	Videos  Unit = "videos"
	Dollars Unit = "usd" // in micro-dollars
	Jobs    Unit = "jobs"
)

// ScopeKind is who a limit is for.
type ScopeKind string

// The kinds of scope, from the narrowest to the widest.
const (
	Member ScopeKind = "member"
	Team   ScopeKind = "team"
	Bot    ScopeKind = "bot"
)

// Scope is one holder of limits: a member of a team, a team, or the bot.
type Scope struct {
	Kind ScopeKind `json:"kind"`
	ID   string    `json:"id,omitempty"` // "discord:80351110224678912", "acme"; empty for the bot
}

// String names the scope as a key: "member/discord:80351110224678912", "bot".
func (s Scope) String() string {
	if s.ID == "" {
		return string(s.Kind)
	}
	return string(s.Kind) + "/" + s.ID
}

// Limits is what one scope may use. The zero value has no limit.
type Limits struct {
	Windows     []WindowLimit `json:"windows,omitempty"`
	JobsAtATime int           `json:"jobs_at_a_time,omitempty"` // 0 = no limit
}

// WindowLimit limits what is used within one window. A zero is no limit.
type WindowLimit struct {
	Window Window     `json:"window"`
	Videos int64      `json:"videos,omitempty"`
	USD    usd.Micros `json:"usd,omitempty"`
}

// Reservation is what one job needs of the ledger: room under every count.
type Reservation struct {
	Job      string
	Team     string
	Member   string
	At       time.Time
	Estimate usd.Micros // held until the job is settled or released
	Counts   []Count
	Grants   []Grant // may cover counts without room, in this order
	Line     Line
}

// Line is the limits on jobs at a time under which a job waits for its turn.
type Line struct {
	MemberMax  int   `json:"member_max,omitempty"`  // jobs at a time of the member; 0 = no limit
	TeamMax    int   `json:"team_max,omitempty"`    // of the team
	BotMax     int   `json:"bot_max,omitempty"`     // of all teams
	WaitingMax int   `json:"waiting_max,omitempty"` // jobs of the member that may wait, the next is refused; 0 = none
	Seq        int64 `json:"seq,omitempty"`         // order of arrival, set by the store
}

// Count is one counter that a reservation adds to, and its limit.
type Count struct {
	Scope  Scope     `json:"scope"`
	Unit   Unit      `json:"unit"`
	Window Window    `json:"window"`
	Resets time.Time `json:"resets"` // when usage in this window next shrinks
	Max    int64     `json:"max"`    // 0 = counted without a limit
	// Fixed reports that only the operator can raise Max, no admin of a team.
	Fixed bool  `json:"fixed,omitempty"`
	Add   int64 `json:"add"`
	// Counter is the one that grows. Also are the others whose sum with it
	// is the usage: the earlier slices of a rolling window.
	Counter string   `json:"counter"`
	Also    []string `json:"also,omitempty"`
	// Expires is when no window can include the counter any more.
	Expires time.Time `json:"expires"`
}

// Grant is an extra that an admin gave: it covers what the limits of its
// scope no longer do, until it is used up or expires.
type Grant struct {
	ID      string     `json:"id"`
	Scope   Scope      `json:"scope"`
	Videos  int64      `json:"videos,omitempty"`
	USD     usd.Micros `json:"usd,omitempty"`
	Expires time.Time  `json:"expires,omitzero"`
	Reason  string     `json:"reason,omitempty"`
	By      string     `json:"by,omitempty"`
	Given   time.Time  `json:"given,omitzero"`
}

// Amount is how much of unit u the grant is for.
func (g Grant) Amount(u Unit) int64 {
	if u == Videos {
		return g.Videos
	}
	return int64(g.USD)
}

// Counter names where the use of the grant is counted.
func (g Grant) Counter(u Unit) string { return "grant/" + g.ID + "/" + string(u) }

// Entry is one addition to one counter, kept with the hold so that settling
// and releasing change exactly what reserving changed.
type Entry struct {
	Scope   Scope     `json:"scope"`
	Unit    Unit      `json:"unit"`
	Counter string    `json:"counter"`
	Add     int64     `json:"add"`
	Expires time.Time `json:"expires,omitzero"`
}

// HoldState is where a hold is in its life.
type HoldState string

// The states of a hold.
const (
	Held     HoldState = "held"
	Settled  HoldState = "settled"
	Released HoldState = "released"
)

// Hold is quota reserved for a job, and what became of it.
type Hold struct {
	Job      string     `json:"job"`
	Team     string     `json:"team"`
	Member   string     `json:"member"`
	State    HoldState  `json:"state"`
	Estimate usd.Micros `json:"cost"`    // what was held
	Charged  usd.Micros `json:"charged"` // what was paid, once settled
	At       time.Time  `json:"at"`
	Closed   time.Time  `json:"closed,omitzero"`
	Entries  []Entry    `json:"entries"`
}

// Gauge shows one limit and how far it is used.
type Gauge struct {
	Scope  Scope     `json:"scope"`
	Unit   Unit      `json:"unit"`
	Window Window    `json:"window"`
	Used   int64     `json:"used"` // in the unit: videos or micro-dollars
	Max    int64     `json:"max"`  // 0 = no limit
	Resets time.Time `json:"resets"`
	// Fixed reports that only the operator can raise Max, no admin of a team.
	Fixed bool `json:"fixed,omitempty"`
	// Extra is how much is left of what admins gave on top of Max, in the unit.
	Extra int64 `json:"extra,omitempty"`
}

// Billing is what a change of a job does to its hold.
type Billing struct {
	Kind   BillingKind
	Amount usd.Micros // of a settlement
}

// BillingKind is a change of a hold.
type BillingKind string

// The changes of a hold.
const (
	KeepHold    BillingKind = ""
	SettleHold  BillingKind = "settle"
	ReleaseHold BillingKind = "release"
)

// Keep leaves the hold as it is.
func Keep() Billing { return Billing{} }

// Settle charges the hold with what the job really cost.
func Settle(amount usd.Micros) Billing { return Billing{Kind: SettleHold, Amount: amount} }

// Release gives the hold back.
func Release() Billing { return Billing{Kind: ReleaseHold} }
