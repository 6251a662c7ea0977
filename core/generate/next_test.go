package generate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ltxbot/core/generate"
	"ltxbot/core/generate/generatetest"
	"ltxbot/core/quota"
)

// inLine makes jobs of team acme that wait in the order given: "a1 a2 b1" are
// two jobs of member a and one of b. "t/a1" is one of team t.
func inLine(text string, limits quota.Line) []generate.Job {
	var jobs []generate.Job
	for i, id := range strings.Fields(text) {
		j := generate.Job{ID: id, State: generate.Accepted, Team: "acme", Line: limits}
		if team, rest, ok := strings.Cut(id, "/"); ok {
			j.Team, id = team, rest
		}
		j.Member = id[:1]
		j.Line.Seq = int64(i + 1)
		jobs = append(jobs, j)
	}
	return jobs
}

func ids(jobs []generate.Job) string {
	var out []string
	for _, j := range jobs {
		out = append(out, j.ID)
	}
	return strings.Join(out, " ")
}

func TestNext(t *testing.T) {
	for _, test := range []struct {
		name             string
		limits           quota.Line
		waiting, running string
		served           string // members of acme, the first one served longest ago
		want             string
	}{
		{name: "nobody waits", running: "a1"},
		{name: "without limits all go", waiting: "a1 a2 b1", want: "a1 b1 a2"},
		{name: "first come, first served within a member", limits: quota.Line{MemberMax: 1}, waiting: "a1 a2", want: "a1"},
		{name: "a member at its limit waits", limits: quota.Line{MemberMax: 2}, waiting: "a3 b1", running: "a1 a2", want: "b1"},
		{name: "a team at its limit waits", limits: quota.Line{TeamMax: 2}, waiting: "c1", running: "a1 b1"},
		{name: "another team does not", limits: quota.Line{TeamMax: 2}, waiting: "c1 t/a1", running: "a1 b1", want: "t/a1"},
		{name: "the bot at its limit holds up all", limits: quota.Line{BotMax: 2}, waiting: "c1 t/a1", running: "a1 b1"},
		{name: "who was served longest ago comes first", limits: quota.Line{TeamMax: 1}, waiting: "a1 b1 c1", served: "b c a", want: "b1"},
		{name: "who was never served comes before", limits: quota.Line{TeamMax: 1}, waiting: "a1 b1 c1", served: "a b", want: "c1"},
		{name: "of two never served the first to come", limits: quota.Line{TeamMax: 1}, waiting: "a1 c1 b1", served: "a", want: "c1"},
		{name: "members take turns", limits: quota.Line{TeamMax: 5}, waiting: "a1 a2 a3 a4 b1 b2 c1", want: "a1 b1 c1 a2 b2"},
		{name: "one with twenty jobs starves nobody", limits: quota.Line{TeamMax: 2}, waiting: "a2 a3 a4 a5 a6 a7 a8 a9 b1", running: "a1", served: "a", want: "b1"},
		{name: "the same name in two teams is two members", limits: quota.Line{MemberMax: 1}, waiting: "t/a1 a2", running: "a1", served: "a", want: "t/a1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			served := map[string]int64{}
			for i, m := range strings.Fields(test.served) {
				served["acme\x00"+m] = int64(i + 1)
			}
			before := len(served)
			got := generatetest.Next(inLine(test.waiting, test.limits), inLine(test.running, test.limits), served)
			if ids(got) != test.want {
				t.Errorf("got %q, want %q", ids(got), test.want)
			}
			if len(served) != before {
				t.Error("Next changed what it was given")
			}
		})
	}
}

// Whatever waits and runs: no limit is passed, nobody who has room is left
// waiting, and choosing again chooses nobody.
func TestNextFillsTheSlotsAndNoMore(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seq := int64(0)
		draw := func(label string) []generate.Job {
			return rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) generate.Job {
				seq++
				return generate.Job{
					ID:     fmt.Sprintf("job%d", seq),
					Team:   rapid.SampledFrom([]string{"acme", "globex"}).Draw(rt, "team"),
					Member: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "member"),
					Line: quota.Line{
						MemberMax: rapid.IntRange(0, 3).Draw(rt, "member max"), TeamMax: rapid.IntRange(0, 5).Draw(rt, "team max"),
						BotMax: rapid.IntRange(0, 8).Draw(rt, "bot max"), Seq: seq,
					},
				}
			}), 0, 12).Draw(rt, label)
		}
		waiting, running := draw("waiting"), draw("running")
		served := map[string]int64{"acme\x00a": 2, "globex\x00b": 1}
		for _, j := range generatetest.Next(waiting, running, served) {
			if !room(j, running) {
				rt.Fatalf("%s was admitted without room", j.ID)
			}
			running = append(running, j)
			waiting = slices.DeleteFunc(waiting, func(o generate.Job) bool { return o.ID == j.ID })
		}
		for _, j := range waiting {
			if room(j, running) {
				rt.Fatalf("%s has room and waits", j.ID)
			}
		}
		if again := generatetest.Next(waiting, running, served); len(again) != 0 {
			rt.Fatalf("chosen the second time: %s", ids(again))
		}
	})
}

// room reports whether j has a free slot beside the jobs that run.
func room(j generate.Job, running []generate.Job) bool {
	var member, team int
	for _, r := range running {
		if r.Team == j.Team {
			team++
			if r.Member == j.Member {
				member++
			}
		}
	}
	fits := func(n, limit int) bool { return limit == 0 || n < limit }
	return fits(member, j.Line.MemberMax) && fits(team, j.Line.TeamMax) && fits(len(running), j.Line.BotMax)
}
