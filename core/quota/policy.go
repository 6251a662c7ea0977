package quota

import (
	"errors"
	"slices"
	"time"

	"ltxbot/core/usd"
)

// Policy is what the operator configured. It is a value: a reload makes a new
// one.
type Policy struct {
	Member  Limits
	Team    Limits
	Bot     Limits
	Tiers   []Tier
	Waiting int // jobs a member may have waiting for their turn
	// Zone is the time zone of calendar windows; UTC when nil.
	Zone  *time.Location
	Teams map[string]TeamPolicy // by team; a team that is not listed has the defaults
	// AdminsMayRaise reports whether the admins of a team may go beyond its
	// configured limits. Without it they can only make them tighter.
	AdminsMayRaise bool
	// Serves reports whether a team may make videos at all; nil = every team.
	Serves func(team string) bool
	// Linkable reports whether members of a team can link their accounts; nil =
	// of no team.
	Linkable func(team string) bool
}

// Tier is a group of members with limits of its own. They are complete: a
// limit that is zero is no limit, not that of other members.
type Tier struct {
	Name   string
	Limits Limits
}

// TeamPolicy is what the operator configured for one team.
type TeamPolicy struct {
	Zone   *time.Location // nil = the policy's
	Limits *Limits        // nil = the policy's
}

// Asker is who asks for a job.
type Asker struct {
	Team   string
	Member string
	Tiers  []string // names of the tiers the member is in
}

// ZoneOf is the time zone of a team's calendar windows.
func (p Policy) ZoneOf(team string) *time.Location {
	if z := p.Teams[team].Zone; z != nil {
		return z
	}
	if p.Zone != nil {
		return p.Zone
	}
	return time.UTC
}

// ErrLinked says that the limits of another account apply to a member, which
// whoever asked did not know: it could not be read, or was so since. What is
// decided about that account must not be missed.
var ErrLinked = errors.New("the member has been linked with another account, whose limits apply")

// Plan says what a job of a needs: room for one video and for its estimate in
// every window of the member, the team and the bot.
func (p Policy) Plan(job string, a Asker, estimate usd.Micros, at time.Time) Plan {
	return func(s AdminState) (Reservation, error) {
		if p.Serves != nil && !p.Serves(a.Team) {
			return Reservation{}, &LimitError{Reason: Unlisted, Gauge: Gauge{Scope: Scope{Kind: Team, ID: a.Team}}}
		}
		if s.Member.Account != "" && s.Member.Account != a.Member && p.Linkable != nil && p.Linkable(a.Team) {
			return Reservation{}, ErrLinked
		}
		if s.Team.Paused != nil {
			return Reservation{}, &LimitError{Reason: Paused, Block: *s.Team.Paused}
		}
		if s.Member.Blocked != nil {
			return Reservation{}, &LimitError{Reason: Blocked, Block: *s.Member.Blocked}
		}
		r := Reservation{Job: job, Team: a.Team, Member: a.Member, At: at, Estimate: estimate}
		r.Line = Line{
			MemberMax:  p.MemberLimits(a, s).JobsAtATime,
			TeamMax:    p.TeamLimits(a.Team, s).JobsAtATime,
			BotMax:     p.Bot.JobsAtATime,
			WaitingMax: p.Waiting,
		}
		r.Grants = p.Grants(s)
		r.Counts = p.Counts(a, s, at)
		for i := range r.Counts {
			c := &r.Counts[i]
			c.Add = 1
			if c.Unit == Dollars {
				c.Add = int64(estimate)
			}
		}
		return r, nil
	}
}

