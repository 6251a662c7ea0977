package quota_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ltxbot/core/quota"
	"ltxbot/core/usd"
)

// at is when the tests of this package happen.
var at = time.Date(2026, time.March, 11, 12, 0, 0, 0, time.UTC)

// ann is who asks.
var ann = quota.Asker{Team: "acme", Member: "discord:1"}

func windows(l ...quota.WindowLimit) []quota.WindowLimit { return l }

func TestMemberLimitsAreTheMostGenerous(t *testing.T) {
	policy := quota.Policy{
		Member: quota.Limits{JobsAtATime: 2, Windows: windows(
			quota.WindowLimit{Window: quota.Day, Videos: 10},
			quota.WindowLimit{Window: quota.Month, USD: 10 * usd.Dollar},
		)},
		Tiers: []quota.Tier{
			{Name: "studio", Limits: quota.Limits{JobsAtATime: 5, Windows: windows(
				quota.WindowLimit{Window: quota.Day, Videos: 100},
				quota.WindowLimit{Window: quota.Month, USD: 5 * usd.Dollar},
				quota.WindowLimit{Window: quota.Week, Videos: 1},
			)}},
			{Name: "interns", Limits: quota.Limits{JobsAtATime: 1, Windows: windows(
				quota.WindowLimit{Window: quota.Day, Videos: 3},
				quota.WindowLimit{Window: quota.Month, USD: 20 * usd.Dollar},
			)}},
			{Name: "unlimited"},
		},
	}
	override := func(u quota.Unit, w quota.Window, n int64) quota.Override {
		return quota.Override{Unit: u, Window: w, Max: n}
	}
	for _, test := range []struct {
		name      string
		tiers     []string
		overrides []quota.Override
		want      quota.Limits
	}{
		{"no tier has the default", nil, nil, policy.Member},
		{"an unknown tier changes nothing", []string{"ghosts"}, nil, policy.Member},
		{
			"a tier raises what it has more of",
			[]string{"studio"},
			nil,
			quota.Limits{JobsAtATime: 5, Windows: windows(
				quota.WindowLimit{Window: quota.Day, Videos: 100},
				quota.WindowLimit{Window: quota.Month, USD: 10 * usd.Dollar},
			)},
		},
		{
			"of two tiers each limit is the larger",
			[]string{"interns", "studio"},
			nil,
			quota.Limits{JobsAtATime: 5, Windows: windows(
				quota.WindowLimit{Window: quota.Day, Videos: 100},
				quota.WindowLimit{Window: quota.Month, USD: 20 * usd.Dollar},
			)},
		},
		{
			"no limit is the largest",
			[]string{"interns", "unlimited"},
			nil,
			quota.Limits{Windows: windows(quota.WindowLimit{Window: quota.Day}, quota.WindowLimit{Window: quota.Month})},
		},
		{
			"an override lowers as well",
			[]string{"studio"},
			[]quota.Override{override(quota.Videos, quota.Day, 4), override(quota.Jobs, "", 1), override(quota.Dollars, quota.Week, 7)},
			quota.Limits{JobsAtATime: 1, Windows: windows(
				quota.WindowLimit{Window: quota.Day, Videos: 4},
				quota.WindowLimit{Window: quota.Month, USD: 10 * usd.Dollar},
				quota.WindowLimit{Window: quota.Week, USD: 7},
			)},
		},
		{
			"an override of zero is no limit", nil,
			[]quota.Override{override(quota.Videos, quota.Day, 0)},
			quota.Limits{JobsAtATime: 2, Windows: windows(
				quota.WindowLimit{Window: quota.Day},
				quota.WindowLimit{Window: quota.Month, USD: 10 * usd.Dollar},
			)},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := ann
			a.Tiers = test.tiers
			got := policy.MemberLimits(a, quota.AdminState{Member: quota.MemberState{Overrides: test.overrides}})
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("limits (-want +got):\n%s", diff)
			}
		})
	}
	if policy.Member.Windows[0].Videos != 10 {
		t.Error("an override changed the policy itself")
	}
}

