package quota

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ltxbot/core/usd"
)

// amend changes what is decided about a member, or about the team when member
// is empty, with a record of it. change says what it was and what it became;
// errUnchanged is for what is so already.
func (o *Office) amend(c *call, member string, change func(*Standing) (before, after string, err error)) (Report, error) {
	if c.args.err != nil {
		return Report{}, c.args.err
	}
	account, err := o.account(c, member)
	if err != nil {
		return Report{}, err
	}
	var record Record
	err = o.cfg.Store.Amend(c.ctx, c.team, account, func(s *Standing) (Record, error) {
		before, after, err := change(s)
		if err != nil {
			return Record{}, err
		}
		record = Record{
			ID: newID(), At: c.now.UTC(), Team: c.team, Member: account, By: c.actor.name(), From: c.actor.From,
			Verb: c.verb.Name, Before: before, After: after, Reason: c.args.reason(),
		}
		return record, nil
	})
	if errors.Is(err, errUnchanged) {
		return Report{}, &OrderError{Problem: NothingToDo, Verb: c.verb.Name}
	}
	if err != nil {
		return Report{}, err
	}
	return o.describe(c, Report{Member: account, Self: account == c.actor.Member, Change: &record})
}

// errUnchanged says that there is nothing to change.
var errUnchanged = errors.New("nothing to change")

// decided is the part of a standing that is about a member, or the team.
func decided(s *Standing, member string) (overrides *[]Override, grants *[]Grant, epoch *int) {
	if member == "" {
		return &s.Team.Overrides, &s.Team.Grants, &s.Team.Epoch
	}
	return &s.Member.Overrides, &s.Member.Grants, &s.Member.Epoch
}

func (o *Office) set(c *call) (Report, error) {
	who := c.args.who()
	limit, _ := c.args.limit()
	amount := c.args.amount(limit)
	now, err := o.limitsOf(c, who)
	if err != nil {
		return Report{}, err
	}
	return o.amend(c, who, func(s *Standing) (string, string, error) {
		overrides, _, _ := decided(s, who)
		was := now(*s).max(limit)
		before := limit.String() + " " + writeAmount(limit.unit, was)
		most, bound := o.cfg.Policy().ceiling(kindOf(who), c.team, *s).of(limit)
		if bound && !c.actor.Operator && tighter(most, amount) != amount {
			return "", "", c.above(limit, most)
		}
		if !roomFor(*overrides, limit) {
			return "", "", &OrderError{Problem: TooMany, Verb: c.verb.Name}
		}
		*overrides = append(c.without(*overrides, limit), Override{
			Unit: limit.unit, Window: limit.window, Max: amount, By: c.actor.name(), At: c.now.UTC(), Reason: c.args.reason(),
		})
		return before, limit.String() + " " + writeAmount(limit.unit, amount), nil
	})
}

// How much may be decided about one holder. A rolling window is 50 counters
// and an extra is two, which each video reads; a store reads at most 1,000 keys
// for one.
const (
	maxRollingSet = 4 // rolling windows that orders limit
	maxGrants     = 50
)

// roomFor reports whether one more limit can be set.
func roomFor(overrides []Override, l limitName) bool {
	if l.window.Rolling() == 0 {
		return true
	}
	windows := map[Window]bool{l.window: true}
	for _, o := range overrides {
		if o.Window.Rolling() > 0 {
			windows[o.Window] = true
		}
	}
	return len(windows) <= maxRollingSet
}

func (o *Office) unset(c *call) (Report, error) {
	who := c.args.who()
	limit, all := c.args.limit()
	now, err := o.limitsOf(c, who)
	if err != nil {
		return Report{}, err
	}
	return o.amend(c, who, func(s *Standing) (string, string, error) {
		overrides, _, _ := decided(s, who)
		var gone []limitName
		var kept *Override // what the actor may not take away
		for i, v := range *overrides {
			name := limitName{v.Unit, v.Window}
			switch {
			case !all && name != limit, slices.Contains(gone, name):
			case c.mayUndo(v.By):
				gone = append(gone, name)
			default:
				kept = &(*overrides)[i]
			}
		}
		switch {
		case len(gone) > 0:
		case kept != nil:
			return "", "", c.above(limitName{kept.Unit, kept.Window}, kept.Max)
		default:
			return "", "", errUnchanged
		}
		var was, is []string
		for _, name := range gone {
			was = append(was, name.String()+" "+writeAmount(name.unit, now(*s).max(name)))
		}
		for _, name := range gone {
			*overrides = c.without(*overrides, name)
			is = append(is, name.String()+" "+writeAmount(name.unit, now(*s).max(name)))
		}
		return strings.Join(was, ", "), strings.Join(is, ", "), nil
	})
}

