package team_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ltxbot/core/quota"
	"ltxbot/core/quota/quotatest"
	"ltxbot/core/team"
	"ltxbot/core/usd"
)

// Wednesday noon, far from the end of anything.
var noon = time.Date(2026, time.March, 11, 12, 0, 0, 0, time.UTC)

// officeWorld is an office on a ledger in memory.
type officeWorld struct {
	*testing.T

	clock  *quotatest.Clock
	store  *quotatest.Memory
	office *team.Office
	policy quota.Policy
	jobs   int
}

const (
	annOnDiscord = "discord:1"
	annOnSlack   = "slack:T1:U1"
	bobOnDiscord = "discord:2"
	boss         = "discord:9"
)

// parseMember knows full names, and mentions and ids of Discord.
func parseMember(text, _ string) (string, bool) {
	if id := strings.Trim(text, "<@!>"); id != "" && strings.Trim(id, "0123456789") == "" {
		return "discord:" + id, true
	}
	_, _, ok := strings.Cut(text, ":")
	return text, ok
}

func newOffice(t *testing.T) *officeWorld {
	t.Helper()
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	w := &officeWorld{T: t, clock: quotatest.NewClock(noon)}
	w.store = quotatest.NewMemory(w.clock.Now)
	w.policy = quota.Policy{
		Member: quota.Limits{JobsAtATime: 2, Windows: []quota.WindowLimit{{Window: quota.Day, Videos: 3}, {Window: quota.Month, USD: 10 * usd.Dollar}}},
		Team:   quota.Limits{Windows: []quota.WindowLimit{{Window: quota.Month, USD: 200 * usd.Dollar}}},
		Tiers: []quota.Tier{{Name: "studio", Limits: quota.Limits{
			Windows: []quota.WindowLimit{{Window: quota.Day, Videos: 50}},
		}}},
		Teams: map[string]quota.TeamPolicy{"tokyo": {Zone: tokyo}},
	}
	w.office = team.NewOffice(team.OfficeConfig{
		Store:       w.store,
		Policy:      func() quota.Policy { return w.policy },
		ParseMember: parseMember,
		Models:      func(tiers []string) []string { return tiers },
		Tiers: func(_ context.Context, _, member string) []string {
			if member == "discord:77" {
				return []string{"studio"}
			}
			return nil
		},
		Linkable: func(team string) bool { return team == "acme" },
		Reload:   func(context.Context) ([]string, error) { return []string{"store.url"}, nil },
		Now:      w.clock.Now,
	})
	return w
}

func admin() team.Actor {
	return team.Actor{Member: boss, Team: "acme", Admin: true, From: "discord"}
}

func operator() team.Actor { return team.Actor{Team: "acme", Operator: true, From: "api"} }

func member(m string) team.Actor {
	from, _, _ := strings.Cut(m, ":")
	return team.Actor{Member: m, Team: "acme", From: from}
}

// order gives an order as it is typed.
func (w *officeWorld) order(a team.Actor, line string) (team.Report, error) {
	w.Helper()
	o, err := team.ParseOrder(strings.Fields(line))
	if err != nil {
		return team.Report{}, err
	}
	if a.Operator {
		o.Team = a.Team
	}
	return w.office.Do(w.Context(), a, o)
}

func (w *officeWorld) do(a team.Actor, line string) team.Report {
	w.Helper()
	r, err := w.order(a, line)
	if err != nil {
		w.Fatalf("%s: %v", line, err)
	}
	return r
}

// refuse gives an order that has a problem.
func (w *officeWorld) refuse(a team.Actor, line string, want team.OrderProblem) {
	w.Helper()
	_, err := w.order(a, line)
	var refused *team.OrderError
	if !errors.As(err, &refused) || refused.Problem != want {
		w.Errorf("%s: got error %v, want the problem %s", line, err, want)
	}
}