func TestTeamLimitsAreTheTeamsOwn(t *testing.T) {
	own := quota.Limits{JobsAtATime: 3}
	policy := quota.Policy{
		Team:  quota.Limits{JobsAtATime: 10, Windows: windows(quota.WindowLimit{Window: quota.Month, USD: 200 * usd.Dollar})},
		Teams: map[string]quota.TeamPolicy{"acme": {Limits: &own}, "globex": {}},
	}
	raised := quota.AdminState{Team: quota.TeamState{Overrides: []quota.Override{{Unit: quota.Jobs, Max: 4, By: quota.Operator}}}}
	for _, test := range []struct {
		team  string
		state quota.AdminState
		want  quota.Limits
	}{
		{"acme", quota.AdminState{}, own},
		{"acme", raised, quota.Limits{JobsAtATime: 4}},
		{"globex", quota.AdminState{}, policy.Team},
		{"initech", quota.AdminState{}, policy.Team},
	} {
		if diff := cmp.Diff(test.want, policy.TeamLimits(test.team, test.state)); diff != "" {
			t.Errorf("limits of %s (-want +got):\n%s", test.team, diff)
		}
	}
}

func TestPlanAsksForRoomEverywhere(t *testing.T) {
	tokyo := zone(t, "Asia/Tokyo")
	policy := quota.Policy{
		Member:  quota.Limits{JobsAtATime: 2, Windows: windows(quota.WindowLimit{Window: "24h0m0s", Videos: 3}, quota.WindowLimit{Window: quota.Day, Videos: 10})},
		Team:    quota.Limits{JobsAtATime: 10, Windows: windows(quota.WindowLimit{Window: quota.Month, USD: 200 * usd.Dollar})},
		Bot:     quota.Limits{JobsAtATime: 50},
		Waiting: 5,
		Teams:   map[string]quota.TeamPolicy{"acme": {Zone: tokyo}},
	}
	state := quota.AdminState{
		Member: quota.MemberState{Grants: []quota.Grant{{ID: "mine", Videos: 1, By: "discord:9"}}},
		Team:   quota.TeamState{Grants: []quota.Grant{{ID: "ours", USD: 1, By: quota.Operator}}},
	}
	r, err := policy.Plan("job1", ann, 130_000, at.Add(4*time.Hour))(state)
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		Kind    quota.ScopeKind
		Counter string
		Max     int64
		Add     int64
	}
	var got []row
	for _, c := range r.Counts {
		if len(c.Also) == 0 {
			got = append(got, row{c.Scope.Kind, c.Counter, c.Max, c.Add})
		}
	}
	want := []row{
		// It is tomorrow in Tokyo; the bot's own day is still today.
		{quota.Member, "videos/day/2026-03-12", 10, 1},
		{quota.Member, "usd/day/2026-03-12", 0, 130_000},
		{quota.Member, "videos/week/2026-03-09", 0, 1},
		{quota.Member, "usd/week/2026-03-09", 0, 130_000},
		{quota.Member, "videos/month/2026-03-01", 0, 1},
		{quota.Member, "usd/month/2026-03-01", 0, 130_000},
		{quota.Team, "videos/day/2026-03-12", 0, 1},
		{quota.Team, "usd/day/2026-03-12", 0, 130_000},
		{quota.Team, "videos/week/2026-03-09", 0, 1},
		{quota.Team, "usd/week/2026-03-09", 0, 130_000},
		{quota.Team, "videos/month/2026-03-01", 0, 1},
		{quota.Team, "usd/month/2026-03-01", 200_000_000, 130_000},
		{quota.Bot, "videos/day/2026-03-11", 0, 1},
		{quota.Bot, "usd/day/2026-03-11", 0, 130_000},
		{quota.Bot, "videos/week/2026-03-09", 0, 1},
		{quota.Bot, "usd/week/2026-03-09", 0, 130_000},
		{quota.Bot, "videos/month/2026-03-01", 0, 1},
		{quota.Bot, "usd/month/2026-03-01", 0, 130_000},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("calendar counts (-want +got):\n%s", diff)
	}
	if rolling := len(r.Counts) - len(got); rolling != 2 {
		t.Errorf("got %d counts of the rolling window, want 2: videos and dollars", rolling)
	}
	if want := (quota.Line{MemberMax: 2, TeamMax: 10, BotMax: 50, WaitingMax: 5}); r.Line != want {
		t.Errorf("line: got %+v, want %+v", r.Line, want)
	}
	if len(r.Grants) != 2 || r.Grants[0].ID != "mine" || r.Grants[1].ID != "ours" {
		t.Errorf("grants: got %+v, want the member's before the team's", r.Grants)
	}
	if r.Job != "job1" || r.Team != "acme" || r.Member != "discord:1" || r.Estimate != 130_000 || !r.At.Equal(at.Add(4*time.Hour)) {
		t.Errorf("reservation is for %+v", r)
	}
}

