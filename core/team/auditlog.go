package team

import (
	"context"
	"errors"
	"time"

	"ltxbot/core/quota"
)

// An AuditLog keeps what admins decide, who decided it, and what was spent by
// whom. It is kept with the Ledger: what Amend has written is what the plan
// of the next Reserve sees. All methods may be called from many goroutines
// and processes; each is atomic and durable when it returns nil.
type AuditLog interface {
	// Amend changes what admins decided about a member and its team, and
	// writes the record of it, in one atomic step. edit is given the AdminState
	// of this moment, changes it, and returns the record; it may be called
	// several times and must have no other effects. Its error is returned,
	// and nothing is changed. An empty member means the team alone: then what
	// edit does to AdminState.Member is dropped.
	Amend(ctx context.Context, team, member string, edit func(*quota.AdminState) (Record, error)) error

	// Records lists the records of a team, newest first by their At, at most
	// limit of them.
	Records(ctx context.Context, team string, limit int) ([]Record, error)

	// Holds lists the holds of a team that were reserved at from or later and
	// before to, oldest first by their At, without their Entries.
	Holds(ctx context.Context, team string, from, to time.Time) ([]quota.Hold, error)

	// Spent is what each member of a team has spent, by the holds that Holds
	// lists for the same time and by those that are forgotten. It is read from
	// sums, and quick however many videos there are. The order is none.
	Spent(ctx context.Context, team string, from, to time.Time) ([]MemberSpending, error)

	// SpentBy is what one of them has spent, or with an empty member all together,
	// without reading what each has.
	SpentBy(ctx context.Context, team, member string, from, to time.Time) (Spending, error)
}

// Marks are small values that expire, for what may happen once only, however
// many processes there are: a warning, a code that links two accounts. A mark
// that has expired counts as none. Methods are atomic and durable like those of
// an AuditLog. A key is not empty and has no zero byte.
type Marks interface {
	// ClaimMark writes a mark if there is none under key, and reports whether
	// it did: of many callers, one.
	ClaimMark(ctx context.Context, key, value string, expires time.Time) (bool, error)

	// PutMark writes a mark whatever is under key.
	PutMark(ctx context.Context, key, value string, expires time.Time) error

	// TakeMark removes the mark under key and returns its value, or
	// ErrNoMark: of many callers, one gets it.
	TakeMark(ctx context.Context, key string) (string, error)
}

// ErrNoMark says that there is no mark under a key, or none any more.
var ErrNoMark = errors.New("no such mark")

// Record is one change that somebody made: a line of the audit log.
type Record struct {
	ID     string    `json:"id"` // unique
	At     time.Time `json:"at"`
	Team   string    `json:"team"`
	Member string    `json:"member,omitempty"` // whom it is about; empty = the team
	By     string    `json:"by"`               // a member, or Operator
	From   string    `json:"from"`             // "discord", "slack", "api", "console"
	Verb   string    `json:"verb"`             // name of a row of Verbs
	Before string    `json:"before,omitempty"` // what it was: "videos_per_day 10"
	After  string    `json:"after,omitempty"`  // what it became
	Reason string    `json:"reason,omitempty"`
}
