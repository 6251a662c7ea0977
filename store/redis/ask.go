package redis

import (
	"fmt"
	"slices"
	"time"

	"ltxbot/core/quota"
	"ltxbot/core/usd"
)

// An ask is a reservation as scripts read it: see lua/ledger.lua. What they
// need not understand they get as it is kept.
type ask struct {
	scopes  scopeList // of the entries
	head    string    // the hold, from its time to its scopes
	entries []byte    // that it makes unless a grant is drawn on
	last    int64     // when the last of their counters expires
	cost    usd.Micros
	counts  []any    // counter, what is added, and so on
	names   []string // counters to look at
	rules   []any    // of the counts with a limit
}

// newAsk writes down a reservation, of which others hold something elsewhere.
func newAsk(r quota.Reservation, e elsewhere) (*ask, error) {
	a := &ask{cost: r.Estimate, counts: make([]any, 0, 2*len(r.Counts)), entries: make([]byte, 0, entrySize*len(r.Counts))}
	if err := checkAmount("cost", int64(r.Estimate)); err != nil {
		return nil, err
	}
	for i, c := range r.Counts {
		if err := checkCount(c); err != nil {
			return nil, err
		}
		field := counterField(r.Team, c.Scope, c.Counter)
		a.entries = append(a.appendEntry(a.entries, c, c.Counter, c.Expires), '\n')
		a.last = max(a.last, expirySecond(c.Expires))
		a.counts = append(a.counts, field, c.Add)
		if c.Max > 0 { // else nobody asks how much is used
			if err := a.addRule(i+1, r, c, e); err != nil {
				return nil, err
			}
		}
	}
	a.head = holdHead(r.Team, r.Member, r.At, a.scopes)
	return a, nil
}

// hold is the hold that is made unless a grant is drawn on, as it is kept.
func (a *ask) hold() string {
	return fmt.Sprintf("%s %d 0 %s %s%s", quota.Held, a.cost, never, a.head, a.entries)
}

// addRule adds the rule of the count with a number.
func (a *ask) addRule(number int, r quota.Reservation, c quota.Count, e elsewhere) error {
	fields := make([]string, 0, 1+len(c.Also))
	for _, counter := range append([]string{c.Counter}, c.Also...) {
		fields = append(fields, counterField(r.Team, c.Scope, counter))
	}
	a.rules = append(a.rules, number, c.Max, e.used(fields...), len(fields))
	for _, field := range fields {
		a.rules = append(a.rules, a.lookAt(field))
	}
	grants := usable(r, c)
	a.rules = append(a.rules, len(grants))
	for _, g := range grants {
		if err := checkNames(g.ID); err != nil {
			return err
		}
		counter := g.Counter(c.Unit)
		field := counterField(r.Team, c.Scope, counter)
		a.rules = append(a.rules, a.lookAt(field), g.Amount(c.Unit)-e.used(field), a.appendEntry(nil, c, counter, g.Expires))
	}
	return nil
}

// appendEntry writes the entry that count c makes in a counter.
func (a *ask) appendEntry(b []byte, c quota.Count, counter string, expires time.Time) []byte {
	return appendEntry(b, a.scopes.number(c.Scope), quota.Entry{Unit: c.Unit, Counter: counter, Add: c.Add, Expires: expires})
}

// lookAt is the number of a counter that a script looks at.
func (a *ask) lookAt(field string) int {
	i := slices.Index(a.names, field)
	if i < 0 {
		i = len(a.names)
		a.names = append(a.names, field)
	}
	return i + 1
}

// arguments appends the reservation to those of a script.
func (a *ask) arguments(args []any) []any {
	args = slices.Grow(args, 6+len(a.counts)+len(a.names)+len(a.rules))
	args = append(args, a.head, a.entries, a.last, int64(a.cost), len(a.counts)/2)
	args = append(append(args, a.counts...), len(a.names))
	for _, name := range a.names {
		args = append(args, name)
	}
	return append(args, a.rules...)
}

// made is the hold that a script has made: with the entries of the counts, or
// with others where grants cover some of them.
func (a *ask) made(r quota.Reservation, reply list) (quota.Hold, error) {
	if reply.text(0) == "covered" {
		entries, err := decodeEntries(a.scopes, reply.text(1))
		return quota.NewHold(r, entries), err
	}
	entries := make([]quota.Entry, len(r.Counts))
	for i, c := range r.Counts {
		entries[i] = quota.Entry{Scope: c.Scope, Unit: c.Unit, Counter: c.Counter, Add: c.Add, Expires: c.Expires}
	}
	return quota.NewHold(r, entries), nil
}

// maxExact is the largest whole number that Lua can't mistake for its neighbour.
const maxExact = 1 << 53

// checkAmount refuses what scripts can't add up.
func checkAmount(what string, n int64) error {
	if n < 0 || n > maxExact {
		return fmt.Errorf("%s of %d is not from 0 to %d", what, n, int64(maxExact))
	}
	return nil
}

// checkCount refuses a count that can't be written down.
func checkCount(c quota.Count) error {
	if unitLetters[c.Unit] == 0 {
		return fmt.Errorf("count %s has the unknown unit %q", c.Counter, c.Unit)
	}
	if err := checkNames(c.Scope.String(), c.Counter); err != nil {
		return err
	}
	if err := checkAmount("count "+c.Counter, c.Add); err != nil {
		return err
	}
	return checkAmount("limit of "+c.Counter, c.Max)
}

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
	return &quota.LimitError{Reason: quota.OverLimit, Need: c.Add, Gauge: c.Gauge(reply.number(2))}
}
