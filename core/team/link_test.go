package team_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"ltxbot/core/quota"
	"ltxbot/core/team"
)

// linkAnn makes ann's account on Slack share the limits of the one on Discord.
func (w *officeWorld) linkAnn() {
	w.Helper()
	code := w.do(member(annOnDiscord), "link").Code
	if r := w.do(member(annOnSlack), "link "+code); r.Member != annOnDiscord {
		w.Fatalf("linked with %s, want %s", r.Member, annOnDiscord)
	}
}

func TestWhoIsBlockedIsSoUnderEachOfTheirNames(t *testing.T) {
	w := newOffice(t)
	w.linkAnn()
	w.do(admin(), "block "+annOnSlack+" spam")
	for _, m := range []string{annOnDiscord, annOnSlack} {
		if b, err := w.office.Blocked(t.Context(), "acme", m); err != nil || b == nil || b.Reason != "spam" {
			t.Errorf("%s: %+v, %v", m, b, err)
		}
	}
	w.do(admin(), "unblock "+annOnSlack)
	if b, err := w.office.Blocked(t.Context(), "acme", annOnDiscord); err != nil || b != nil {
		t.Errorf("unblocked: %+v, %v", b, err)
	}
}

func TestLinkedAccountsShareLimits(t *testing.T) {
	w := newOffice(t)
	w.linkAnn()
	for i, m := range []string{annOnDiscord, annOnSlack, annOnSlack} {
		if !w.reserve(m, 1) {
			t.Fatalf("video %d was refused", i+1)
		}
	}
	for _, m := range []string{annOnDiscord, annOnSlack} {
		if w.reserve(m, 1) {
			t.Errorf("%s makes a fourth video of three", m)
		}
	}
	w.do(admin(), "set "+annOnSlack+" videos_per_day 4")
	if !w.reserve(annOnDiscord, 1) {
		t.Error("a limit set for one account does not hold for the other")
	}
	w.do(admin(), "unset "+annOnSlack+" all")
	w.do(member(annOnSlack), "unlink")
	if got := w.room(annOnSlack); got != 3 {
		t.Errorf("after unlinking there is room for %d, want 3", got)
	}
	if w.reserve(annOnDiscord, 1) {
		t.Error("what was used together is forgotten")
	}
	w.refuse(member(annOnSlack), "unlink", team.NotLinked)
	w.linkAnn() // again
	w.do(member(annOnDiscord), "unlink")
	w.refuse(member(annOnSlack), "unlink", team.NotLinked)
}

func TestAnAdminDoesNotBlockHerselfByALinkedAccount(t *testing.T) {
	w := newOffice(t)
	w.linkAnn()
	for _, account := range []string{annOnDiscord, annOnSlack} {
		ann := member(account)
		ann.Admin = true
		w.refuse(ann, "block "+annOnDiscord, team.BlocksOneself)
		w.refuse(ann, "block "+annOnSlack, team.BlocksOneself)
	}
}

// With what an account is linked is read before a job is reserved. When that
// fails, or somebody links in between, the job must not be charged to an
// account of which nothing is decided.
func TestALinkedAccountReservesNothingUnderItsOwnName(t *testing.T) {
	w := newOffice(t)
	linkable := true
	w.policy.Linkable = func(team string) bool { return linkable && team == "acme" }
	w.linkAnn()
	w.do(admin(), "block "+annOnDiscord)
	n := 0
	reserve := func() error {
		n++
		job, a := fmt.Sprintf("own%d", n), quota.Asker{Team: "acme", Member: annOnSlack}
		_, err := w.store.Reserve(t.Context(), quota.Key{Job: job, Team: a.Team, Member: a.Member}, w.policy.Plan(job, a, 1, w.clock.Now()))
		return err
	}
	if err := reserve(); err == nil {
		t.Error("a blocked person makes a video by the other account")
	}
	linkable = false // the config has parted the team's platforms
	if err := reserve(); err != nil {
		t.Errorf("a link that is no more in force: %v", err)
	}
}

