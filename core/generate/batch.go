package generate

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"ltxbot/core/ltx"
	"ltxbot/core/quota"
)

// A Batch says which take a job is of a command that asked for several videos:
// with other seeds, or with other strengths of a LoRA.
// The takes are accepted all or none, each with a hold and a slot of its own.
// The first of them, the lead, is the job of the command: it has the card, and
// it posts the one message with the videos of all takes. The others show
// nothing: they wait, once their video is made, until the lead has posted it.
type Batch struct {
	ID    string `json:"id"`    // of the lead
	Index int    `json:"index"` // from 1
	Size  int    `json:"size"`
	// Trial is what the takes compare; zero where each has a seed of its own.
	Trial ltx.Trial `json:"trial,omitzero"`
	// Carded is set, of the lead, when the conversation has taken the card, be it
	// before the turn of the lead: no take is submitted before.
	Carded bool `json:"carded,omitempty"`
	// Posting are, of the lead, the ids of the takes whose videos go into the
	// message. It is saved before the first try to post: what is posted stays
	// known, whatever becomes of the other takes meanwhile.
	Posting []string `json:"posting,omitempty"`
	// Late are, of the lead, the ids of those that come by themselves: their
	// videos were not made when the message was posted.
	Late []string `json:"late,omitempty"`
}

// How the takes of a batch wait for each other.
const (
	// takesPause is between looks at takes that another process works on.
	takesPause = 3 * time.Second
	// takesTimeout is how long the first video that is made waits for the
	// others. One that comes later is posted by itself.
	takesTimeout = 30 * time.Minute
)

// Leads reports whether j is the lead of a batch.
func (j Job) Leads() bool { return j.Batch.Size > 1 && j.Batch.Index == 1 }

// follows reports whether j is another take of a batch than its lead.
func (j Job) follows() bool { return j.Batch.Index > 1 }

// made reports whether the video of j is there and not posted.
func (j Job) made() bool { return j.State == Fetched || j.State == Delivering }

// carried reports whether the lead j has done all that it does for its batch.
func (j Job) carried() bool { return j.State.Terminal() && j.Shown == j.State }

// takeEvent is the event of another take than the first. It follows from the id
// of the lead, which stays when its event is erased.
func takeEvent(lead string, index int) string { return fmt.Sprintf("%s#%d", lead, index) }

// TakeIDs are the ids of all takes of the batch that j leads, its own first; of
// any other job its own alone.
func (j Job) TakeIDs() []string {
	ids := []string{j.ID}
	for i := 2; j.Leads() && i <= j.Batch.Size; i++ {
		ids = append(ids, NewID(takeEvent(j.ID, i)))
	}
	return ids
}

// Posted are the jobs whose videos are in the message that j posts: j itself, or
// of a whole batch those that were chosen.
func (j Job) Posted() []Job {
	if !j.Leads() {
		return []Job{j}
	}
	return slices.DeleteFunc(slices.Clone(j.Takes), func(t Job) bool { return !slices.Contains(j.Batch.Posting, t.ID) })
}

// takes are the jobs of a command: one for each video that is asked for. The
// seed of the first is the one that was chosen; the others follow from their
// ids, so that the same event is the same jobs, whoever makes them. In a trial of
// a LoRA all have the same seed.
func (e *Engine) takes(j Job) []Job {
	size := j.Request.Count()
	if size == 1 {
		return []Job{j}
	}
	all := make([]Job, size)
	for i := range all {
		t := j
		t.Batch = Batch{ID: j.ID, Index: i + 1, Size: size, Trial: j.Request.Trial()}
		t.Request = j.Request.Take(i)
		t.Estimate = e.estimate(t.Request)
		if i > 0 {
			t.Event = takeEvent(j.ID, i+1)
			t.ID, t.Version = NewID(t.Event), 0
			if t.Batch.Trial.LoRA == "" {
				t.Request = t.Request.WithSeed(seedOf(t.ID))
			}
			t.Notes = merge(j.Notes, nil)
		}
		all[i] = t
	}
	return all
}

