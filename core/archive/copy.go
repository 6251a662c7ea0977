package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"golang.org/x/sync/errgroup"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
)

// A Report is what was copied, and what both stores add up to.
type Report struct {
	Jobs       int          `json:"jobs"`
	Unfinished int          `json:"unfinished"` // of the jobs
	Standings  int          `json:"standings"`
	Records    int          `json:"records"`
	Marks      int          `json:"marks"`
	Settings   int          `json:"settings"`
	From       quota.Totals `json:"from"`
	To         quota.Totals `json:"to"`
}

// inFlight is how many items are being written at a time.
const inFlight = 64

// Copy copies everything from one store to another, which must be empty, and
// compares the sums of both. No bot may run on either meanwhile. Whose turn it
// was among waiting members is not copied. After an error the copy is not to
// be used.
func Copy(ctx context.Context, from, to Store) (Report, error) {
	if err := Empty(ctx, to); err != nil {
		return Report{}, fmt.Errorf("copy store: %w", err)
	}
	c := copier{to: to}
	if err := c.copy(ctx, from); err != nil {
		return c.report, fmt.Errorf("copy store: %w", err)
	}
	return c.report, c.compare(ctx, from)
}

// copier writes items into a store.
type copier struct {
	to     Store
	report Report
	open   []Item // unfinished jobs, which are written in their order
}