// reserve asks for a job and reports whether it is let in.
func (w *officeWorld) reserve(m string, cost usd.Micros) bool {
	w.Helper()
	w.jobs++
	job := fmt.Sprintf("job%d", w.jobs)
	account, _, err := w.office.Account(w.Context(), "acme", m)
	if err != nil {
		w.Fatal(err)
	}
	a := quota.Asker{Team: "acme", Member: account}
	_, err = w.store.Reserve(w.Context(), quota.Key{Job: job, Team: a.Team, Member: a.Member}, w.policy.Plan(job, a, cost, w.clock.Now()))
	var limit *quota.LimitError
	if err != nil && !errors.As(err, &limit) {
		w.Fatal(err)
	}
	return err == nil
}

// settle charges the newest job.
func (w *officeWorld) settle(charged usd.Micros) {
	w.Helper()
	if _, err := w.store.Bill(w.Context(), fmt.Sprintf("job%d", w.jobs), quota.Settle(charged), w.clock.Now()); err != nil {
		w.Fatal(err)
	}
}

// room is how many more videos a member may make, up to 20.
func (w *officeWorld) room(m string) int {
	w.Helper()
	n := 0
	for n < 20 && w.reserve(m, 1) {
		n++
	}
	return n
}

func TestWhoMayDoWhat(t *testing.T) {
	args := map[string]map[string]string{
		"set": {"who": annOnDiscord, "limit": "videos_per_day", "amount": "5"}, "unset": {"who": annOnDiscord, "limit": "all"},
		"grant": {"who": annOnDiscord, "videos": "1"}, "revoke": {"who": annOnDiscord}, "block": {"member": annOnDiscord},
		"unblock": {"member": annOnDiscord}, "reset": {"who": annOnDiscord},
	}
	for _, actor := range []struct {
		name string
		as   team.Actor
		team string // that the order names
		may  map[team.Audience]error
	}{
		{"a member", member(annOnDiscord), "", map[team.Audience]error{team.Admins: team.ErrNotAdmin, team.Operators: team.ErrNotOperator}},
		{"a member who names the own team", member(annOnDiscord), "acme", map[team.Audience]error{team.Admins: team.ErrNotAdmin, team.Operators: team.ErrNotOperator}},
		{"an admin", admin(), "", map[team.Audience]error{team.Operators: team.ErrNotOperator}},
		{"an admin who names another team", admin(), "globex", map[team.Audience]error{
			team.Everybody: team.ErrOtherTeam, team.Admins: team.ErrOtherTeam, team.Operators: team.ErrNotOperator,
		}},
		{"an operator", operator(), "acme", map[team.Audience]error{team.Everybody: &team.OrderError{Problem: team.UnknownVerb}}},
		{"an operator who names no team", operator(), "", map[team.Audience]error{
			team.Everybody: &team.OrderError{Problem: team.BadTeam}, team.Admins: &team.OrderError{Problem: team.BadTeam},
		}},
		{"somebody who calls himself the operator", team.Actor{Member: quota.Operator, Team: "acme"}, "", map[team.Audience]error{
			team.Admins: team.ErrNotAdmin, team.Operators: team.ErrNotOperator,
		}},
	} {
		t.Run(actor.name, func(t *testing.T) {
			for _, v := range team.Verbs() {
				w := newOffice(t)
				_, err := w.office.Do(t.Context(), actor.as, team.Order{Verb: v.Name, Team: actor.team, Args: args[v.Name]})
				want := actor.may[v.Who]
				var refused, wantRefused *team.OrderError
				switch {
				case errors.As(want, &wantRefused):
					if !errors.As(err, &refused) || refused.Problem != wantRefused.Problem {
						t.Errorf("%s: got %v, want the problem %s", v.Name, err, wantRefused.Problem)
					}
				case want != nil:
					if !errors.Is(err, want) {
						t.Errorf("%s: got %v, want %v", v.Name, err, want)
					}
				case err != nil && !errors.As(err, &refused):
					t.Errorf("%s: got %v", v.Name, err)
				}
				records, _ := w.store.Records(t.Context(), "acme", 10)
				if want != nil && len(records) > 0 {
					t.Errorf("%s was refused, and %d changes are in the log", v.Name, len(records))
				}
			}
		})
	}
}

