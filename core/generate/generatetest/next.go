package generatetest

import "ltxbot/core/generate"

// Next chooses which of the waiting jobs are admitted, in order, given the
// jobs that hold a slot. It is the rule that every store follows: a member
// who was served longest ago comes first, so that nobody with twenty jobs
// starves another; within a member, first come is first served.
//
// served is the order in which members were last admitted; 0 is never.
func Next(waiting, running []generate.Job, served map[string]int64) []generate.Job {
	byMember, byTeam := map[string]int{}, map[string]int{}
	for _, j := range running {
		byMember[j.Team+"\x00"+j.Member]++
		byTeam[j.Team]++
	}
	total := len(running)
	last := map[string]int64{}
	var turn int64
	for m, n := range served {
		last[m] = n
		turn = max(turn, n)
	}
	taken := map[string]bool{}
	var out []generate.Job
	for {
		best := -1
		for i, j := range waiting {
			m := j.Team + "\x00" + j.Member
			if taken[j.ID] ||
				full(byMember[m], j.Line.MemberMax) || full(byTeam[j.Team], j.Line.TeamMax) || full(total, j.Line.BotMax) {
				continue
			}
			if best < 0 {
				best = i
				continue
			}
			b := waiting[best]
			mine, theirs := last[m], last[b.Team+"\x00"+b.Member]
			if mine < theirs || mine == theirs && j.Line.Seq < b.Line.Seq {
				best = i
			}
		}
		if best < 0 {
			return out
		}
		j := waiting[best]
		m := j.Team + "\x00" + j.Member
		taken[j.ID] = true
		byMember[m]++
		byTeam[j.Team]++
		total++
		turn++
		last[m] = turn
		out = append(out, j)
	}
}

func full(n, limit int) bool { return limit > 0 && n >= limit }
