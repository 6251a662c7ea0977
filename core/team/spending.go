package team

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"ltxbot/core/quota"
	"ltxbot/core/usd"
)

// Spending is what was made and charged in a span of time; a video counts when it
// was asked for. It is summed from the holds, so a reset does not change it.
type Spending struct {
	Videos   int64      `json:"videos"`    // paid
	UnderWay int64      `json:"under_way"` // neither paid nor given back yet
	Held     usd.Micros `json:"held"`      // for those under way
	Estimate usd.Micros `json:"estimate"`  // what was held for what is paid
	Charged  usd.Micros `json:"charged"`   // what it cost in the end
}

// MemberSpending is what one member has spent.
type MemberSpending struct {
	Member string `json:"member"`

	Spending
}

// Summary is what a team has spent this month, and how it stands.
type Summary struct {
	Team string `json:"team"`

	Spending

	Gauges []quota.Gauge `json:"gauges"` // of the team
	Paused *quota.Block  `json:"paused,omitempty"`
	// Refused reports that it may make no videos: the operator has not listed
	// it.
	Refused bool `json:"refused,omitempty"`
}

// add counts h in.
func (s *Spending) add(h quota.Hold) {
	switch h.State {
	case quota.Held:
		s.UnderWay++
		s.Held += h.Estimate
	case quota.Settled:
		s.Videos++
		s.Estimate += h.Estimate
		s.Charged += h.Charged
	case quota.Released:
	}
}

// Deviation is how far what was charged is from what was estimated, as a part
// of the estimate: 0.1 is ten percent more. It is 0 while nothing is paid.
func (s Spending) Deviation() float64 {
	if s.Estimate == 0 {
		return 0
	}
	return float64(s.Charged-s.Estimate) / float64(s.Estimate)
}

// SumUp adds up holds, in all and by member, most first.
func SumUp(holds []quota.Hold) (Spending, []MemberSpending) {
	var all Spending
	place := map[string]int{}
	var members []MemberSpending
	for _, h := range holds {
		all.add(h)
		i, ok := place[h.Member]
		if !ok {
			i = len(members)
			place[h.Member] = i
			members = append(members, MemberSpending{Member: h.Member})
		}
		members[i].add(h)
	}
	return all, ranked(members)
}

// total is what all members have spent.
func total(members []MemberSpending) Spending {
	var all Spending
	for _, m := range members {
		all = all.Plus(m.Spending, 1)
	}
	return all
}

// ranked are the members who have spent something, most first.
func ranked(members []MemberSpending) []MemberSpending {
	members = slices.DeleteFunc(members, func(m MemberSpending) bool { return m.Videos+m.UnderWay == 0 })
	slices.SortFunc(members, func(a, b MemberSpending) int {
		return cmp.Or(cmp.Compare(b.Charged+b.Held, a.Charged+a.Held), cmp.Compare(b.Videos, a.Videos), cmp.Compare(a.Member, b.Member))
	})
	return members
}

// Plus is s and, as often as sign says, other.
func (s Spending) Plus(other Spending, sign int64) Spending {
	amount := usd.Micros(sign)
	s.Videos += sign * other.Videos
	s.UnderWay += sign * other.UnderWay
	s.Held += amount * other.Held
	s.Estimate += amount * other.Estimate
	s.Charged += amount * other.Charged
	return s
}

// csvColumns are the columns of an export. Times are in UTC, amounts in
// dollars.
var csvColumns = []string{"asked_at", "job", "member", "state", "estimated_usd", "charged_usd", "closed_at"}

// WriteCSV writes holds as a table with a header. Released ones are in it:
// they cost nothing.
func WriteCSV(w io.Writer, holds []quota.Hold) error {
	out := csv.NewWriter(w)
	rows := append(make([][]string, 0, 1+len(holds)), csvColumns)
	for _, h := range holds {
		charged, closed := "", ""
		if h.State != quota.Held {
			charged, closed = quota.WriteDollars(h.Charged), h.Closed.UTC().Format(time.RFC3339)
		}
		rows = append(rows, []string{
			h.At.UTC().Format(time.RFC3339), h.Job, h.Member, string(h.State), quota.WriteDollars(h.Estimate), charged, closed,
		})
	}
	if err := out.WriteAll(rows); err != nil {
		return fmt.Errorf("write usage as CSV: %w", err)
	}
	return nil
}

// WriteMembersCSV writes what members have spent as a table with a header.
func WriteMembersCSV(w io.Writer, members []MemberSpending) error {
	out := csv.NewWriter(w)
	rows := append(make([][]string, 0, 1+len(members)), []string{"member", "videos", "estimated_usd", "charged_usd"})
	for _, m := range members {
		rows = append(rows, []string{m.Member, strconv.FormatInt(m.Videos, 10), quota.WriteDollars(m.Estimate), quota.WriteDollars(m.Charged)})
	}
	if err := out.WriteAll(rows); err != nil {
		return fmt.Errorf("write members as CSV: %w", err)
	}
	return nil
}