// An admin's order about somebody who is in two teams changes one of them.
func TestAnAdminManagesTheOwnTeamOnly(t *testing.T) {
	w := newOffice(t)
	w.do(admin(), "block "+annOnDiscord+" spam")
	for team, blocked := range map[string]bool{"acme": true, "globex": false} {
		s, err := w.store.AdminState(t.Context(), team, annOnDiscord)
		if err != nil || (s.Member.Blocked != nil) != blocked {
			t.Errorf("in %s: got %+v, %v; want blocked %v", team, s.Member.Blocked, err, blocked)
		}
	}
}

func TestChangesAreMadeAndLogged(t *testing.T) {
	for _, test := range []struct {
		lines         []string // the last one is looked at
		before, after string
		reason        string
		room          int // of ann, afterwards
	}{
		{[]string{"set <@1> videos_per_day 5 because of the launch"}, "videos_per_day 3", "videos_per_day 5", "because of the launch", 5},
		{[]string{"set 1 videos/day 1"}, "videos_per_day 3", "videos_per_day 1", "", 1},
		{[]string{"set discord:1 videos_per_day none"}, "videos_per_day 3", "videos_per_day none", "", 20},
		{[]string{"set <@!1> usd_per_month $2.5"}, "usd_per_month 10.00", "usd_per_month 2.50", "", 3},
		{[]string{"set who=team limit=videos_per_week amount=2"}, "videos_per_week none", "videos_per_week 2", "", 2},
		{[]string{"set <@1> videos_per_6h 1"}, "videos_per_6h0m0s none", "videos_per_6h0m0s 1", "", 1},
		{[]string{"set <@1> jobs 7"}, "jobs_at_a_time 2", "jobs_at_a_time 7", "", 3},
		{[]string{"set discord:77 videos_per_day 4"}, "videos_per_day 50", "videos_per_day 4", "", 3},
		{[]string{"set <@1> videos_per_day 5", "set <@1> videos_per_day 6"}, "videos_per_day 5", "videos_per_day 6", "", 6},
		{[]string{"set <@1> videos_per_day 5", "unset <@1> videos_per_day"}, "videos_per_day 5", "videos_per_day 3", "", 3},
		{[]string{"set <@1> videos_per_day 1", "set <@1> jobs 9", "unset <@1> all"}, "videos_per_day 1, jobs_at_a_time 9", "videos_per_day 3, jobs_at_a_time 2", "", 3},
		{[]string{"grant <@1> videos:5 expires:7d reason:sorry for yesterday"}, "", "5 videos until 2026-03-18 12:00 UTC", "sorry for yesterday", 8},
		{[]string{"grant <@1> videos:2 usd:0.5"}, "", "2 videos and $0.50", "", 5},
		{[]string{"grant <@1> usd:20 expires:2026-03-31"}, "", "$20.00 until 2026-04-01 00:00 UTC", "", 3},
		{[]string{"grant <@1> videos:2", "revoke <@1> a mistake"}, "2 videos", "", "a mistake", 3},
		{[]string{"grant <@1> videos:1"}, "", "1 video", "", 4},
		{[]string{"block <@1> spam"}, "", "stopped", "spam", 0},
		{[]string{"block <@1>", "unblock <@1>"}, "stopped", "", "", 3},
		{[]string{"pause reason:over budget"}, "", "stopped", "over budget", 0},
		{[]string{"pause over budget", "resume"}, "stopped: over budget", "", "", 3},
		{[]string{"pause", "resume"}, "stopped", "", "", 3},
	} {
		t.Run(strings.Join(test.lines, ", "), func(t *testing.T) {
			w := newOffice(t)
			var r team.Report
			for _, line := range test.lines {
				r = w.do(admin(), line)
			}
			verb, _, _ := strings.Cut(test.lines[len(test.lines)-1], " ")
			want := team.Record{At: noon, Team: "acme", Member: r.Member, By: boss, From: "discord", Verb: verb, Before: test.before, After: test.after, Reason: test.reason}
			if r.Change == nil {
				t.Fatal("the report names no change")
			}
			want.ID = r.Change.ID
			if diff := cmp.Diff(want, *r.Change); diff != "" {
				t.Errorf("change (-want +got):\n%s", diff)
			}
			log := w.do(admin(), "log").Records
			if len(log) != len(test.lines) || !cmp.Equal(log[0], want) {
				t.Errorf("log: got %+v, want %d records, the newest as in the report", log, len(test.lines))
			}
			if got := w.room(annOnDiscord); got != test.room {
				t.Errorf("then there is room for %d videos, want %d", got, test.room)
			}
		})
	}
}