// seedOf is the seed of a take.
func seedOf(id string) int64 {
	sum := sha256.Sum256([]byte("seed " + id))
	return int64(binary.BigEndian.Uint32(sum[:])) & ltx.MaxSeed
}

// acceptTakes accepts the jobs of a command, all or none, and returns the
// first.
func (e *Engine) acceptTakes(ctx context.Context, takes []Job, plan func(Job) quota.Plan) (Job, error) {
	if len(takes) == 1 {
		return e.cfg.Store.Accept(ctx, takes[0], plan(takes[0]))
	}
	asked := make([]Asked, len(takes))
	for i, t := range takes {
		asked[i] = Asked{Job: t, Plan: plan(t)}
	}
	accepted, err := e.cfg.Store.AcceptAll(ctx, asked)
	if errors.Is(err, ErrExists) && !slices.ContainsFunc(accepted, func(j Job) bool { return j.ID == takes[0].ID }) {
		// A store that has lost the newest state of the lead has kept that of
		// another take: only what is missing is accepted.
		asked = slices.DeleteFunc(asked, func(a Asked) bool {
			return slices.ContainsFunc(accepted, func(j Job) bool { return j.ID == a.Job.ID })
		})
		accepted, err = e.cfg.Store.AcceptAll(ctx, asked)
	}
	if len(accepted) == 0 {
		return Job{}, err
	}
	if err == nil {
		for _, t := range accepted[1:] {
			e.cfg.OnChange("", t)
		}
	}
	i := max(0, slices.IndexFunc(accepted, func(j Job) bool { return j.ID == takes[0].ID }))
	return accepted[i], err
}

// join makes r known to the other takes of its batch in this process.
func (r *run) join(j Job) {
	if j.Batch.Size < 2 {
		return
	}
	r.e.mu.Lock()
	defer r.e.mu.Unlock()
	kin := r.e.batches[j.Batch.ID]
	if kin == nil {
		kin = map[string]*run{}
		r.e.batches[j.Batch.ID] = kin
	}
	kin[r.id] = r
}

// leaveBatch ends what join began.
func (r *run) leaveBatch() {
	id := r.snapshot().Batch.ID
	r.e.mu.Lock()
	defer r.e.mu.Unlock()
	kin := r.e.batches[id]
	if kin[r.id] == r {
		delete(kin, r.id)
	}
	if len(kin) == 0 {
		delete(r.e.batches, id)
	}
}

// kin are the runs of a batch in this process, by job.
func (e *Engine) kin(batch string) map[string]*run {
	e.mu.Lock()
	defer e.mu.Unlock()
	return maps.Clone(e.batches[batch])
}

// stirOthers makes the other takes of r's batch in this process look at what
// has changed, and the card show it.
func (r *run) stirOthers() {
	j := r.snapshot()
	if j.Batch.Size < 2 {
		return
	}
	for id, other := range r.e.kin(j.Batch.ID) {
		if id == j.Batch.ID {
			other.card.refresh()
		}
		if id == r.id {
			continue
		}
		select {
		case other.stir <- struct{}{}:
		default:
		}
	}
}

// showByLead makes the card of the batch show what is new about one of its
// takes.
func (r *run) showByLead() {
	batch := r.snapshot().Batch.ID
	if lead := r.e.kin(batch)[batch]; lead != nil {
		lead.card.refresh()
	}
}

// takesOf are all takes of the lead j, itself first: those that this process
// works on with their progress. One that the store does not have is left out.
func (e *Engine) takesOf(ctx context.Context, j Job) ([]Job, error) {
	kin := e.kin(j.ID)
	all := []Job{j}
	for _, id := range j.TakeIDs()[1:] {
		r := kin[id]
		if r != nil {
			r.guess()
		}
		if r != nil && !j.State.Terminal() {
			all = append(all, r.snapshot())
			continue
		}
		t, err := e.cfg.Store.Job(ctx, id) // the lead may have ended it just now
		t.Progress.Position = -1
		if r != nil {
			t.Progress = r.snapshot().Progress
		}
		switch {
		case errors.Is(err, ErrNoJob):
		case err != nil:
			return nil, err
		default:
			all = append(all, t)
		}
	}
	return all, nil
}

