package generate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ltxbot/core/quota"
)

// deliver posts the video. It was paid for: it is tried until the
// conversation has it, or is gone.
func (e *Engine) deliver(ctx context.Context, r *run, j Job) error {
	if j.State == Fetched {
		if err := r.update(ctx, Fetched, quota.Keep(), func(j *Job) { j.State = Delivering }); err != nil {
			return err
		}
		r.tries = 0
	}
	r.measure(ctx)
	j = r.snapshot()
	courier := r.courier(j)
	if courier == nil && time.Since(r.deliveringSince()) > giveUpAfter {
		return r.finish(ctx, Delivering, Failed, Failure{Kind: FailUnreachable}, quota.Keep())
	}
	if courier == nil {
		return r.retry(ctx, &RetryError{After: platformOffPause, Err: errPlatformOff})
	}
	r.card.wait()
	receipt, err := e.post(ctx, r, j, courier)
	switch {
	case err == nil:
		receipt.At = time.Now()
		return r.outcome(e.hard, func(ctx context.Context) error {
			return r.update(ctx, Delivering, quota.Keep(), func(j *Job) {
				j.State, j.Receipt, j.Finished = Delivered, receipt, receipt.At
			})
		})
	case errors.Is(err, ErrUnreachable):
		return r.finish(ctx, Delivering, Failed, Failure{Kind: FailUnreachable}, quota.Keep())
	case errors.Is(err, ErrGone):
		return r.finish(ctx, Delivering, Failed, Failure{Kind: FailExpired}, quota.Keep())
	case ctx.Err() != nil:
		return ctx.Err()
	case r.deliveringSince().Add(giveUpAfter).Before(time.Now()):
		r.log.ErrorContext(ctx, "giving up on a delivery", "error", err)
		return r.finish(ctx, Delivering, Failed, Failure{Kind: FailUnreachable}, quota.Keep())
	default:
		r.card.refresh(ctx)
		return r.retry(ctx, err)
	}
}

// linkAfter is how long a conversation may fail to take a video, counted from
// the first failure, until a link is tried beside the file.
const linkAfter = time.Minute

// post gives the video to the courier: as a file, and if that has failed for a
// while, as a link right after it. So a conversation that takes no uploads
// gets a link, and one that was away gets the file once it is back.
func (e *Engine) post(ctx context.Context, r *run, j Job, courier Courier) (Receipt, error) {
	if r.media == nil {
		r.media = e.media(r, j)
	}
	// A stop of the process lets an upload under way come to its end.
	receipt, err := courier.Deliver(e.hard, j, Video{Output: j.Output, Fetch: r.media.fetch}, r.keep)
	if err == nil {
		return receipt, nil
	}
	r.media.keep()
	if ctx.Err() != nil || r.media.unfetched() || errors.Is(err, ErrUnreachable) || errors.Is(err, ErrGone) || errors.Is(err, errLost) {
		return receipt, err
	}
	if r.undelivered.IsZero() {
		r.undelivered = time.Now()
	}
	if time.Since(r.undelivered) < linkAfter {
		return receipt, err
	}
	r.log.WarnContext(ctx, "conversation does not take the video; a link is tried", "error", err)
	link := Video{Output: j.Output, Link: true, Fetch: func(context.Context, int64) (File, error) {
		return File{}, &LinkError{fmt.Errorf("%w: %w", ErrUploads, err)}
	}}
	return courier.Deliver(e.hard, r.snapshot(), link, r.keep)
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
