package generate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"ltxbot/core/quota"
)

// delivering is the step of a job that has an output.
type delivering struct {
	carrier

	leaderless time.Time // since when the lead of the batch is not there
	alone      bool      // the lead has not chosen this take since it went alone
}

// do posts the video, or those of the batch. They were paid for: it is tried
// until the conversation has them, or is gone.
func (d *delivering) do(ctx context.Context, j Job) (time.Duration, error) {
	if j.follows() && j.State == Fetched {
		alone, rest, err := d.follow(ctx, j)
		if !alone || err != nil {
			return rest, err
		}
		return 0, d.update(ctx, Fetched, quota.Keep(), func(j *Job) { j.State = Delivering })
	}
	if j.follows() && !d.alone {
		return 0, d.goAlone(ctx, j)
	}
	if j.State == Fetched && j.Leads() {
		if j.Batch.Posting != nil { // it was found after the others were posted: the card has a link
			return 0, d.finish(ctx, Fetched, Failed, Failure{Kind: FailUnreachable}, quota.Keep())
		}
		return d.choose(ctx, j, func(j *Job) { j.State = Delivering })
	}
	d.measure(ctx)
	return d.bring(ctx, d.snapshot())
}

func (d *delivering) end() { d.remove() }

// A carrier posts the videos of a job or of a batch.
type carrier struct {
	*run

	posts       tries
	media       map[string]*media // the videos on this machine, by job
	gone        string            // the job whose video can't be fetched any more
	undelivered time.Time         // since when the conversation does not take it
}

// remove deletes the files on this machine.
func (c *carrier) remove() {
	for _, m := range c.media {
		m.remove()
	}
}

// markDelivered makes j Delivered, with a copy due if there is an archive.
func (e *Engine) markDelivered(j *Job, r Receipt) {
	j.State, j.Receipt, j.Finished, j.Failure = Delivered, r, r.At, Failure{}
	if e.archiver.on() {
		j.Copy = Copy{State: CopyDue, Path: j.copyPath()}
	}
}

// others posts, for a lead without a video of its own, the videos of the other
// takes, and reports whether that is done.
func (c *carrier) others(ctx context.Context, j Job) (done bool, rest time.Duration, err error) {
	if j.Batch.Posting == nil {
		rest, err = c.choose(ctx, j, func(*Job) {})
		j = c.snapshot()
		if rest > 0 || err != nil || j.Batch.Posting == nil {
			return rest == 0 && err == nil, rest, err
		}
	}
	takes, err := c.e.takesOf(ctx, j)
	if err != nil {
		return false, 0, err
	}
	if !slices.ContainsFunc(takes, func(t Job) bool { return t.made() && slices.Contains(j.Batch.Posting, t.ID) }) {
		return true, 0, nil
	}
	rest, err = c.bring(ctx, j)
	return false, rest, err
}

// bring posts what j has to post.
func (c *carrier) bring(ctx context.Context, j Job) (time.Duration, error) {
	if left, err := c.leaveOut(ctx, j); left || err != nil {
		return 0, err
	}
	courier := c.courier(j)
	over := time.Since(j.deliveringSince()) > giveUpAfter
	if courier == nil && over {
		return 0, c.unposted(ctx, FailUnreachable)
	}
	if courier == nil {
		return c.posts.again(ctx, c.run, &RetryError{After: platformOffPause, Err: errPlatformOff})
	}
	c.card.wait()
	receipts, notes, err := c.post(ctx, j, courier)
	switch {
	case err == nil:
		return 0, c.outcome(c.e.hard, func(ctx context.Context) error { return c.posted(ctx, receipts, notes) })
	case errors.Is(err, ErrUnreachable):
		return 0, c.unposted(ctx, FailUnreachable)
	case errors.Is(err, ErrGone) && j.Leads():
		return 0, c.drop(ctx, c.snapshot(), c.gone)
	case errors.Is(err, ErrGone):
		return 0, c.unposted(ctx, FailExpired)
	case ctx.Err() != nil:
		return 0, ctx.Err()
	case over:
		c.log.ErrorContext(ctx, "giving up on a delivery", "error", err)
		return 0, c.unposted(ctx, FailUnreachable)
	default:
		c.card.refresh()
		return c.posts.again(ctx, c.run, err)
	}
}

// posted saves that the videos are in the conversation, with what the courier
// must remember of that. The lead of a batch comes last: until then it is not over,
// and does the rest again.
func (c *carrier) posted(ctx context.Context, receipts map[string]Receipt, notes map[string]string) error {
	j := c.snapshot()
	if err := c.settleTakes(ctx, j, receipts); err != nil {
		return err
	}
	err := c.update(ctx, j.State, quota.Keep(), func(j *Job) {
		j.Notes = merge(j.Notes, notes)
		if j.made() {
			c.e.markDelivered(j, receipts[j.ID])
		}
	})
	if err == nil {
		c.e.archiver.offer(c.media, receipts)
	}
	return err
}