// Whole is the batch of the lead j as one job, for its card and its message: its
// Takes are those of the batch, and what it costs is what all cost. Its state is
// that of the take that is furthest among those without a video; once all are
// over, it is Delivered if one take is.
func (j Job) Whole(takes []Job) Job {
	j.Takes = takes
	j.Request = j.Request.Try(j.Batch.Trial.LoRA, j.Batch.Trial.Scales...)
	j.Estimate, j.Charged, j.Billed = 0, 0, 0
	ended := map[State]Job{}
	var making, there *Job   // the furthest that is being made, and one that is made
	var open bool            // a take can be cancelled, and was not
	var asked *CancelRequest // of another one
	for i, t := range takes {
		switch {
		case t.State.Terminal():
			if _, ok := ended[t.State]; !ok {
				ended[t.State] = t
			}
		case t.made():
			there = &takes[i]
		case j.State.Terminal() && j.Batch.Posting != nil: // it is late, and comes by itself
		case making == nil || slices.Index(States, t.State) > slices.Index(States, making.State):
			making = &takes[i]
		}
		if t.State.Terminal() || t.made() {
			j.Charged += t.Charged
			j.Estimate += t.Charged
		} else {
			j.Estimate += t.Estimate
		}
		if t.State.Cancellable() {
			open = open || t.Cancel == nil
			asked = cmp.Or(asked, t.Cancel)
		}
	}
	if t := cmp.Or(making, there); t != nil {
		j.State, j.Admitted, j.Progress, j.Started = t.State, t.Admitted, t.Progress, t.Started
		if j.Cancel = asked; open {
			j.Cancel = nil
		}
		if making != nil {
			j.Charged = 0
		}
		return j
	}
	for _, s := range []State{Delivered, Failed, Cancelled} {
		if t, ok := ended[s]; ok {
			j.State, j.Failure, j.Cancel = s, t.Failure, cmp.Or(j.Cancel, t.Cancel)
			if s == Delivered {
				j.Receipt, j.Failure = t.Receipt, Failure{}
			}
			break
		}
	}
	return j
}

// whole is j as its card and its message show it.
func (e *Engine) whole(ctx context.Context, j Job) (Job, error) {
	if !j.Leads() {
		return j, nil
	}
	takes, err := e.takesOf(ctx, j)
	if err != nil {
		return j, err
	}
	return j.Whole(takes), nil
}

// afterCard returns a rest while the conversation has not taken the card of the
// batch, which the lead shows. A lead that ends before has spent nothing, and
// so do the other takes.
func (a *asking) afterCard(ctx context.Context, j Job) (time.Duration, error) {
	lead, err := a.e.cfg.Store.Job(ctx, j.Batch.ID)
	switch {
	case errors.Is(err, ErrNoJob):
		if a.carding.IsZero() {
			a.carding = time.Now()
		}
		if time.Since(a.carding) > firstCard {
			return 0, a.finish(ctx, Accepted, Failed, Failure{Kind: FailUnreachable}, quota.Release())
		}
	case err != nil:
		return 0, err
	case lead.Batch.Carded:
		return 0, nil
	case lead.State == Cancelled:
		return 0, a.finish(ctx, Accepted, Cancelled, Failure{}, quota.Release())
	case lead.State.Terminal():
		return 0, a.finish(ctx, Accepted, Failed, lead.Failure, quota.Release())
	}
	return takesPause, nil
}

