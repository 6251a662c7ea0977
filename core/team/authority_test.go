package team_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"ltxbot/core/quota"
	"ltxbot/core/team"
	"ltxbot/core/usd"
)

// An order that is part of a story, and how it ends.
type ordered struct {
	by   func() team.Actor
	line string
	want team.OrderProblem // empty: it is carried out
}

// Limits of the team, extras for it and resets of it are the operator's. What
// the operator has decided, an admin can make tighter and never lift.
func TestAnAdminCannotOverrideTheOperator(t *testing.T) {
	for name, test := range map[string]struct {
		raise bool // AdminsMayRaise
		story []ordered
		team  usd.Micros // the team's budget of a month, afterwards
		day   int64      // ann's videos a day, afterwards
	}{
		"the budget of the team cannot be removed": {story: []ordered{
			{admin, "set team usd_per_month none", team.AboveOperator},
			{admin, "set team usd_per_month -1", team.AboveOperator},
		}, team: 200, day: 3},
		"it can be lowered, and raised again to what the operator allows": {story: []ordered{
			{admin, "set team usd_per_month 100", ""},
			{admin, "set team usd_per_month 200.01", team.AboveOperator},
			{admin, "set team usd_per_month 150", ""},
		}, team: 150, day: 3},
		"what an admin lowered goes back to the configured limit": {story: []ordered{
			{admin, "set team usd_per_month 100", ""},
			{admin, "unset team all", ""},
		}, team: 200, day: 3},
		"a limit that the operator has set for the team holds": {story: []ordered{
			{operator, "set team usd_per_month 50", ""},
			{admin, "set team usd_per_month 51", team.AboveOperator},
			{admin, "unset team usd_per_month", team.AboveOperator},
			{admin, "unset team all", team.AboveOperator},
		}, team: 50, day: 3},
		"an admin who makes it tighter and takes that back is where the operator was": {story: []ordered{
			{operator, "set team usd_per_month 50", ""},
			{admin, "set team usd_per_month 20", ""},
			{admin, "unset team all", ""},
			{admin, "unset team all", team.AboveOperator},
		}, team: 50, day: 3},
		"the operator raises the budget": {story: []ordered{
			{admin, "set team usd_per_month 20", ""},
			{operator, "set team usd_per_month 500", ""},
			{admin, "set team usd_per_month 400", ""},
		}, team: 400, day: 3},
		"the operator takes everything back": {story: []ordered{
			{operator, "set team usd_per_month 500", ""},
			{admin, "set team usd_per_month 400", ""},
			{operator, "unset team all", ""},
		}, team: 200, day: 3},
		"jobs at a time of the team are its limit, too": {story: []ordered{
			{operator, "set team jobs 3", ""},
			{admin, "set team jobs none", team.AboveOperator},
			{admin, "set team jobs 2", ""},
		}, team: 200, day: 3},
		"the day of a member is the admin's": {story: []ordered{
			{admin, "set <@1> videos_per_day 25", ""},
			{admin, "set <@1> videos_per_day none", ""},
			{admin, "unset <@1> all", ""},
			{admin, "set <@1> videos_per_day 25", ""},
		}, team: 200, day: 25},
		"unless the operator has set it": {story: []ordered{
			{operator, "set <@1> videos_per_day 2", ""},
			{admin, "set <@1> videos_per_day 25", team.AboveOperator},
			{admin, "set <@1> videos_per_day none", team.AboveOperator},
			{admin, "unset <@1> all", team.AboveOperator},
			{admin, "grant <@1> videos:5", team.OperatorsMember},
			{admin, "reset <@1>", team.OperatorsMember},
			{admin, "set <@1> videos_per_day 1", ""},
			{admin, "unset <@1> all", ""},
			{admin, "grant <@1> usd:5", ""}, // of another unit than the limit
			{operator, "grant <@1> videos:5", ""},
			{operator, "reset <@1>", ""},
		}, team: 200, day: 2},
		"extras for the team and resets of it are the operator's": {story: []ordered{
			{admin, "grant team usd:50", team.OperatorsTeam},
			{admin, "grant team videos:1", team.OperatorsTeam},
			{admin, "reset team", team.OperatorsTeam},
			{operator, "grant team usd:50", ""},
			{operator, "reset team", ""},
			{admin, "revoke team", ""}, // tighter
			{admin, "grant <@1> videos:5", ""},
			{admin, "reset <@1>", ""},
		}, team: 200, day: 3},
		"a block by the operator": {story: []ordered{
			{operator, "block <@1>", ""},
			{admin, "unblock <@1>", team.OperatorStopped},
			{admin, "block <@1> mine now", team.NothingToDo},
			{admin, "unblock <@1>", team.OperatorStopped},
			{operator, "unblock <@1>", ""},
			{admin, "block <@1>", ""},
			{admin, "unblock <@1>", ""},
		}, team: 200, day: 3},
		"an admin does not block herself, the operator may": {story: []ordered{
			{admin, "block " + boss, team.BlocksOneself},
			{operator, "block " + boss, ""},
			{admin, "unblock " + boss, team.OperatorStopped},
		}, team: 200, day: 3},
		"a pause by the operator": {story: []ordered{
			{admin, "pause", ""},
			{operator, "pause over budget", ""},
			{admin, "resume", team.OperatorStopped},
			{admin, "pause", team.NothingToDo},
			{admin, "resume", team.OperatorStopped},
			{operator, "resume", ""},
		}, team: 200, day: 3},
		"admins who may raise": {raise: true, story: []ordered{
			{admin, "set team usd_per_month 300", ""},
			{admin, "grant team usd:50", ""},
			{admin, "reset team", ""},
			{admin, "set team usd_per_month 400", ""},
		}, team: 400, day: 3},
		"admins who may raise, and a limit that the operator has set": {raise: true, story: []ordered{
			{admin, "set team usd_per_month 300", ""},
			{operator, "set team usd_per_month 50", ""},
			{operator, "block <@1>", ""},
			{admin, "set team usd_per_month 51", team.AboveOperator},
			{admin, "unset team all", team.AboveOperator},
			{admin, "grant team usd:50", team.OperatorsTeam},
			{admin, "reset team", team.OperatorsTeam},
			{admin, "unblock <@1>", team.OperatorStopped},
		}, team: 50, day: 3},
	} {
		t.Run(name, func(t *testing.T) {
			w := newOffice(t)
			w.policy.AdminsMayRaise = test.raise
			done := 0
			for _, o := range test.story {
				if o.want == "" {
					w.do(o.by(), o.line)
					done++
				} else {
					w.refuse(o.by(), o.line, o.want)
				}
			}
			if got := len(w.do(admin(), "log").Records); got != done {
				t.Errorf("the log has %d records of %d orders", got, done)
			}
			s, err := w.store.AdminState(t.Context(), "acme", annOnDiscord)
			if err != nil {
				t.Fatal(err)
			}
			if got := month(w.policy.TeamLimits("acme", s)).USD; got != test.team*usd.Dollar {
				t.Errorf("the team's budget is %v, want %v", got, test.team*usd.Dollar)
			}
			ann := w.policy.MemberLimits(quota.Asker{Team: "acme", Member: annOnDiscord}, s)
			if got := ann.Windows[0].Videos; got != test.day {
				t.Errorf("ann makes %d videos a day, want %d", got, test.day)
			}
		})
	}
}