// without is overrides but for those of one limit that the actor may take
// away; the slice given is left as it is.
func (c *call) without(overrides []Override, l limitName) []Override {
	return slices.DeleteFunc(slices.Clone(overrides), func(v Override) bool {
		return v.Unit == l.unit && v.Window == l.window && c.mayUndo(v.By)
	})
}

// mayUndo reports whether the actor may undo what somebody decided.
func (c *call) mayUndo(by string) bool { return c.actor.Operator || !byOperator(by) }

// kindOf is the scope of a member, or of the team when it is empty.
func kindOf(who string) ScopeKind {
	if who == "" {
		return Team
	}
	return Member
}

// above refuses what would be more than the operator allows.
func (c *call) above(l limitName, most int64) error {
	return &OrderError{Problem: AboveOperator, Verb: c.verb.Name, Value: l.String() + " " + writeAmount(l.unit, most)}
}

// mayAdd refuses extras and resets by which an admin would get around limits
// that only the operator can raise.
func (o *Office) mayAdd(c *call, who string, s Standing, units ...Unit) error {
	p := o.cfg.Policy()
	for _, u := range units {
		switch {
		case c.actor.Operator || !p.fixedUnit(kindOf(who), s, u):
		case who == "":
			return &OrderError{Problem: OperatorsTeam, Verb: c.verb.Name}
		default:
			return &OrderError{Problem: OperatorsMember, Verb: c.verb.Name}
		}
	}
	return nil
}

// limitsOf returns what the limits of a member, or of the team, are under a
// standing. What it must read for that is read at once.
func (o *Office) limitsOf(c *call, who string) (func(Standing) Limits, error) {
	p := o.cfg.Policy()
	if who == "" {
		return func(s Standing) Limits { return p.TeamLimits(c.team, s) }, nil
	}
	account, err := o.account(c, who)
	if err != nil {
		return nil, err
	}
	asker := o.asker(c, account)
	return func(s Standing) Limits { return p.MemberLimits(asker, s) }, nil
}

// max is how much one limit is; 0 is no limit.
func (l Limits) max(name limitName) int64 {
	switch name.unit {
	case Jobs:
		return int64(l.JobsAtATime)
	case Videos:
		return l.in(name.window).Videos
	case Dollars:
	}
	return int64(l.in(name.window).USD)
}

// writeAmount writes an amount for the log.
func writeAmount(u Unit, n int64) string {
	switch {
	case n == 0:
		return "none"
	case u == Dollars:
		return writeDollars(usd.Micros(n))
	}
	return strconv.FormatInt(n, 10)
}

// writeDollars writes an amount exactly, with two decimals at least: "2.50".
func writeDollars(m usd.Micros) string {
	sign := ""
	if m < 0 {
		sign, m = "-", -m
	}
	decimals := strings.TrimRight(fmt.Sprintf("%06d", m%usd.Dollar), "0")
	for len(decimals) < 2 {
		decimals += "0"
	}
	return fmt.Sprintf("%s%d.%s", sign, m/usd.Dollar, decimals)
}

func (o *Office) grant(c *call) (Report, error) {
	who := c.args.who()
	g := Grant{
		ID: newID(), Videos: c.args.videos(), USD: c.args.money(), Expires: c.args.until(c.now, c.zone),
		Reason: c.args.reason(), By: c.actor.name(), Given: c.now.UTC(),
	}
	if c.args.err == nil && g.Videos == 0 && g.USD == 0 {
		c.args.fail(NothingGiven, "", "")
	}
	account, err := o.account(c, who)
	if err != nil {
		return Report{}, err
	}
	g.Scope = Scope{Kind: Team, ID: c.team}
	if account != "" {
		g.Scope = Scope{Kind: Member, ID: account}
	}
	var units []Unit
	for _, u := range []Unit{Videos, Dollars} {
		if g.Amount(u) > 0 {
			units = append(units, u)
		}
	}
	left, err := o.describe(c, Report{Member: account})
	if err != nil {
		return Report{}, err
	}
	return o.amend(c, who, func(s *Standing) (string, string, error) {
		if err := o.mayAdd(c, who, *s, units...); err != nil {
			return "", "", err
		}
		_, grants, _ := decided(s, who)
		// Those that are over cover nothing any more.
		kept := slices.DeleteFunc(slices.Clone(*grants), func(g Grant) bool {
			return !g.Expires.IsZero() && !c.now.Before(g.Expires) || len(*grants) >= maxGrants && left.usedUp(g)
		})
		if len(kept) >= maxGrants {
			return "", "", &OrderError{Problem: TooMany, Verb: c.verb.Name}
		}
		kept = append(kept, g)
		*grants = kept
		return "", describeGrant(g), nil
	})
}