// unposted saves that the videos can't be posted.
func (c *carrier) unposted(ctx context.Context, kind FailureKind) error {
	j := c.snapshot()
	if err := c.failTakes(ctx, j, kind); err != nil || !j.made() {
		return err
	}
	return c.finish(ctx, j.State, Failed, Failure{Kind: kind}, quota.Keep())
}

// keep is the Keep of a delivery: what a courier keeps before it posts is what
// makes the job Delivering.
func (c *carrier) keep(ctx context.Context, notes map[string]string) error {
	return c.keepIn(ctx, notes, func(j *Job) {
		if j.State == Fetched {
			j.State = Delivering
		}
	})
}

// linkAfter is how long a conversation may fail to take a video, counted from
// the first failure, until a link is tried beside the file.
const linkAfter = time.Minute

// post gives the videos to the courier: as files, and if that has failed for a
// while, as links right after it. So a conversation that takes no uploads
// gets links, and one that was away gets the files once it is back.
func (c *carrier) post(ctx context.Context, j Job, courier Courier) (_ map[string]Receipt, notes map[string]string, _ error) {
	whole, err := c.e.whole(ctx, j)
	if err != nil {
		return nil, nil, err
	}
	jobs := whole.Posted()
	videos := make([]Video, len(jobs))
	for i, t := range jobs {
		t.Redelivery = cmp.Or(j.Redelivery, t.Redelivery)
		videos[i] = Video{Job: t, Output: t.Output, Fetch: c.fetcher(t)}
	}
	// A stop of the process lets an upload under way come to its end.
	receipts, err := courier.Deliver(c.e.hard, whole, videos, c.keep)
	if err == nil {
		by, notes := byJob(jobs, receipts)
		return by, notes, nil
	}
	unfetched := false
	for _, m := range c.media {
		m.keep()
		unfetched = unfetched || m.unfetched()
	}
	if ctx.Err() != nil || unfetched || errors.Is(err, ErrUnreachable) || errors.Is(err, ErrGone) || errors.Is(err, errLost) {
		return nil, nil, err
	}
	if _, later := errors.AsType[*RetryError](err); later {
		return nil, nil, err // it is not the video that the conversation does not take
	}
	if c.undelivered.IsZero() {
		c.undelivered = time.Now()
	}
	if time.Since(c.undelivered) < linkAfter {
		return nil, nil, err
	}
	c.log.WarnContext(ctx, "conversation does not take the video; a link is tried", "error", err)
	for i := range videos {
		videos[i].Link = true
		videos[i].Fetch = func(context.Context, int64) (File, error) {
			return File{}, &LinkError{fmt.Errorf("%w: %w", ErrUploads, err)}
		}
	}
	whole.Notes = c.snapshot().Notes
	receipts, err = courier.Deliver(c.e.hard, whole, videos, c.keep)
	by, notes := byJob(jobs, receipts)
	return by, notes, err
}

// fetcher is Video.Fetch for a job.
func (c *carrier) fetcher(j Job) func(context.Context, int64) (File, error) {
	m := c.media[j.ID]
	if m == nil {
		m = c.e.media(c.run, j)
		if c.media == nil {
			c.media = map[string]*media{}
		}
		c.media[j.ID] = m
	}
	return func(ctx context.Context, limit int64) (File, error) {
		f, err := m.fetch(ctx, limit)
		if errors.Is(err, ErrGone) {
			c.gone = j.ID
		}
		return f, err
	}
}

// byJob are receipts by the job that each is for, and the notes that came with
// them.
func byJob(jobs []Job, receipts []Receipt) (by map[string]Receipt, notes map[string]string) {
	now := time.Now()
	by, notes = make(map[string]Receipt, len(receipts)), map[string]string{}
	for i, r := range receipts {
		maps.Copy(notes, r.Notes)
		r.At, r.Notes = now, nil
		by[jobs[i].ID] = r
	}
	return by, notes
}

// deliveringSince is when the delivery began, as far as is recorded.
func (j Job) deliveringSince() time.Time {
	if j.Redelivery != nil {
		return j.Redelivery.At
	}
	for _, at := range []time.Time{j.Fetched, j.Finished} {
		if !at.IsZero() {
			return at
		}
	}
	return j.Created
}

// gaugesOf are the limits that apply to j and how far they are used now.
func (e *Engine) gaugesOf(ctx context.Context, j Job) ([]quota.Gauge, error) {
	gauges, err := e.Usage(ctx, quota.Asker{Team: j.Team, Member: j.Member, Tiers: j.Tiers})
	return limited(gauges), err
}

// limited are the gauges that have a limit.
func limited(gauges []quota.Gauge) []quota.Gauge {
	var out []quota.Gauge
	for _, g := range gauges {
		if g.Max > 0 {
			out = append(out, g)
		}
	}
	return out
}