// month is the limit of a calendar month.
func month(l quota.Limits) quota.WindowLimit {
	for _, w := range l.Windows {
		if w.Window == quota.Month {
			return w
		}
	}
	return quota.WindowLimit{}
}

// An explicit limit of a team in the config is the operator's as well.
func TestAnAdminCannotRaiseTheConfiguredLimitOfTheTeam(t *testing.T) {
	w := newOffice(t)
	own := quota.Limits{Windows: []quota.WindowLimit{{Window: quota.Month, USD: 30 * usd.Dollar}}}
	w.policy.Teams["acme"] = quota.TeamPolicy{Limits: &own}
	w.refuse(admin(), "set team usd_per_month 31", team.AboveOperator)
	_, err := w.order(admin(), "set team usd_per_month none")
	if err == nil || !strings.Contains(err.Error(), "usd_per_month 30.00") {
		t.Errorf("the refusal does not name the operator's limit: %v", err)
	}
	w.do(admin(), "set team usd_per_month 29")
}

// The config is asked at each video, not only when an order is given: a lower
// budget of the operator holds whatever an admin had set before.
func TestALowerBudgetOfTheOperatorHoldsAtOnce(t *testing.T) {
	w := newOffice(t)
	w.policy.AdminsMayRaise = true
	w.do(admin(), "set team usd_per_month 1000")
	w.do(admin(), "grant team usd:500")
	w.policy.AdminsMayRaise = false
	w.policy.Team = quota.Limits{Windows: []quota.WindowLimit{{Window: quota.Month, USD: 2 * usd.Dollar}}}
	made := 0
	for made < 10 && w.reserve("discord:"+strings.Repeat("1", made+1), usd.Dollar) {
		made++
	}
	if made != 2 {
		t.Errorf("%d videos of a dollar were made with a budget of two", made)
	}
	if extras := w.do(admin(), "show").Grants; len(extras) != 0 {
		t.Errorf("an extra that covers nothing is shown: %+v", extras)
	}
}