// Counts are all counters of a's member, team and bot at the time at, with
// their limits. Calendar windows are counted whether limited or not, so that
// a limit added later knows what was used before.
func (p Policy) Counts(a Asker, s AdminState, at time.Time) []Count {
	zone := p.ZoneOf(a.Team)
	counts := slices.Concat(
		p.MemberLimits(a, s).counts(Scope{Member, a.Member}, s.Member.Epoch, at, zone),
		p.TeamLimits(a.Team, s).counts(Scope{Team, a.Team}, s.Team.Epoch, at, zone),
		p.Bot.counts(Scope{Kind: Bot}, 0, at, p.ZoneOf("")),
	)
	ceilings := map[ScopeKind]ceiling{}
	for _, kind := range []ScopeKind{Member, Team, Bot} {
		ceilings[kind] = p.Ceiling(kind, a.Team, s)
	}
	for i, c := range counts {
		counts[i].Fixed = c.Max > 0 && ceilings[c.Scope.Kind].reached(LimitName{c.Unit, c.Window}, c.Max)
	}
	return counts
}

// counts are the counters of one scope: each calendar window, and each
// rolling window that has a limit.
func (l Limits) counts(scope Scope, epoch int, at time.Time, zone *time.Location) []Count {
	calendar := [...]Window{Day, Week, Month}
	counts := make([]Count, 0, 2*(len(calendar)+len(l.Windows)))
	add := func(w Window, maxVideos int64, maxUSD usd.Micros) {
		c := w.count(scope, at, zone)
		counts = append(counts, c.of(Videos, epoch, maxVideos), c.of(Dollars, epoch, int64(maxUSD)))
	}
	for _, w := range calendar {
		wl := l.in(w)
		add(w, wl.Videos, wl.USD)
	}
	for _, wl := range l.Windows {
		if wl.Window.Rolling() > 0 {
			add(wl.Window, wl.Videos, wl.USD)
		}
	}
	return counts
}

// in is the limit in window w; the zero WindowLimit when there is none.
func (l Limits) in(w Window) WindowLimit {
	for _, wl := range l.Windows {
		if wl.Window == w {
			return wl
		}
	}
	return WindowLimit{Window: w}
}

// MemberLimits are the limits of a's member: the most generous of the default
// and the member's tiers, limit by limit, then what admins set instead.
func (p Policy) MemberLimits(a Asker, s AdminState) Limits {
	limits := p.Member
	for _, t := range p.Tiers {
		for _, name := range a.Tiers {
			if t.Name == name {
				limits = generous(limits, t.Limits)
			}
		}
	}
	return limits.under(s.Member.Overrides, true)
}

// TeamLimits are the limits of a team: its own from the config, else the
// default for teams, then what admins set instead.
func (p Policy) TeamLimits(team string, s AdminState) Limits {
	limits := p.Team
	if l := p.Teams[team].Limits; l != nil {
		limits = *l
	}
	return limits.under(s.Team.Overrides, p.AdminsMayRaise)
}

// with is l with one limit replaced.
func (l Limits) with(o Override) Limits {
	if o.Unit == Jobs {
		l.JobsAtATime = int(o.Max)
		return l
	}
	l.Windows = slices.Clone(l.Windows)
	i := slices.IndexFunc(l.Windows, func(wl WindowLimit) bool { return wl.Window == o.Window })
	if i < 0 {
		i = len(l.Windows)
		l.Windows = append(l.Windows, WindowLimit{Window: o.Window})
	}
	if o.Unit == Videos {
		l.Windows[i].Videos = o.Max
	} else {
		l.Windows[i].USD = usd.Micros(o.Max)
	}
	return l
}

// generous takes the larger of each limit; no limit is the largest.
func generous(a, b Limits) Limits {
	out := Limits{JobsAtATime: looser(a.JobsAtATime, b.JobsAtATime)}
	for _, wl := range a.Windows {
		other := b.in(wl.Window)
		out.Windows = append(out.Windows, WindowLimit{
			Window: wl.Window,
			Videos: looser(wl.Videos, other.Videos),
			USD:    looser(wl.USD, other.USD),
		})
	}
	return out
}

// Tighter is the tighter of two limits, where 0 is no limit.
func Tighter(a, b int64) int64 {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

// looser is the looser of two limits, where 0 is no limit.
func looser[T int | int64 | usd.Micros](a, b T) T {
	if a == 0 || b == 0 {
		return 0
	}
	return max(a, b)
}