func TestResetStartsOver(t *testing.T) {
	w := newOffice(t)
	w.reserve(annOnDiscord, 2*usd.Dollar)
	w.settle(usd.Dollar)
	if got := w.room(annOnDiscord); got != 2 {
		t.Fatalf("got room for %d, want 2", got)
	}
	r := w.do(admin(), "reset <@1> the meter was wrong")
	if r.Change.Before != "3 videos and $1.000002 in the month" || r.Change.After != "0" {
		t.Errorf("the log says from %q to %q", r.Change.Before, r.Change.After)
	}
	if got := w.room(annOnDiscord); got != 3 {
		t.Errorf("after the reset there is room for %d, want 3", got)
	}
	spent := w.do(admin(), "show <@1>").Spending
	if spent.Charged != usd.Dollar {
		t.Errorf("what was spent is %v after a reset, want it unchanged", spent)
	}
	quotatest.CheckLedger(t, w.store)
}

func TestShowSaysHowAMemberStands(t *testing.T) {
	w := newOffice(t)
	w.do(admin(), "grant <@77> videos:2 usd:1")
	w.do(admin(), "grant <@77> videos:1 expires:1h")
	w.clock.Advance(2 * time.Hour)
	w.reserve("discord:77", usd.Dollar)
	r := w.do(admin(), "show <@77>")
	if r.Member != "discord:77" || len(r.Grants) != 1 || r.Grants[0].UsedVideos != 0 {
		t.Errorf("got member %s with extras %+v, want discord:77 with the one that has not expired", r.Member, r.Grants)
	}
	day := func(gauges []quota.Gauge, kind quota.ScopeKind, u quota.Unit, window quota.Window) quota.Gauge {
		for _, g := range gauges {
			if g.Scope.Kind == kind && g.Unit == u && g.Window == window {
				return g
			}
		}
		t.Fatalf("no gauge of the %s", kind)
		return quota.Gauge{}
	}
	if g := day(r.Gauges, quota.Member, quota.Videos, quota.Day); g.Used != 1 || g.Max != 50 {
		t.Errorf("got %d of %d videos today, want 1 of 50 of the tier", g.Used, g.Max)
	}
	team := w.do(admin(), "show")
	if g := day(team.Gauges, quota.Team, quota.Dollars, quota.Month); g.Used != int64(usd.Dollar) {
		t.Errorf("the team has used %d, want a dollar", g.Used)
	}
	for _, g := range team.Gauges {
		if g.Scope.Kind == quota.Member {
			t.Errorf("the team's report has a limit of a member: %+v", g)
		}
	}
	asking := member("discord:77")
	asking.Tiers = []string{"studio"}
	if mine := w.do(asking, "mine"); !mine.Self || !slices.Equal(mine.Models, asking.Tiers) || team.Models != nil || day(mine.Gauges, quota.Member, quota.Videos, quota.Day).Max != 50 {
		t.Errorf("what a member sees of itself: %+v", mine)
	}
}

