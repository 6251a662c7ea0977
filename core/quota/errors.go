package quota

import (
	"fmt"

	"ltxbot/core/usd"
)

// Reason is why a job is refused.
type Reason string

// The reasons of a refusal.
const (
	OverLimit Reason = "over_limit" // a limit has no room
	LineFull  Reason = "line_full"  // the member has as many jobs waiting as is allowed
	Blocked   Reason = "blocked"    // an admin blocked the member
	Paused    Reason = "paused"     // an admin paused the team
	Unlisted  Reason = "unlisted"   // the operator has not listed the team
)

// LimitError says which limit refuses a job. Texts for people are made from
// its fields by the chat platforms; Error is for logs.
type LimitError struct {
	Reason Reason
	Gauge  Gauge // the limit, for OverLimit; its scope names the team, for Unlisted
	Need   int64 // what the job would add, in the gauge's unit
	Videos int   // the jobs that Need is for, where they were asked for at once; 0 = one
	Block  Block // who and why, for Blocked and Paused
	Line   int   // jobs that already wait, for LineFull
}

func (e *LimitError) Error() string {
	if e.Reason != OverLimit {
		return "quota: " + string(e.Reason)
	}
	g := e.Gauge
	if g.Unit == Dollars {
		return fmt.Sprintf("quota: %s has used %s of %s this %s, needs %s",
			g.Scope.Kind, usd.Micros(g.Used), usd.Micros(g.Max), g.Window, usd.Micros(e.Need))
	}
	return fmt.Sprintf("quota: %s has used %d of %d videos this %s", g.Scope.Kind, g.Used, g.Max, g.Window)
}

// Left is how much of the limit remains, in its unit.
func (e *LimitError) Left() int64 { return max(0, e.Gauge.Max-e.Gauge.Used) }
