package team

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"ltxbot/core/quota"
)

// linkLife is how long a code to link two accounts is good for.
const linkLife = 10 * time.Minute

// linkCodeLength makes codes that nobody guesses in ten minutes: 40 bits.
const linkCodeLength = 8

// linkMark is the key of a code. It belongs to a team: what is typed in
// another one is no code.
func linkMark(team, code string) string { return "link/" + team + "/" + code }

// link gives a code, or takes one and links the two accounts: from then on who
// takes it uses the limits of who got it.
func (o *Office) link(c *call) (Report, error) {
	if !o.cfg.Linkable(c.team) {
		return Report{}, &OrderError{Problem: NotLinkable, Verb: c.verb.Name}
	}
	if code := c.args.args["code"]; code != "" {
		return o.takeCode(c, code)
	}
	account, err := o.account(c, c.actor.Member)
	if err != nil {
		return Report{}, err
	}
	if platformOf(account) != platformOf(c.actor.Member) {
		return Report{}, &OrderError{Problem: AlreadyLinked, Verb: c.verb.Name}
	}
	code := rand.Text()[:linkCodeLength]
	expires := c.now.Add(linkLife)
	if err := o.cfg.Store.PutMark(c.ctx, linkMark(c.team, code), account, expires); err != nil {
		return Report{}, fmt.Errorf("keep code: %w", err)
	}
	return Report{Member: account, Self: true, Code: code, Expires: expires}, nil
}

// platformOf is "discord" or "slack".
func platformOf(member string) string {
	platform, _, _ := strings.Cut(member, ":")
	return platform
}

func (o *Office) takeCode(c *call, code string) (Report, error) {
	problem := func(p OrderProblem) error {
		return &OrderError{Problem: p, Verb: c.verb.Name, Arg: "code", Value: code}
	}
	account, err := o.cfg.Store.TakeMark(c.ctx, linkMark(c.team, strings.ToUpper(code)))
	if errors.Is(err, ErrNoMark) {
		return Report{}, problem(NoSuchCode)
	}
	if err != nil {
		return Report{}, fmt.Errorf("take code: %w", err)
	}
	me := c.actor.Member
	if platformOf(account) == platformOf(me) {
		return Report{}, problem(SamePlatform)
	}
	// Write the account that gives up its limits first: if two orders link it at once,
	// only one of them succeeds.
	r, err := o.amendLink(c, me, account, func(s *quota.AdminState) error {
		switch {
		case s.Member.Account != "" || len(s.Member.Linked) > 0:
			return problem(AlreadyLinked)
		case s.Member.Blocked != nil || len(s.Member.Overrides) > 0:
			return problem(Decided) // else linking would be a way out
		}
		s.Member.Account = account
		return nil
	})
	if err != nil {
		return Report{}, err
	}
	_, err = o.amendLink(c, account, me, func(s *quota.AdminState) error {
		samePlatform := func(other string) bool { return platformOf(other) == platformOf(me) }
		switch {
		case s.Member.Account != "" || slices.ContainsFunc(s.Member.Linked, samePlatform):
			return problem(AlreadyLinked)
		case s.Member.Blocked != nil:
			return problem(Decided)
		}
		s.Member.Linked = append(slices.Clone(s.Member.Linked), me)
		return nil
	})
	if err != nil {
		_, undo := o.amendLink(c, me, "", func(s *quota.AdminState) error { s.Member.Account = ""; return nil })
		return Report{}, errors.Join(err, undo)
	}
	described, err := o.describe(c, Report{Member: account, Self: true})
	described.Change = r.Change
	return described, err
}

// amendLink changes what a member is linked with; other is what it becomes.
func (o *Office) amendLink(c *call, member, other string, change func(*quota.AdminState) error) (Report, error) {
	var record Record
	err := o.cfg.Store.Amend(c.ctx, c.team, member, func(s *quota.AdminState) (Record, error) {
		before := s.Member.Account
		if before == "" {
			before = strings.Join(s.Member.Linked, ", ")
		}
		if err := change(s); err != nil {
			return Record{}, err
		}
		record = Record{
			ID: newID(), At: c.now.UTC(), Team: c.team, Member: member, By: c.actor.name(), From: c.actor.From,
			Verb: c.verb.Name, Before: before, After: other,
		}
		return record, nil
	})
	return Report{Change: &record}, err
}

// unlink parts the account of who asks from those it is linked with. It is
// refused while an admin has blocked them or set a limit of theirs: else it
// would be a way out.
func (o *Office) unlink(c *call) (Report, error) {
	account, others, err := o.Account(c.ctx, c.team, c.actor.Member)
	if err != nil {
		return Report{}, err
	}
	if account == c.actor.Member && len(others) == 0 {
		return Report{}, &OrderError{Problem: NotLinked, Verb: c.verb.Name}
	}
	first, err := o.amendLink(c, account, "", func(s *quota.AdminState) error {
		if s.Member.Blocked != nil || len(s.Member.Overrides) > 0 {
			return &OrderError{Problem: Decided, Verb: c.verb.Name}
		}
		s.Member.Linked = slices.DeleteFunc(slices.Clone(s.Member.Linked), func(m string) bool { return slices.Contains(others, m) })
		return nil
	})
	if err != nil {
		return Report{}, err
	}
	for _, other := range others {
		if _, err := o.amendLink(c, other, "", func(s *quota.AdminState) error { s.Member.Account = ""; return nil }); err != nil {
			return Report{}, err
		}
	}
	return o.describe(c, Report{Member: c.actor.Member, Self: true, Change: first.Change})
}