func TestTopExportAndLog(t *testing.T) {
	w := newOffice(t)
	w.clock.Set(time.Date(2026, time.February, 28, 23, 0, 0, 0, time.UTC))
	w.reserve(bobOnDiscord, 2*usd.Dollar)
	w.settle(3 * usd.Dollar)
	w.clock.Set(noon)
	w.reserve(annOnDiscord, usd.Dollar)
	w.settle(900_000)
	w.reserve(bobOnDiscord, usd.Dollar)
	w.settle(1_250_000)
	w.reserve(bobOnDiscord, usd.Dollar)
	if _, err := w.store.Bill(t.Context(), "job4", quota.Release(), noon); err != nil {
		t.Fatal(err)
	}
	r := w.do(admin(), "top")
	want := []team.MemberSpending{
		{Member: bobOnDiscord, Spending: team.Spending{Videos: 1, Estimate: usd.Dollar, Charged: 1_250_000}},
		{Member: annOnDiscord, Spending: team.Spending{Videos: 1, Estimate: usd.Dollar, Charged: 900_000}},
	}
	if diff := cmp.Diff(want, r.Members); diff != "" || r.Month != "2026-03" {
		t.Errorf("top of %s (-want +got):\n%s", r.Month, diff)
	}
	if got := r.Spending.Deviation(); got < 0.0749 || got > 0.0751 {
		t.Errorf("the estimate is off by %v, want 0.075", got)
	}
	var table strings.Builder
	if err := team.WriteCSV(&table, w.do(admin(), "export last").Holds); err != nil {
		t.Fatal(err)
	}
	const february = "asked_at,job,member,state,estimated_usd,charged_usd,closed_at\n" +
		"2026-02-28T23:00:00Z,job1,discord:2,settled,2.00,3.00,2026-02-28T23:00:00Z\n"
	if diff := cmp.Diff(february, table.String()); diff != "" {
		t.Errorf("CSV (-want +got):\n%s", diff)
	}
	if got := len(w.do(admin(), "export 2026-03").Holds); got != 3 {
		t.Errorf("March has %d jobs, want 3 with the one that was given back", got)
	}
	// In Tokyo, the last hour of February in UTC is in March.
	if got := w.do(team.Actor{Operator: true, Team: "tokyo"}, "export 2026-03").Month; got != "2026-03" {
		t.Errorf("got month %s", got)
	}

	w.do(admin(), "block <@1>")
	w.do(admin(), "pause")
	if got := len(w.do(admin(), "log").Records); got != 2 {
		t.Errorf("the log has %d records, want 2", got)
	}
	if got := w.do(admin(), "log <@1>").Records; len(got) != 1 || got[0].Verb != "block" {
		t.Errorf("the log about a member: %+v", got)
	}
}