// usedUp reports whether nothing was left of an extra that was there when the
// report was made.
func (r Report) usedUp(g Grant) bool {
	there := slices.ContainsFunc(slices.Concat(r.Standing.Member.Grants, r.Standing.Team.Grants), func(o Grant) bool { return o.ID == g.ID })
	return there && !slices.ContainsFunc(r.Grants, func(u GrantUse) bool { return u.ID == g.ID })
}

// describeGrant writes an extra for the log: "5 videos and $2.50 until 2026-03-31".
func describeGrant(g Grant) string {
	var parts []string
	if g.Videos > 0 {
		parts = append(parts, strconv.FormatInt(g.Videos, 10)+" videos")
	}
	if g.USD > 0 {
		parts = append(parts, "$"+writeDollars(g.USD))
	}
	text := strings.Join(parts, " and ")
	if !g.Expires.IsZero() {
		text += " until " + g.Expires.UTC().Format("2006-01-02 15:04 UTC")
	}
	return text
}

func (o *Office) revoke(c *call) (Report, error) {
	who := c.args.who()
	return o.amend(c, who, func(s *Standing) (string, string, error) {
		_, grants, _ := decided(s, who)
		if len(*grants) == 0 {
			return "", "", errUnchanged
		}
		var was []string
		for _, g := range *grants {
			was = append(was, describeGrant(g))
		}
		*grants = nil
		return strings.Join(was, ", "), "", nil
	})
}

func (o *Office) block(c *call) (Report, error) {
	return o.amend(c, c.args.member(), func(s *Standing) (string, string, error) {
		return c.stop(&s.Member.Blocked)
	})
}

func (o *Office) unblock(c *call) (Report, error) {
	return o.amend(c, c.args.member(), func(s *Standing) (string, string, error) {
		return c.lift(&s.Member.Blocked)
	})
}

// stop blocks a member or pauses a team. What the operator has stopped stays
// the operator's: else an admin could take it over, and lift it.
func (c *call) stop(b **Block) (before, after string, err error) {
	if *b != nil && !c.mayUndo((*b).By) {
		return "", "", errUnchanged
	}
	before = describeBlock(*b)
	*b = &Block{By: c.actor.name(), At: c.now.UTC(), Reason: c.args.reason()}
	return before, describeBlock(*b), nil
}

// lift undoes a stop.
func (c *call) lift(b **Block) (before, after string, err error) {
	switch {
	case *b == nil:
		return "", "", errUnchanged
	case !c.mayUndo((*b).By):
		return "", "", &OrderError{Problem: OperatorStopped, Verb: c.verb.Name}
	}
	before = describeBlock(*b)
	*b = nil
	return before, "", nil
}

// describeBlock writes a block for the log.
func describeBlock(b *Block) string {
	switch {
	case b == nil:
		return ""
	case b.Reason != "":
		return "stopped: " + b.Reason
	}
	return "stopped"
}

func (o *Office) pause(c *call) (Report, error) {
	return o.amend(c, "", func(s *Standing) (string, string, error) {
		return c.stop(&s.Team.Paused)
	})
}

func (o *Office) resume(c *call) (Report, error) {
	return o.amend(c, "", func(s *Standing) (string, string, error) {
		return c.lift(&s.Team.Paused)
	})
}

// reset begins a new epoch: its counters are all zero, and those of before
// keep what jobs under way still settle.
func (o *Office) reset(c *call) (Report, error) {
	who := c.args.who()
	account, err := o.account(c, who)
	if err != nil {
		return Report{}, err
	}
	before := ""
	if c.args.err == nil {
		was, err := o.describe(c, Report{Member: account})
		if err != nil {
			return Report{}, err
		}
		before = describeUse(was.Gauges, who)
	}
	return o.amend(c, who, func(s *Standing) (string, string, error) {
		if err := o.mayAdd(c, who, *s, Videos, Dollars); err != nil {
			return "", "", err
		}
		_, _, epoch := decided(s, who)
		*epoch++
		return before, "0", nil
	})
}

// describeUse writes what is used this month for the log.
func describeUse(gauges []Gauge, who string) string {
	kind := Member
	if who == "" {
		kind = Team
	}
	var videos int64
	var price usd.Micros
	for _, g := range gauges {
		switch {
		case g.Scope.Kind != kind || g.Window != Month:
		case g.Unit == Videos:
			videos = g.Used
		default:
			price = usd.Micros(g.Used)
		}
	}
	return fmt.Sprintf("%d videos and $%s in the month", videos, writeDollars(price))
}