// follow waits, with the video of another take than the lead, until the lead
// has posted it, and reports whether the job posts it by itself: the lead has
// posted without it.
func (d *delivering) follow(ctx context.Context, j Job) (alone bool, rest time.Duration, _ error) {
	lead, err := d.e.cfg.Store.Job(ctx, j.Batch.ID)
	if err != nil && !errors.Is(err, ErrNoJob) {
		return false, 0, err
	}
	chosen := slices.Contains(lead.Batch.Posting, j.ID)
	switch {
	case err != nil: // the store has lost it, or it was removed long ago
		if d.leaderless.IsZero() {
			d.leaderless = time.Now()
		}
		return time.Since(d.leaderless) > firstCard, takesPause, nil
	case lead.Batch.Posting != nil && !chosen, lead.carried() && !chosen:
		return true, 0, nil
	case !lead.carried():
		return false, takesPause, nil
	case lead.State == Delivered: // the store has lost that this one was, too
		receipt := Receipt{Message: lead.Receipt.Message, Link: lead.Receipt.Link, At: lead.Receipt.At}
		return false, 0, d.update(ctx, j.State, quota.Keep(), func(j *Job) { d.e.markDelivered(j, receipt) })
	}
	return false, 0, d.finish(ctx, j.State, Failed, Failure{Kind: FailUnreachable}, quota.Keep())
}

// goAlone looks once more whether the lead has chosen this take: both may have
// decided at the same moment. Each of them saves first and then reads what the
// other has saved. If both see it, the take waits again, and the lead leaves it out.
func (d *delivering) goAlone(ctx context.Context, j Job) error {
	lead, err := d.e.cfg.Store.Job(ctx, j.Batch.ID)
	switch {
	case err != nil && !errors.Is(err, ErrNoJob):
		return err
	case err == nil && slices.Contains(lead.Batch.Posting, j.ID):
		return d.update(ctx, Delivering, quota.Keep(), func(j *Job) { j.State = Fetched })
	}
	d.alone = true
	return nil
}

// leaveOut takes those out of the message of the lead j that have gone alone, and
// reports whether there were any.
func (c *carrier) leaveOut(ctx context.Context, j Job) (left bool, _ error) {
	if !j.Leads() {
		return false, nil
	}
	takes, err := c.e.takesOf(ctx, j)
	if err != nil {
		return false, err
	}
	apart := map[string]bool{}
	for _, t := range takes {
		apart[t.ID] = t.ID != j.ID && t.State == Delivering && slices.Contains(j.Batch.Posting, t.ID)
		left = left || apart[t.ID]
	}
	if !left {
		return false, nil
	}
	return true, c.update(ctx, j.State, quota.Keep(), func(j *Job) {
		all := j.Batch.Posting
		j.Batch.Posting = slices.DeleteFunc(slices.Clone(all), func(id string) bool { return apart[id] })
		j.Batch.Late = append(slices.Clone(j.Batch.Late), slices.DeleteFunc(slices.Clone(all), func(id string) bool { return !apart[id] })...)
	})
}

// choose decides which takes of the lead j go into its message, and saves that
// with also. It returns a rest while takes are still being made, at most for
// takesTimeout, and no longer than the conversation takes messages easily. None
// may be left.
func (c *carrier) choose(ctx context.Context, j Job, also func(*Job)) (rest time.Duration, _ error) {
	takes, err := c.e.takesOf(ctx, j)
	if err != nil {
		return 0, err
	}
	posting := []string{}
	var late []string
	var since time.Time // when the first was made
	for _, t := range takes {
		switch {
		case t.State == Fetched:
			posting = append(posting, t.ID)
			if since.IsZero() || t.Fetched.Before(since) {
				since = t.Fetched
			}
		case t.State == Delivering: // it goes alone
			late = append(late, t.ID)
		case !t.State.Terminal(), j.takesUp(t):
			late = append(late, t.ID)
			rest = takesPause
		}
	}
	if rest > 0 {
		left := takesTimeout - time.Since(since)
		switch {
		case j.Redelivery != nil:
			left = takeUpLimit - time.Since(j.Redelivery.At)
		case !j.PostBefore.IsZero():
			left = min(left, time.Until(j.PostBefore))
		}
		if since.IsZero() || left > 0 {
			if !since.IsZero() {
				rest = min(rest, left)
			}
			return rest, nil
		}
	}
	if len(posting) == 0 {
		return 0, nil
	}
	return 0, c.update(ctx, j.State, quota.Keep(), func(j *Job) {
		j.Batch.Posting, j.Batch.Late = posting, late
		also(j)
	})
}

