package generate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ltxbot/core/quota"
)

// delivering is the step of a job that has an output.
type delivering struct {
	*run

	tries       tries
	media       *media    // the video on this machine
	undelivered time.Time // since when the conversation does not take it
}

// do posts the video. It was paid for: it is tried until the conversation has
// it, or is gone.
func (d *delivering) do(ctx context.Context, j Job) (time.Duration, error) {
	if j.State == Fetched {
		if err := d.update(ctx, Fetched, quota.Keep(), func(j *Job) { j.State = Delivering }); err != nil {
			return 0, err
		}
	}
	d.measure(ctx)
	j = d.snapshot()
	courier := d.courier(j)
	over := time.Since(j.deliveringSince()) > giveUpAfter
	if courier == nil && over {
		return 0, d.finish(ctx, Delivering, Failed, Failure{Kind: FailUnreachable}, quota.Keep())
	}
	if courier == nil {
		return d.tries.again(ctx, d.run, &RetryError{After: platformOffPause, Err: errPlatformOff})
	}
	d.card.wait()
	receipt, err := d.post(ctx, j, courier)
	switch {
	case err == nil:
		receipt.At = time.Now()
		return 0, d.outcome(d.e.hard, func(ctx context.Context) error {
			return d.update(ctx, Delivering, quota.Keep(), func(j *Job) {
				j.State, j.Receipt, j.Finished = Delivered, receipt, receipt.At
			})
		})
	case errors.Is(err, ErrUnreachable):
		return 0, d.finish(ctx, Delivering, Failed, Failure{Kind: FailUnreachable}, quota.Keep())
	case errors.Is(err, ErrGone):
		return 0, d.finish(ctx, Delivering, Failed, Failure{Kind: FailExpired}, quota.Keep())
	case ctx.Err() != nil:
		return 0, ctx.Err()
	case over:
		d.log.ErrorContext(ctx, "giving up on a delivery", "error", err)
		return 0, d.finish(ctx, Delivering, Failed, Failure{Kind: FailUnreachable}, quota.Keep())
	default:
		d.card.refresh()
		return d.tries.again(ctx, d.run, err)
	}
}

func (d *delivering) end() { d.media.remove() }

// linkAfter is how long a conversation may fail to take a video, counted from
// the first failure, until a link is tried beside the file.
const linkAfter = time.Minute

// post gives the video to the courier: as a file, and if that has failed for a
// while, as a link right after it. So a conversation that takes no uploads
// gets a link, and one that was away gets the file once it is back.
func (d *delivering) post(ctx context.Context, j Job, courier Courier) (Receipt, error) {
	if d.media == nil {
		d.media = d.e.media(d.run, j)
	}
	// A stop of the process lets an upload under way come to its end.
	receipt, err := courier.Deliver(d.e.hard, j, Video{Output: j.Output, Fetch: d.media.fetch}, d.keep)
	if err == nil {
		return receipt, nil
	}
	d.media.keep()
	if ctx.Err() != nil || d.media.unfetched() || errors.Is(err, ErrUnreachable) || errors.Is(err, ErrGone) || errors.Is(err, errLost) {
		return receipt, err
	}
	if _, later := errors.AsType[*RetryError](err); later {
		return receipt, err // it is not the video that the conversation does not take
	}
	if d.undelivered.IsZero() {
		d.undelivered = time.Now()
	}
	if time.Since(d.undelivered) < linkAfter {
		return receipt, err
	}
	d.log.WarnContext(ctx, "conversation does not take the video; a link is tried", "error", err)
	link := Video{Output: j.Output, Link: true, Fetch: func(context.Context, int64) (File, error) {
		return File{}, &LinkError{fmt.Errorf("%w: %w", ErrUploads, err)}
	}}
	return courier.Deliver(d.e.hard, d.snapshot(), link, d.keep)
}

// deliveringSince is when the delivery began, as far as is recorded.
func (j Job) deliveringSince() time.Time {
	if j.Fetched.IsZero() {
		return j.Created
	}
	return j.Fetched
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
