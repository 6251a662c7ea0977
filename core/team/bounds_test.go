package team_test

import (
	"fmt"
	"testing"
	"time"

	"ltxbot/core/quota"
	"ltxbot/core/team"
	"ltxbot/core/usd"
)

// A limit over rolling time is 25 counters that every video of the team reads.
// Whoever adds the bot to a guild is its admin there: without a bound, a script
// of theirs would slow the bot down for everybody.
func TestAnAdminCannotDecideWithoutBound(t *testing.T) {
	for name, test := range map[string]struct {
		line string // with the number of the order
		most int
		kept func(quota.AdminState) int
	}{
		"limits of the team": {"set team videos_per_%dm 1000", 4, func(s quota.AdminState) int { return len(s.Team.Overrides) }},
		"limits of a member": {"set <@1> usd_per_%dm 1000", 4, func(s quota.AdminState) int { return len(s.Member.Overrides) }},
		"extras of a member": {"grant <@1> videos:%d", 50, func(s quota.AdminState) int { return len(s.Member.Grants) }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newOffice(t)
			for n := range test.most {
				w.do(admin(), fmt.Sprintf(test.line, 61+n))
			}
			w.refuse(admin(), fmt.Sprintf(test.line, 1000), team.TooMany)
			w.refuse(operator(), fmt.Sprintf(test.line, 1000), team.TooMany)
			s, err := w.store.AdminState(t.Context(), "acme", annOnDiscord)
			if err != nil {
				t.Fatal(err)
			}
			if got := test.kept(s); got != test.most {
				t.Errorf("%d are kept, want %d", got, test.most)
			}
		})
	}
}

func TestWhatIsThereIsChangedThoughThereIsNoRoomForMore(t *testing.T) {
	w := newOffice(t)
	for n := range 4 {
		w.do(admin(), fmt.Sprintf("set team videos_per_%dm 1000", 61+n))
	}
	w.do(admin(), "set team videos_per_61m 5")
	w.do(admin(), "set team usd_per_61m 5") // the same window
	w.do(admin(), "set team videos_per_week 5")
	w.refuse(admin(), "set team usd_per_7d 5", team.TooMany)
	w.do(admin(), "unset team videos_per_62m")
	w.do(admin(), "set team usd_per_7d 5")
}

// An extra that has expired or is used up covers nothing any more: it takes no
// room.
func TestAnExtraThatIsOverMakesRoomForAnother(t *testing.T) {
	w := newOffice(t)
	w.policy.Member = quota.Limits{Windows: []quota.WindowLimit{{Window: quota.Day, Videos: 1}}}
	for range 50 {
		w.do(admin(), "grant <@1> videos:1 expires:1h")
	}
	w.refuse(admin(), "grant <@1> videos:1", team.TooMany)
	for range 2 {
		if !w.reserve(annOnDiscord, usd.Dollar) {
			t.Fatal("an extra covers no video")
		}
	}
	w.do(admin(), "grant <@1> videos:1 expires:1h")
	w.refuse(admin(), "grant <@1> videos:1", team.TooMany)
	w.clock.Advance(2 * time.Hour)
	w.do(admin(), "grant <@1> videos:1")
}

// A platform repeats what it believes lost, and a recorded request can be sent
// again while its signature is good, also to the next process.
func TestAnEventGivesAnOrderOnce(t *testing.T) {
	w := newOffice(t)
	once := admin()
	once.Event = "discord:71"
	w.do(once, "grant <@1> videos:5")
	w.refuse(once, "grant <@1> videos:5", team.NothingToDo)
	w.clock.Advance(59 * time.Minute)
	w.refuse(once, "grant <@1> videos:5", team.NothingToDo)
	for range 2 {
		w.do(once, "show <@1>") // changes nothing
	}
	once.Event = "discord:72"
	w.do(once, "grant <@1> videos:5")
	if got := len(w.do(admin(), "show <@1>").Grants); got != 2 {
		t.Errorf("ann has %d extras, want 2", got)
	}
	w.clock.Advance(61 * time.Minute) // nobody repeats one so late, and its mark is gone
	w.do(once, "grant <@1> videos:5")
}