func (c *copier) copy(ctx context.Context, from Store) error {
	writes, inner := errgroup.WithContext(ctx)
	writes.SetLimit(inFlight)
	err := from.Export(inner, func(i Item) error {
		c.count(i)
		if i.Job != nil && i.Job.Unfinished() {
			c.open = append(c.open, i)
			return nil
		}
		writes.Go(func() error { return c.write(inner, i) })
		return inner.Err()
	})
	if err := errors.Join(writes.Wait(), err); err != nil {
		return err
	}
	// Jobs with a slot come first: those that wait find it taken, as before.
	slices.SortFunc(c.open, func(a, b Item) int {
		if x, y := a.Job.Waiting(), b.Job.Waiting(); x != y {
			if x {
				return 1
			}
			return -1
		}
		return cmp.Or(cmp.Compare(a.Job.Line.Seq, b.Job.Line.Seq), cmp.Compare(a.Job.ID, b.Job.ID))
	})
	for _, i := range c.open {
		if err := c.write(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

func (c *copier) count(i Item) {
	switch {
	case i.Job != nil:
		c.report.Jobs++
		if i.Job.Unfinished() {
			c.report.Unfinished++
		}
	case i.Member != nil, i.Team != nil:
		c.report.Standings++
	case i.Record != nil:
		c.report.Records++
	case i.Mark != nil:
		c.report.Marks++
	case i.Setting != nil:
		c.report.Settings++
	}
}

func (c *copier) write(ctx context.Context, i Item) error {
	switch {
	case i.Job != nil:
		return c.job(ctx, *i.Job, i.Hold)
	case i.Hold != nil:
		return c.hold(ctx, *i.Hold)
	case i.Member != nil:
		return c.to.PutMemberStanding(ctx, i.Member.Team, i.Member.Member, i.Member.Standing)
	case i.Team != nil:
		return c.to.PutTeamStanding(ctx, i.Team.Team, i.Team.Standing)
	case i.Record != nil:
		return c.to.Amend(ctx, i.Record.Team, "", func(*quota.Standing) (quota.Record, error) { return *i.Record, nil })
	case i.Mark != nil:
		return c.to.PutMark(ctx, i.Mark.Key, i.Mark.Value, i.Mark.Expires)
	case i.Setting != nil:
		return c.to.PutSetting(ctx, i.Setting.Name, i.Setting.Value)
	default:
		return nil
	}
}

// job accepts a job as it was accepted once, bills its hold, and saves the job
// as it is now.
func (c *copier) job(ctx context.Context, j generate.Job, h *quota.Hold) error {
	line := quota.Line{WaitingMax: math.MaxInt32}
	if j.Waiting() {
		line.MemberMax, line.TeamMax, line.BotMax = j.Line.MemberMax, j.Line.TeamMax, j.Line.BotMax
	}
	fresh := j
	fresh.State, fresh.Shown, fresh.Version, fresh.Admitted = generate.Accepted, "", 0, false
	r := quota.Reservation{At: j.Created}
	if h != nil {
		r = reservation(*h)
	}
	r.Line = line
	accepted, err := c.to.Accept(ctx, fresh, planOf(r))
	if err != nil {
		return fmt.Errorf("accept job %s: %w", j.ID, err)
	}
	if h != nil {
		if err := c.bill(ctx, *h); err != nil {
			return err
		}
	}
	seq := accepted.Line.Seq
	admitted := j.Admitted || accepted.Admitted && j.Waiting()
	j.Version, j.Admitted, j.Line.Seq = accepted.Version, admitted, seq
	if _, err := c.to.Save(ctx, j, quota.Keep()); err != nil {
		return fmt.Errorf("save job %s: %w", j.ID, err)
	}
	return nil
}

// hold makes a hold whose job is not kept any more.
func (c *copier) hold(ctx context.Context, h quota.Hold) error {
	key := quota.Key{Job: h.Job, Team: h.Team, Member: h.Member}
	if _, err := c.to.Reserve(ctx, key, planOf(reservation(h))); err != nil {
		return fmt.Errorf("reserve for job %s: %w", h.Job, err)
	}
	return c.bill(ctx, h)
}

// bill settles or releases a hold as h was.
func (c *copier) bill(ctx context.Context, h quota.Hold) error {
	b := quota.Keep()
	switch h.State {
	case quota.Held:
		return nil
	case quota.Settled:
		b = quota.Settle(h.Charged)
	case quota.Released:
		b = quota.Release()
	}
	if _, err := c.to.Bill(ctx, h.Job, b, h.Closed); err != nil {
		return fmt.Errorf("bill job %s: %w", h.Job, err)
	}
	return nil
}

// planOf is the plan of a reservation that was decided long ago.
func planOf(r quota.Reservation) quota.Plan {
	return func(quota.Standing) (quota.Reservation, error) { return r, nil }
}

// reservation is what makes the same hold again: its entries without limits.
func reservation(h quota.Hold) quota.Reservation {
	r := quota.Reservation{At: h.At, Estimate: h.Estimate, Counts: make([]quota.Count, 0, len(h.Entries))}
	for _, e := range h.Entries {
		r.Counts = append(r.Counts, quota.Count{Scope: e.Scope, Unit: e.Unit, Counter: e.Counter, Add: e.Add, Expires: e.Expires})
	}
	return r
}

// compare adds both stores up.
func (c *copier) compare(ctx context.Context, from Store) error {
	for _, side := range []struct {
		name  string
		store Store
		into  *quota.Totals
	}{{"source", from, &c.report.From}, {"copy", c.to, &c.report.To}} {
		a, err := side.store.Audit(ctx)
		if err != nil {
			return fmt.Errorf("add up the %s: %w", side.name, err)
		}
		if len(a.Wrong) > 0 {
			w := a.Wrong[0]
			return fmt.Errorf("ledger of the %s does not add up in %d places; the first: %s is %d and should be %d",
				side.name, len(a.Wrong), w.What, w.Stored, w.Want)
		}
		*side.into = a.Totals
	}
	if c.report.From != c.report.To {
		return fmt.Errorf("sums differ: %+v in the source, %+v in the copy", c.report.From, c.report.To)
	}
	jobs := 0
	if err := c.to.Export(ctx, func(i Item) error {
		if i.Job != nil {
			jobs++
		}
		return nil
	}); err != nil {
		return fmt.Errorf("count the jobs of the copy: %w", err)
	}
	if jobs != c.report.Jobs {
		return fmt.Errorf("%d jobs were read and %d are in the copy", c.report.Jobs, jobs)
	}
	return nil
}