// mine is about who asks.
func (o *Office) mine(c *call) (Report, error) {
	account, err := o.account(c, c.actor.Member)
	if err != nil {
		return Report{}, err
	}
	// Tiers come with who asks, whichever of its accounts.
	asking := *c
	asking.actor.Member = account
	return o.describe(&asking, Report{Member: account, Self: true})
}

func (o *Office) show(c *call) (Report, error) {
	who := c.args.who()
	if c.args.err != nil {
		return Report{}, c.args.err
	}
	account, err := o.account(c, who)
	if err != nil {
		return Report{}, err
	}
	start, end := quota.Month.Span(c.now, c.zone)
	var r Report
	if account == "" {
		r, err = o.spending(c, start, end)
	} else {
		r, err = o.spentBy(c, account, start, end)
	}
	if err != nil {
		return Report{}, err
	}
	r.Member, r.Self = account, account != "" && account == c.actor.Member
	return o.describe(c, r)
}

// spentBy reads what a member has spent in a month, or with an empty member a team.
func (o *Office) spentBy(c *call, member string, start, end time.Time) (Report, error) {
	spent, err := o.cfg.Store.SpentBy(c.ctx, c.team, member, start, end)
	if err != nil {
		return Report{}, fmt.Errorf("read spending: %w", err)
	}
	return Report{Month: start.Format("2006-01"), Spending: &spent}, nil
}

// spending reads what a team and each of its members have spent in a month.
func (o *Office) spending(c *call, start, end time.Time) (Report, error) {
	members, err := o.cfg.Store.Spent(c.ctx, c.team, start, end)
	if err != nil {
		return Report{}, fmt.Errorf("read spending: %w", err)
	}
	all := total(members)
	return Report{Month: start.Format("2006-01"), Spending: &all, Members: ranked(members)}, nil
}

// teams is how all teams stand, those first that have spent most.
func (o *Office) teams(c *call) (Report, error) {
	names, err := o.cfg.Teams(c.ctx)
	if err != nil {
		return Report{}, fmt.Errorf("list teams: %w", err)
	}
	p := o.cfg.Policy()
	var r Report
	for _, name := range names {
		of := *c
		of.team, of.zone = name, p.ZoneOf(name)
		start, end := quota.Month.Span(of.now, of.zone)
		spent, err := o.spentBy(&of, "", start, end)
		if err != nil {
			return Report{}, err
		}
		stands, err := o.describe(&of, Report{})
		if err != nil {
			return Report{}, err
		}
		t := Summary{Team: name, Spending: *spent.Spending, Paused: stands.AdminState.Team.Paused}
		t.Refused = p.Serves != nil && !p.Serves(name)
		for _, g := range stands.Gauges {
			switch {
			case g.Scope.Kind == quota.Team && g.Max > 0:
				t.Gauges = append(t.Gauges, g)
			case g.Scope.Kind == quota.Bot && g.Max > 0 && len(r.Teams) == 0:
				r.Gauges = append(r.Gauges, g)
			}
		}
		r.Teams = append(r.Teams, t)
	}
	slices.SortStableFunc(r.Teams, func(a, b Summary) int {
		return cmp.Or(cmp.Compare(b.Charged+b.Held, a.Charged+a.Held), cmp.Compare(a.Team, b.Team))
	})
	return r, nil
}

func (o *Office) top(c *call) (Report, error) {
	start, end := c.args.month(c.now, c.zone)
	if c.args.err != nil {
		return Report{}, c.args.err
	}
	return o.spending(c, start, end)
}

func (o *Office) export(c *call) (Report, error) {
	r, err := o.top(c)
	if err != nil {
		return r, err
	}
	start, end := c.args.month(c.now, c.zone)
	if r.Holds, err = o.cfg.Store.Holds(c.ctx, c.team, start, end); err != nil {
		return Report{}, fmt.Errorf("read spending: %w", err)
	}
	return r, nil
}

// logLength is how many records a person looks at.
const logLength = 50

// readRecords is how many of the newest records are searched for those about one
// member.
const readRecords = 5000

func (o *Office) log(c *call) (Report, error) {
	who := c.args.who()
	if c.args.err != nil {
		return Report{}, c.args.err
	}
	account, err := o.account(c, who)
	if err != nil {
		return Report{}, err
	}
	limit := logLength
	if account != "" {
		limit = readRecords
	}
	records, err := o.cfg.Store.Records(c.ctx, c.team, limit)
	if err != nil {
		return Report{}, err
	}
	if account != "" {
		records = slices.DeleteFunc(records, func(r Record) bool { return r.Member != account && r.Member != who })
	}
	return Report{Member: account, Records: records[:min(len(records), logLength)]}, nil
}