// late returns a rest while a take of the lead j is not over: the card goes on
// telling what becomes of it.
func (c *concluding) late(ctx context.Context, j Job) (rest time.Duration, _ error) {
	if !j.Leads() {
		return 0, nil
	}
	takes, err := c.e.takesOf(ctx, j)
	if err != nil {
		return 0, err
	}
	states := make([]State, 0, len(takes))
	for _, t := range takes {
		if states = append(states, t.State); !t.State.Terminal() || j.takesUp(t) {
			rest = takesPause
		}
	}
	if rest > 0 && !slices.Equal(states, c.states) {
		c.states = states
		c.card.refresh()
	}
	return rest, nil
}

// tellApart tells the requester by itself how j ended, where nothing else does
// that notifies anybody: a take without a video that was late for the message, or
// a lead whose video was found after the others were posted.
func (c *concluding) tellApart(ctx context.Context, j Job) error {
	mine := j.Cancel != nil && (j.Cancel.By == j.AskedBy() || j.Cancel.By == j.Member)
	if j.State == Delivered || j.State == Cancelled && mine {
		return nil
	}
	late := j.Leads() && j.Batch.Posting != nil && !slices.Contains(j.Batch.Posting, j.ID) && j.Failure.Kind == FailUnreachable
	if j.follows() {
		lead, err := c.e.cfg.Store.Job(ctx, j.Batch.ID)
		if err != nil && !errors.Is(err, ErrNoJob) {
			return err
		}
		late = slices.Contains(lead.Batch.Late, j.ID)
	}
	courier := c.courier(j)
	switch {
	case !late:
		return nil
	case courier == nil:
		return &RetryError{After: platformOffPause, Err: errPlatformOff}
	}
	c.e.edits.spend()
	call, cancel := context.WithTimeout(ctx, cardTimeout)
	defer cancel()
	return courier.Tell(call, c.snapshot(), c.keep)
}

// settleTakes makes the other takes Delivered whose videos were posted.
func (c *carrier) settleTakes(ctx context.Context, lead Job, receipts map[string]Receipt) error {
	return c.endOthers(ctx, lead, func(t *Job) { c.e.markDelivered(t, receipts[t.ID]) })
}

// failTakes ends the other takes whose videos can't be posted.
func (c *carrier) failTakes(ctx context.Context, lead Job, kind FailureKind) error {
	return c.endOthers(ctx, lead, func(t *Job) { t.end(Failed, Failure{Kind: kind}, quota.Keep()) })
}

// endOthers ends the other takes that the lead posts and that were not posted.
func (c *carrier) endOthers(ctx context.Context, lead Job, end func(*Job)) error {
	for _, id := range lead.Batch.Posting {
		if id == lead.ID {
			continue
		}
		_, err := c.e.edit(ctx, id, func(t *Job) error {
			if !t.made() && !t.Undelivered() {
				return errNothingNew
			}
			end(t)
			return nil
		})
		if err != nil && !errors.Is(err, errNothingNew) && !errors.Is(err, ErrNoJob) {
			return err
		}
	}
	return nil
}

// drop takes a video out of the message that can't be fetched any more.
func (c *carrier) drop(ctx context.Context, j Job, id string) error {
	gone := func(t *Job) { t.end(Failed, Failure{Kind: FailExpired}, quota.Keep()) }
	if id != j.ID {
		err := c.endOthers(ctx, Job{ID: j.ID, Batch: Batch{Posting: []string{id}}}, gone)
		if err != nil {
			return err
		}
	}
	return c.update(ctx, j.State, quota.Keep(), func(j *Job) {
		j.Batch.Posting = slices.DeleteFunc(slices.Clone(j.Batch.Posting), func(p string) bool { return p == id })
		if id == j.ID {
			gone(j)
		}
	})
}
