package bolt_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
)

// With one slot for all teams, a team with twenty jobs does not hold up
// another one: they take turns.
func TestTeamsTakeTurnsUnderTheLimitOfTheBot(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "ltx.db"), time.Now)
	defer s.Close()
	policy := quota.Policy{Bot: quota.Limits{JobsAtATime: 1}, Waiting: 50}
	ask := func(team, member string, n int) {
		t.Helper()
		for range n {
			id := generate.NewID(fmt.Sprint(team, member, n, time.Now().UnixNano()))
			j := generate.Job{ID: id, State: generate.Accepted, Team: team, Member: member, Created: time.Now()}
			if _, err := s.Accept(t.Context(), j, policy.Plan(id, quota.Asker{Team: team, Member: member}, 1, time.Now())); err != nil {
				t.Fatal(err)
			}
		}
	}
	ask("acme", "discord:1", 20)
	ask("globex", "slack:T1:U1", 3)
	var order strings.Builder
	for range 8 {
		jobs, err := s.Jobs(t.Context(), generate.Query{Unfinished: true})
		if err != nil {
			t.Fatal(err)
		}
		running := 0
		for _, j := range jobs {
			if !j.HoldsSlot() {
				continue
			}
			running++
			order.WriteString(j.Team[:1])
			j.State, j.Finished = generate.Failed, time.Now()
			if _, err := s.Save(t.Context(), j, quota.Release()); err != nil {
				t.Fatal(err)
			}
		}
		if running != 1 {
			t.Fatalf("%d jobs have the one slot", running)
		}
	}
	if want := "agagagaa"; order.String() != want {
		t.Errorf("admitted in the order %s, want %s", order.String(), want)
	}
}