func TestOrdersThatCannotBeCarriedOut(t *testing.T) {
	w := newOffice(t)
	for line, want := range map[string]team.OrderProblem{
		"":                              team.NoVerb,
		"bloc <@1>":                     team.UnknownVerb,
		"set":                           team.Missing,
		"set <@1> videos_per_day":       team.Missing,
		"block":                         team.Missing,
		"block team":                    team.BadMember,
		"block everyone":                team.BadMember,
		"block U123":                    team.BadMember, // of Slack, typed on Discord: which workspace?
		"set <@1> videos_per_year 5":    team.BadLimit,
		"set <@1> money 5":              team.BadLimit,
		"set <@1> all 5":                team.BadLimit,
		"set <@1> videos_per_day 0":     team.BadAmount,
		"set <@1> videos_per_day -3":    team.BadAmount,
		"set <@1> videos_per_day 2.5":   team.BadAmount,
		"set <@1> usd_per_day lots":     team.BadAmount,
		"set <@1> usd_per_day 9999999":  team.BadAmount,
		"grant <@1>":                    team.NothingGiven,
		"grant <@1> because":            team.NothingGiven,
		"grant <@1> videos:many":        team.BadNumber,
		"grant <@1> usd:-1":             team.BadMoney,
		"grant <@1> usd:1 expires:soon": team.BadUntil,
		"grant <@1> usd:1 expires:0h":   team.BadUntil,
		"grant <@1> usd:1 videos:1 expires:2026-03-10": team.BadUntil,
		"grant <@1> usd:1 usd:2":                       team.GivenTwice,
		"unblock <@1>":                                 team.NothingToDo,
		"unset <@1> all":                               team.NothingToDo,
		"revoke team":                                  team.NothingToDo,
		"resume":                                       team.NothingToDo,
		"resume now":                                   team.TooMuch,
		"top yesterday":                                team.BadMonth,
		"export 2026-13":                               team.BadMonth,
		"show nobody":                                  team.BadMember,
	} {
		w.refuse(admin(), line, want)
	}
	if got := len(w.do(admin(), "log").Records); got != 0 {
		t.Errorf("%d changes are in the log, want none", got)
	}
	_, err := w.office.Do(t.Context(), admin(), team.Order{Verb: "pause", Args: map[string]string{"colour": "red"}})
	refused, ok := errors.AsType[*team.OrderError](err)
	if !ok || refused.Problem != team.UnknownArg {
		t.Errorf("an argument that the verb does not take: got %v", err)
	}
	if _, err := team.ParseOrder([]string{"bloc"}); err == nil || !strings.Contains(err.Error(), "did you mean block?") {
		t.Errorf("a slip of the finger: got %v", err)
	}
	for word, want := range map[string]string{"give": "grant", "Ban": "block"} {
		if _, err := team.ParseOrder([]string{word}); err == nil || !strings.Contains(err.Error(), "did you mean "+want+"?") {
			t.Errorf("%s: got %v", word, err)
		}
	}
	for limit, want := range map[string]string{"videos_per_dya": "videos_per_day", "usd_per_mont": "usd_per_month", "job_at_a_time": "jobs_at_a_time", "money": ""} {
		_, err := w.office.Do(t.Context(), admin(), team.Order{Verb: "set", Args: map[string]string{"who": "team", "limit": limit, "amount": "5"}})
		if refused, ok := errors.AsType[*team.OrderError](err); !ok || refused.Problem != team.BadLimit || refused.Nearest != want {
			t.Errorf("%s: got %v, want the nearest %q", limit, err, want)
		}
	}
	for _, p := range team.OrderProblems {
		text := (&team.OrderError{Problem: p, Verb: "set", Arg: "who", Value: "x"}).Error()
		if strings.Contains(text, "%!") || len(text) < 5 {
			t.Errorf("%s reads %q", p, text)
		}
	}
}

func FuzzParseOrder(f *testing.F) {
	for _, line := range []string{"grant <@1> videos:5 expires:7d reason:a b", "set team usd/month none", "show", "--", "set :=:"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		o, err := team.ParseOrder(strings.Fields(line))
		if err != nil {
			if _, ok := errors.AsType[*team.OrderError](err); !ok {
				t.Fatalf("got %v", err)
			}
			return
		}
		if _, ok := team.FindVerb(o.Verb); !ok {
			t.Fatalf("there is no verb %q", o.Verb)
		}
	})
}

func TestWhatIsTakenBackIsWhatWasLeft(t *testing.T) {
	for _, tt := range []struct {
		name, grants string
		videos       int // reserved after the limit of three is used up
		wait         time.Duration
		want         string
	}{
		{"nothing was used", "videos:5", 0, 0, "5 videos"},
		{"one of five was used", "videos:5", 1, 0, "4 of 5 videos"},
		{"all but one was used", "videos:5 expires:7d", 4, 0, "1 of 5 videos until 2026-03-18 12:00 UTC"},
		{"all was used", "videos:2", 2, 0, ""},
		{"it was over", "videos:2 expires:2h", 0, 3 * time.Hour, ""},
		{"an amount was used", "usd:20", 0, 0, "$20.00"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newOffice(t)
			for range 3 {
				w.reserve(annOnDiscord, 1)
			}
			w.do(admin(), "grant "+annOnDiscord+" "+tt.grants)
			for range tt.videos {
				if !w.reserve(annOnDiscord, 1) {
					t.Fatal("the extra is not there")
				}
			}
			w.clock.Advance(tt.wait)
			r := w.do(admin(), "revoke "+annOnDiscord)
			if r.Change.Before != tt.want {
				t.Errorf("taken back: %q, want %q", r.Change.Before, tt.want)
			}
		})
	}
}
