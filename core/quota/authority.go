package quota

import "slices"

// There are three levels: the operator, the admins of a team, its members. What
// a higher level decided can be tightened by a lower one, and never loosened.
//
// The limits of a team, extras for the team and resets of its usage are the
// operator's, unless Policy.AdminsMayRaise. Even then a limit that the operator
// has set by an order holds, and so do its blocks and pauses. The limits of
// members are the admins' to raise and lower, but for those that the operator
// has set.

// ByOperator reports whether a change was made by the operator.
func ByOperator(by string) bool { return by == Operator }

// operatorSet reports whether the operator has set a limit by an order.
func operatorSet(overrides []Override, l LimitName) bool {
	return slices.ContainsFunc(overrides, func(o Override) bool {
		return ByOperator(o.By) && o.Unit == l.Unit && o.Window == l.Window
	})
}

// under is l with what was decided about its limits. The operator's overrides
// replace limits. Those of admins do so too if they may raise, but where the
// operator has set the limit they can only make it tighter.
func (l Limits) under(overrides []Override, mayRaise bool) Limits {
	for _, o := range overrides {
		if ByOperator(o.By) {
			l = l.with(o)
		}
	}
	for _, o := range overrides {
		if ByOperator(o.By) {
			continue
		}
		if name := (LimitName{o.Unit, o.Window}); !mayRaise || operatorSet(overrides, name) {
			o.Max = Tighter(l.Max(name), o.Max)
		}
		l = l.with(o)
	}
	return l
}

// A ceiling is how far an admin of a team may raise limits of a scope.
type ceiling struct {
	limits Limits               // as the operator has set them
	holds  func(LimitName) bool // whether an admin may not go beyond one
}

// Of is how far a limit may be raised; ok is false if there is no bound.
func (c ceiling) Of(l LimitName) (most int64, ok bool) {
	if !c.holds(l) {
		return 0, false
	}
	return c.limits.Max(l), true
}

// reached reports whether only the operator can raise a limit from an amount.
func (c ceiling) reached(l LimitName, amount int64) bool {
	most, ok := c.Of(l)
	return ok && amount == most
}

// Ceiling is that of a member, of a team, or of the bot.
func (p Policy) Ceiling(kind ScopeKind, team string, s AdminState) ceiling {
	switch kind {
	case Member:
		set := operators(s.Member.Overrides)
		return ceiling{Limits{}.under(set, true), func(l LimitName) bool { return operatorSet(set, l) }}
	case Team:
		set := operators(s.Team.Overrides)
		limits := p.TeamLimits(team, AdminState{Team: TeamState{Overrides: set}})
		return ceiling{limits, func(l LimitName) bool { return !p.AdminsMayRaise || operatorSet(set, l) }}
	case Bot:
	}
	return ceiling{p.Bot, func(LimitName) bool { return true }}
}

// operators are the overrides of the operator.
func operators(overrides []Override) []Override {
	return slices.DeleteFunc(slices.Clone(overrides), func(v Override) bool { return !ByOperator(v.By) })
}

// FixedUnit reports whether any limit of a scope on a unit is one that only
// the operator can raise: then extras by admins would be a way around it.
func (p Policy) FixedUnit(kind ScopeKind, s AdminState, u Unit) bool {
	overrides := s.Member.Overrides
	if kind == Team {
		if !p.AdminsMayRaise {
			return true
		}
		overrides = s.Team.Overrides
	}
	return slices.ContainsFunc(overrides, func(o Override) bool { return ByOperator(o.By) && o.Unit == u })
}

// Grants are the extras that a reservation may draw on, first those of the
// member. One that an admin gave is not for limits that only the operator can
// raise, whichever of the two came first.
func (p Policy) Grants(s AdminState) []Grant {
	var out []Grant
	for _, g := range slices.Concat(s.Member.Grants, s.Team.Grants) {
		if g = p.valid(g, s); g.Videos > 0 || g.USD > 0 {
			out = append(out, g)
		}
	}
	return out
}

// valid is an extra without what its giver may not give.
func (p Policy) valid(g Grant, s AdminState) Grant {
	if ByOperator(g.By) {
		return g
	}
	if p.FixedUnit(g.Scope.Kind, s, Videos) {
		g.Videos = 0
	}
	if p.FixedUnit(g.Scope.Kind, s, Dollars) {
		g.USD = 0
	}
	return g
}

// Operator is who changes something over the HTTP API or the command line:
// whoever holds the bot's admin token.
const Operator = "operator"
