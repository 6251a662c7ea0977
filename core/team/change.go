package team

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"ltxbot/core/quota"
	"ltxbot/core/usd"
)

// amend changes the AdminState of a member, or of the team when member is empty,
// and writes an audit record. change returns how it was before and after, or
// errUnchanged when it is as ordered already.
func (o *Office) amend(c *call, member string, change func(*quota.AdminState) (before, after string, err error)) (Report, error) {
	if c.args.err != nil {
		return Report{}, c.args.err
	}
	account, err := o.account(c, member)
	if err != nil {
		return Report{}, err
	}
	var record Record
	err = o.cfg.Store.Amend(c.ctx, c.team, account, func(s *quota.AdminState) (Record, error) {
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

// decided is the part of an AdminState that is about a member, or the team.
func decided(s *quota.AdminState, member string) (overrides *[]quota.Override, grants *[]quota.Grant, epoch *int) {
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
	return o.amend(c, who, func(s *quota.AdminState) (string, string, error) {
		overrides, _, _ := decided(s, who)
		was := now(*s).Max(limit)
		before := limit.String() + " " + quota.WriteAmount(limit.Unit, was)
		most, bound := o.cfg.Policy().Ceiling(kindOf(who), c.team, *s).Of(limit)
		if bound && !c.actor.Operator && quota.Tighter(most, amount) != amount {
			return "", "", c.above(limit, most)
		}
		if !roomFor(*overrides, limit) {
			return "", "", &OrderError{Problem: TooMany, Verb: c.verb.Name}
		}
		*overrides = append(c.without(*overrides, limit), quota.Override{
			Unit: limit.Unit, Window: limit.Window, Max: amount, By: c.actor.name(), At: c.now.UTC(), Reason: c.args.reason(),
		})
		return before, limit.String() + " " + quota.WriteAmount(limit.Unit, amount), nil
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
func roomFor(overrides []quota.Override, l quota.LimitName) bool {
	if l.Window.Rolling() == 0 {
		return true
	}
	windows := map[quota.Window]bool{l.Window: true}
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
	return o.amend(c, who, func(s *quota.AdminState) (string, string, error) {
		overrides, _, _ := decided(s, who)
		var gone []quota.LimitName
		var kept *quota.Override // what the actor may not take away
		for i, v := range *overrides {
			name := quota.LimitName{Unit: v.Unit, Window: v.Window}
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
			return "", "", c.above(quota.LimitName{Unit: kept.Unit, Window: kept.Window}, kept.Max)
		default:
			return "", "", errUnchanged
		}
		var was, is []string
		for _, name := range gone {
			was = append(was, name.String()+" "+quota.WriteAmount(name.Unit, now(*s).Max(name)))
		}
		for _, name := range gone {
			*overrides = c.without(*overrides, name)
			is = append(is, name.String()+" "+quota.WriteAmount(name.Unit, now(*s).Max(name)))
		}
		return strings.Join(was, ", "), strings.Join(is, ", "), nil
	})
}

// without returns a copy of overrides without those of one limit that the actor
// may undo.
func (c *call) without(overrides []quota.Override, l quota.LimitName) []quota.Override {
	return slices.DeleteFunc(slices.Clone(overrides), func(v quota.Override) bool {
		return v.Unit == l.Unit && v.Window == l.Window && c.mayUndo(v.By)
	})
}

// mayUndo reports whether the actor may undo what somebody decided.
func (c *call) mayUndo(by string) bool { return c.actor.Operator || !quota.ByOperator(by) }

// kindOf is the scope of a member, or of the team when it is empty.
func kindOf(who string) quota.ScopeKind {
	if who == "" {
		return quota.Team
	}
	return quota.Member
}

// above refuses what would be more than the operator allows.
func (c *call) above(l quota.LimitName, most int64) error {
	return &OrderError{Problem: AboveOperator, Verb: c.verb.Name, Value: l.String() + " " + quota.WriteAmount(l.Unit, most)}
}

// mayAdd refuses extras and resets by which an admin would get around limits
// that only the operator can raise.
func (o *Office) mayAdd(c *call, who string, s quota.AdminState, units ...quota.Unit) error {
	p := o.cfg.Policy()
	for _, u := range units {
		switch {
		case c.actor.Operator || !p.FixedUnit(kindOf(who), s, u):
		case who == "":
			return &OrderError{Problem: OperatorsTeam, Verb: c.verb.Name}
		default:
			return &OrderError{Problem: OperatorsMember, Verb: c.verb.Name}
		}
	}
	return nil
}

// limitsOf returns a function that computes the limits of a member, or of the
// team, for an AdminState. It reads what that needs before it returns.
func (o *Office) limitsOf(c *call, who string) (func(quota.AdminState) quota.Limits, error) {
	p := o.cfg.Policy()
	if who == "" {
		return func(s quota.AdminState) quota.Limits { return p.TeamLimits(c.team, s) }, nil
	}
	account, err := o.account(c, who)
	if err != nil {
		return nil, err
	}
	asker := o.asker(c, account)
	return func(s quota.AdminState) quota.Limits { return p.MemberLimits(asker, s) }, nil
}

func (o *Office) grant(c *call) (Report, error) {
	who := c.args.who()
	g := quota.Grant{
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
	g.Scope = quota.Scope{Kind: quota.Team, ID: c.team}
	if account != "" {
		g.Scope = quota.Scope{Kind: quota.Member, ID: account}
	}
	var units []quota.Unit
	for _, u := range []quota.Unit{quota.Videos, quota.Dollars} {
		if g.Amount(u) > 0 {
			units = append(units, u)
		}
	}
	left, err := o.describe(c, Report{Member: account})
	if err != nil {
		return Report{}, err
	}
	return o.amend(c, who, func(s *quota.AdminState) (string, string, error) {
		if err := o.mayAdd(c, who, *s, units...); err != nil {
			return "", "", err
		}
		_, grants, _ := decided(s, who)
		// Those that are over cover nothing any more.
		kept := slices.DeleteFunc(slices.Clone(*grants), func(g quota.Grant) bool {
			return !g.Expires.IsZero() && !c.now.Before(g.Expires) || len(*grants) >= maxGrants && left.usedUp(g)
		})
		if len(kept) >= maxGrants {
			return "", "", &OrderError{Problem: TooMany, Verb: c.verb.Name}
		}
		kept = append(kept, g)
		*grants = kept
		return "", describeGrant(GrantUse{Grant: g}), nil
	})
}

// usedUp reports whether nothing was left of an extra that was there when the
// report was made.
func (r Report) usedUp(g quota.Grant) bool {
	there := slices.ContainsFunc(slices.Concat(r.AdminState.Member.Grants, r.AdminState.Team.Grants), func(o quota.Grant) bool { return o.ID == g.ID })
	return there && !slices.ContainsFunc(r.Grants, func(u GrantUse) bool { return u.ID == g.ID })
}

// describeGrant writes what is left of an extra for the log: "4 of 5 videos and $2.50
// until 2026-03-31".
func describeGrant(g GrantUse) string {
	var parts []string
	if left := g.Videos - g.UsedVideos; left > 0 {
		part := countVideos(g.Videos)
		if g.UsedVideos > 0 {
			part = strconv.FormatInt(left, 10) + " of " + part
		}
		parts = append(parts, part)
	}
	if left := g.USD - g.UsedUSD; left > 0 {
		part := "$" + quota.WriteDollars(g.USD)
		if g.UsedUSD > 0 {
			part = "$" + quota.WriteDollars(left) + " of " + part
		}
		parts = append(parts, part)
	}
	text := strings.Join(parts, " and ")
	if !g.Expires.IsZero() {
		text += " until " + g.Expires.UTC().Format("2006-01-02 15:04 UTC")
	}
	return text
}

// countVideos writes a number of videos for the log.
func countVideos(n int64) string {
	if n == 1 {
		return "1 video"
	}
	return strconv.FormatInt(n, 10) + " videos"
}

func (o *Office) revoke(c *call) (Report, error) {
	who := c.args.who()
	account, err := o.account(c, who)
	if err != nil {
		return Report{}, err
	}
	left, err := o.describe(c, Report{Member: account})
	if err != nil {
		return Report{}, err
	}
	return o.amend(c, who, func(s *quota.AdminState) (string, string, error) {
		_, grants, _ := decided(s, who)
		if len(*grants) == 0 {
			return "", "", errUnchanged
		}
		var was []string
		for _, g := range *grants {
			if left.usedUp(g) {
				continue
			}
			use := GrantUse{Grant: g}
			if i := slices.IndexFunc(left.Grants, func(u GrantUse) bool { return u.ID == g.ID }); i >= 0 {
				use = left.Grants[i]
			}
			was = append(was, describeGrant(use))
		}
		*grants = nil
		return strings.Join(was, ", "), "", nil
	})
}

// block stops a member. Admins can't stop themselves, by a linked account either.
func (o *Office) block(c *call) (Report, error) {
	account, err := o.account(c, c.args.member())
	if err != nil {
		return Report{}, err
	}
	own, err := o.account(c, c.actor.Member)
	switch {
	case err != nil:
		return Report{}, err
	case account != "" && account == own:
		return Report{}, &OrderError{Problem: BlocksOneself, Verb: c.verb.Name}
	}
	return o.amend(c, c.args.member(), func(s *quota.AdminState) (string, string, error) {
		return c.stop(&s.Member.Blocked)
	})
}

func (o *Office) unblock(c *call) (Report, error) {
	return o.amend(c, c.args.member(), func(s *quota.AdminState) (string, string, error) {
		return c.lift(&s.Member.Blocked)
	})
}

// stop blocks a member or pauses a team. A block of the operator keeps its author:
// else an admin could make it their own, and lift it.
func (c *call) stop(b **quota.Block) (before, after string, err error) {
	if *b != nil && !c.mayUndo((*b).By) {
		return "", "", errUnchanged
	}
	before = describeBlock(*b)
	*b = &quota.Block{By: c.actor.name(), At: c.now.UTC(), Reason: c.args.reason()}
	return before, "stopped", nil // the record has the reason
}

// lift undoes a stop.
func (c *call) lift(b **quota.Block) (before, after string, err error) {
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

// describeBlock writes a block that was there for the log.
func describeBlock(b *quota.Block) string {
	switch {
	case b == nil:
		return ""
	case b.Reason != "":
		return "stopped: " + b.Reason
	}
	return "stopped"
}

func (o *Office) pause(c *call) (Report, error) {
	return o.amend(c, "", func(s *quota.AdminState) (string, string, error) {
		return c.stop(&s.Team.Paused)
	})
}

func (o *Office) resume(c *call) (Report, error) {
	return o.amend(c, "", func(s *quota.AdminState) (string, string, error) {
		return c.lift(&s.Team.Paused)
	})
}

// reset begins a new epoch, whose counters are all zero. Jobs under way still
// settle on the counters of the old one.
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
	return o.amend(c, who, func(s *quota.AdminState) (string, string, error) {
		if err := o.mayAdd(c, who, *s, quota.Videos, quota.Dollars); err != nil {
			return "", "", err
		}
		_, _, epoch := decided(s, who)
		*epoch++
		return before, "0", nil
	})
}

// describeUse writes what is used this month for the log.
func describeUse(gauges []quota.Gauge, who string) string {
	kind := quota.Member
	if who == "" {
		kind = quota.Team
	}
	var videos int64
	var price usd.Micros
	for _, g := range gauges {
		switch {
		case g.Scope.Kind != kind || g.Window != quota.Month:
		case g.Unit == quota.Videos:
			videos = g.Used
		default:
			price = usd.Micros(g.Used)
		}
	}
	return countVideos(videos) + " and $" + quota.WriteDollars(price) + " in the month"
}