func TestAnAccountKnowsItsOtherNames(t *testing.T) {
	w := newOffice(t)
	w.linkAnn()
	for m, other := range map[string]string{annOnDiscord: annOnSlack, annOnSlack: annOnSlack} {
		account, others, err := w.office.Account(t.Context(), "acme", m)
		if err != nil || account != annOnDiscord || len(others) != 1 || others[0] != other {
			t.Errorf("%s: got %s and %v, %v", m, account, others, err)
		}
	}
	if account, others, err := w.office.Account(t.Context(), "globex", annOnSlack); err != nil || account != annOnSlack || others != nil {
		t.Errorf("in another team: got %s and %v, %v", account, others, err)
	}
}

func TestCodesAreGoodOnceForTenMinutesInOneTeam(t *testing.T) {
	w := newOffice(t)
	code := w.do(member(annOnDiscord), "link").Code
	w.clock.Advance(10 * time.Minute)
	w.refuse(member(annOnSlack), "link "+code, team.NoSuchCode)

	code = w.do(member(annOnDiscord), "link").Code
	elsewhere := member(annOnSlack)
	elsewhere.Team = "globex"
	w.refuse(elsewhere, "link "+code, team.NotLinkable)
	w.refuse(member(annOnSlack), "link WRONG", team.NoSuchCode)
	w.do(member(annOnSlack), "link "+code)
	w.refuse(member("slack:T1:U2"), "link "+code, team.NoSuchCode)

	code = w.do(member(bobOnDiscord), "link").Code
	w.refuse(member(boss), "link "+code, team.SamePlatform)
	code = w.do(member(bobOnDiscord), "link").Code
	w.refuse(member(annOnSlack), "link "+code, team.AlreadyLinked)
	w.refuse(member(annOnSlack), "link", team.AlreadyLinked)
	code = w.do(member(annOnDiscord), "link").Code
	w.refuse(member("slack:T1:U2"), "link "+code, team.AlreadyLinked)
	if account, _, err := w.office.Account(t.Context(), "acme", "slack:T1:U2"); err != nil || account != "slack:T1:U2" {
		t.Errorf("what was refused has linked %s, %v", account, err)
	}
}

// Whoever an admin has stopped or limited finds no way out by linking.
func TestLinkingIsNoWayOut(t *testing.T) {
	for _, line := range []string{"block " + annOnSlack, "set " + annOnSlack + " videos_per_day 1"} {
		w := newOffice(t)
		w.do(admin(), line)
		w.refuse(member(annOnSlack), "link "+w.do(member(annOnDiscord), "link").Code, team.Decided)
	}
	w := newOffice(t)
	code := w.do(member(annOnDiscord), "link").Code
	w.do(admin(), "block "+annOnDiscord)
	w.refuse(member(annOnSlack), "link "+code, team.Decided)
	if account, _, err := w.office.Account(t.Context(), "acme", annOnSlack); err != nil || account != annOnSlack {
		t.Errorf("what was refused has linked %s, %v", account, err)
	}
	w.do(admin(), "unblock "+annOnDiscord)
	w.linkAnn()
	w.do(admin(), "block "+annOnSlack)
	for _, m := range []string{annOnDiscord, annOnSlack} {
		w.refuse(member(m), "unlink", team.Decided)
		if w.reserve(m, 1) {
			t.Errorf("%s is blocked, and makes a video", m)
		}
	}
}

// Nor does whoever was limited by unlinking, whoever set the limit.
func TestUnlinkingIsNoWayOut(t *testing.T) {
	for name, by := range map[string]team.Actor{"an admin": admin(), "the operator": operator()} {
		t.Run(name, func(t *testing.T) {
			w := newOffice(t)
			w.linkAnn()
			w.do(by, "set "+annOnDiscord+" videos_per_day 1")
			if !w.reserve(annOnSlack, 1) {
				t.Fatal("the first video was refused")
			}
			for _, m := range []string{annOnSlack, annOnDiscord} {
				w.refuse(member(m), "unlink", team.Decided)
				if w.reserve(m, 1) {
					t.Errorf("%s makes a second video of one", m)
				}
			}
			w.do(by, "unset "+annOnDiscord+" all")
			w.do(member(annOnSlack), "unlink")
		})
	}
}

func TestOrderErrorsAreFound(t *testing.T) {
	w := newOffice(t)
	_, err := w.order(member(annOnDiscord), "unlink")
	var refused *team.OrderError
	if !errors.As(err, &refused) || refused.Verb != "unlink" {
		t.Errorf("got %v", err)
	}
}