// An extra that an admin gave before does not get around a limit that the
// operator sets.
func TestAnExtraOfAnAdminIsNotForALimitOfTheOperator(t *testing.T) {
	w := newOffice(t)
	w.do(admin(), "grant <@1> videos:9 usd:9")
	w.do(operator(), "set <@1> videos_per_day 1")
	if got := w.room(annOnDiscord); got != 1 {
		t.Errorf("there is room for %d videos, want 1", got)
	}
	w.do(operator(), "grant <@1> videos:2")
	if got := w.room(annOnDiscord); got != 2 {
		t.Errorf("with an extra of the operator there is room for %d more, want 2", got)
	}
}

// Who is refused reads who can raise the limit.
func TestALimitSaysWhetherAnAdminCanRaiseIt(t *testing.T) {
	for name, test := range map[string]struct {
		raise bool
		line  string // of the operator
		want  map[quota.ScopeKind]bool
	}{
		"by default":               {false, "show", map[quota.ScopeKind]bool{quota.Member: false, quota.Team: true, quota.Bot: true}},
		"admins may raise":         {true, "show", map[quota.ScopeKind]bool{quota.Member: false, quota.Team: false, quota.Bot: true}},
		"a limit of the operator":  {true, "set team usd_per_month 9", map[quota.ScopeKind]bool{quota.Member: false, quota.Team: true, quota.Bot: true}},
		"a member's, by the same":  {false, "set <@1> usd_per_month 9", map[quota.ScopeKind]bool{quota.Member: true, quota.Team: true, quota.Bot: true}},
		"lowered by an admin":      {false, "admin", map[quota.ScopeKind]bool{quota.Member: false, quota.Team: false, quota.Bot: true}},
		"another limit of the two": {true, "set <@1> usd_per_day 9", map[quota.ScopeKind]bool{quota.Member: false, quota.Team: false, quota.Bot: true}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newOffice(t)
			w.policy.AdminsMayRaise = test.raise
			w.policy.Bot = quota.Limits{Windows: []quota.WindowLimit{{Window: quota.Month, USD: usd.Dollar}}}
			if test.line == "admin" {
				w.do(admin(), "set team usd_per_month 9")
			} else {
				w.do(operator(), test.line)
			}
			seen := 0
			for _, g := range w.do(member(annOnDiscord), "mine").Gauges {
				if g.Unit != quota.Dollars || g.Window != quota.Month {
					continue
				}
				seen++
				if g.Fixed != test.want[g.Scope.Kind] {
					t.Errorf("only the operator can raise the limit of the %s: %v", g.Scope.Kind, g.Fixed)
				}
			}
			if seen != 3 {
				t.Errorf("%d limits were looked at, want 3", seen)
			}
		})
	}
}

func TestATeamThatIsNotServedMakesNothing(t *testing.T) {
	w := newOffice(t)
	w.policy.Serves = func(team string) bool { return team == "globex" }
	_, err := w.policy.Plan("job1", quota.Asker{Team: "acme", Member: annOnDiscord}, usd.Dollar, w.clock.Now())(quota.AdminState{})
	var refused *quota.LimitError
	if !errors.As(err, &refused) || refused.Reason != quota.Unlisted || refused.Gauge.Scope.ID != "acme" {
		t.Errorf("got %v", err)
	}
	if _, err := w.policy.Plan("job1", quota.Asker{Team: "globex", Member: annOnDiscord}, usd.Dollar, time.Now())(quota.AdminState{}); err != nil {
		t.Errorf("a team that is served: %v", err)
	}
}