func TestPlanRefusesWhoIsStopped(t *testing.T) {
	block, pause := quota.Block{By: "discord:9", At: at, Reason: "spam"}, quota.Block{By: "slack:T1:U1", At: at}
	for _, test := range []struct {
		name  string
		state quota.AdminState
		want  quota.LimitError
	}{
		{"a blocked member", quota.AdminState{Member: quota.MemberState{Blocked: &block}}, quota.LimitError{Reason: quota.Blocked, Block: block}},
		{"a paused team", quota.AdminState{Team: quota.TeamState{Paused: &pause}}, quota.LimitError{Reason: quota.Paused, Block: pause}},
		{
			"a blocked member of a paused team",
			quota.AdminState{Member: quota.MemberState{Blocked: &block}, Team: quota.TeamState{Paused: &pause}},
			quota.LimitError{Reason: quota.Paused, Block: pause},
		},
	} {
		_, err := quota.Policy{}.Plan("job1", ann, 1, at)(test.state)
		var limit *quota.LimitError
		if !errors.As(err, &limit) {
			t.Errorf("%s: got error %v, want a refusal", test.name, err)
			continue
		}
		if diff := cmp.Diff(test.want, *limit); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestLimitErrorSaysWhichLimit(t *testing.T) {
	member := quota.Scope{Kind: quota.Member, ID: "discord:1"}
	for _, test := range []struct {
		err  quota.LimitError
		text string
		left int64
	}{
		{
			quota.LimitError{Reason: quota.OverLimit, Gauge: quota.Gauge{Scope: member, Unit: quota.Videos, Window: quota.Day, Used: 10, Max: 10}, Need: 1},
			"quota: member has used 10 of 10 videos this day", 0,
		},
		{
			quota.LimitError{Reason: quota.OverLimit, Gauge: quota.Gauge{Scope: quota.Scope{Kind: quota.Team, ID: "acme"}, Unit: quota.Dollars, Window: quota.Month, Used: 199_900_000, Max: 200_000_000}, Need: 130_000},
			"quota: team has used $199.90 of $200.00 this month, needs $0.13", 100_000,
		},
		{
			// Settled for more than was held.
			quota.LimitError{Reason: quota.OverLimit, Gauge: quota.Gauge{Scope: quota.Scope{Kind: quota.Bot}, Unit: quota.Dollars, Window: quota.Day, Used: 1_200_000, Max: 1_000_000}, Need: 10_000},
			"quota: bot has used $1.20 of $1.00 this day, needs $0.01", 0,
		},
		{quota.LimitError{Reason: quota.LineFull, Line: 5}, "quota: line_full", 0},
		{quota.LimitError{Reason: quota.Blocked}, "quota: blocked", 0},
	} {
		if got := test.err.Error(); got != test.text {
			t.Errorf("got %q, want %q", got, test.text)
		}
		if got := test.err.Left(); got != test.left {
			t.Errorf("%s: %d left, want %d", test.text, got, test.left)
		}
	}
}
