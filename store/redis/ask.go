package redis

import (
	"encoding/json"
	"fmt"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/core/usd"
)

// An ask is a reservation as scripts read it. The entries that it may make are
// arguments of their own, which scripts put together without reading them.
type ask struct {
	Head   string     `json:"head"` // the hold as JSON, up to its entries
	Team   string     `json:"team"`
	Since  int64      `json:"since"`
	Cost   usd.Micros `json:"cost"`
	Counts []addition `json:"counts,omitempty"`

	// The rest is for Accept.
	Created       string `json:"created,omitempty"`
	Life          string `json:"life,omitempty"`
	ClassAdmitted string `json:"class_admitted,omitempty"` // the job's class if its turn comes at once
	ClassWaiting  string `json:"class_waiting,omitempty"`  // and if not
	MemberMax     int    `json:"member_max"`
	TeamMax       int    `json:"team_max"`
	BotMax        int    `json:"bot_max"`
	WaitingMax    int    `json:"waiting_max"`
}

// An addition is a count, or a grant that may be drawn on instead.
type addition struct {
	Field  string     `json:"field"`
	Also   []string   `json:"also,omitempty"`
	Max    int64      `json:"max"`
	Add    int64      `json:"add"`
	Base   int64      `json:"base,omitempty"`  // what is used in other partitions
	Purse  string     `json:"purse,omitempty"` // scope and unit: one draw for each
	Until  int64      `json:"until"`
	Entry  int        `json:"entry"` // the number of the argument that is its entry
	Grant  bool       `json:"grant,omitempty"`
	Grants []addition `json:"grants,omitempty"`
}

// holdHead begins a hold as it is kept. Since is for scripts.
type holdHead struct {
	Job    string     `json:"job"`
	Team   string     `json:"team"`
	Member string     `json:"member"`
	Cost   usd.Micros `json:"cost"`
	At     time.Time  `json:"at"`
	Since  int64      `json:"since"`
}

// entries are those that a reservation may make. In a script, the first is the
// argument with the number first.
type entries struct {
	first int
	all   []quota.Entry
}

// add returns the number of an entry.
func (e *entries) add(c quota.Count, counter string, expires time.Time) int {
	e.all = append(e.all, quota.Entry{Scope: c.Scope, Unit: c.Unit, Counter: counter, Add: c.Add, Expires: expires})
	return e.first + len(e.all) - 1
}

// chosen are the entries whose numbers a script returns.
func (e *entries) chosen(numbers list) []quota.Entry {
	out := make([]quota.Entry, 0, len(numbers))
	for i := range numbers {
		if n := int(numbers.number(i)) - e.first; n >= 0 && n < len(e.all) {
			out = append(out, e.all[n])
		}
	}
	return out
}

// arguments appends the entries to those of a script.
func (e *entries) arguments(args []any) ([]any, error) {
	for _, entry := range e.all {
		text, err := json.Marshal(entry)
		if err != nil {
			return nil, fmt.Errorf("encode entry: %w", err)
		}
		args = append(args, text)
	}
	return args, nil
}

// newAsk writes down a reservation, of which others hold something elsewhere,
// and adds the entries that it may make to out.
func newAsk(r quota.Reservation, e elsewhere, out *entries) (ask, error) {
	head, err := json.Marshal(holdHead{r.Job, r.Team, r.Member, r.Estimate, r.At, micros(r.At)})
	if err != nil {
		return ask{}, fmt.Errorf("encode hold: %w", err)
	}
	a := ask{
		Head: string(head[:len(head)-1]), Team: r.Team, Since: micros(r.At), Cost: r.Estimate, Counts: make([]addition, 0, len(r.Counts)),
		MemberMax: r.Line.MemberMax, TeamMax: r.Line.TeamMax, BotMax: r.Line.BotMax, WaitingMax: r.Line.WaitingMax,
	}
	for _, c := range r.Counts {
		for _, n := range [...]int64{c.Add, c.Max} {
			if n < 0 || n > maxExact {
				return ask{}, fmt.Errorf("count %s of %d under a limit of %d is not from 0 to %d", c.Counter, c.Add, c.Max, int64(maxExact))
			}
		}
		add := addition{
			Field: counterField(r.Team, c.Scope, c.Counter), Max: c.Max, Add: c.Add, Until: micros(c.Expires),
			Entry: out.add(c, c.Counter, c.Expires),
		}
		if c.Max > 0 { // else nobody asks how much is used
			for _, other := range c.Also {
				add.Also = append(add.Also, counterField(r.Team, c.Scope, other))
			}
			add.Base = e.used(add.Field, add.Also...)
		}
		for _, g := range usable(r, c) {
			field := counterField(r.Team, c.Scope, g.Counter(c.Unit))
			add.Purse = c.Scope.String() + sep + string(c.Unit)
			add.Grants = append(add.Grants, addition{
				Field: field, Max: g.Amount(c.Unit) - e.used(field), Add: c.Add, Until: micros(g.Expires),
				Entry: out.add(c, g.Counter(c.Unit), g.Expires), Grant: true,
			})
		}
		a.Counts = append(a.Counts, add)
	}
	return a, nil
}

// maxExact is the largest whole number that Lua can't mistake for its neighbour.
const maxExact = 1 << 53

// usable are the grants that may cover count c, in their order. A count without
// a limit needs none.
func usable(r quota.Reservation, c quota.Count) []quota.Grant {
	if c.Max == 0 {
		return nil
	}
	var grants []quota.Grant
	for _, g := range r.Grants {
		if g.Scope == c.Scope && (g.Expires.IsZero() || r.At.Before(g.Expires)) {
			grants = append(grants, g)
		}
	}
	return grants
}

// ofJob adds to a what Accept must know of the job.
func (a *ask) ofJob(j generate.Job) {
	a.Created, a.Life = sortable(j.Created), lifeOf(j)
	j.Admitted = false
	a.ClassWaiting = classOf(j)
	j.Admitted = true
	a.ClassAdmitted = classOf(j)
}

// counterField names a counter. Those of members belong to one team; those of
// the bot to none.
func counterField(team string, s quota.Scope, counter string) string {
	if s.Kind == quota.Bot {
		team = ""
	}
	return team + sep + s.String() + sep + counter
}

// refusal is what a script's {"limit", number of the count, used} means.
func refusal(r quota.Reservation, reply list) error {
	n := int(reply.number(1)) - 1
	if n < 0 || n >= len(r.Counts) {
		return fmt.Errorf("script refuses count %d of %d", n+1, len(r.Counts))
	}
	c := r.Counts[n]
	return &quota.LimitError{Reason: quota.OverLimit, Need: c.Add, Gauge: quota.Gauge{
		Scope: c.Scope, Unit: c.Unit, Window: c.Window, Used: reply.number(2), Max: c.Max, Resets: c.Resets,
	}}
}
