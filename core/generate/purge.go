package generate

import (
	"context"
	"errors"
	"time"

	"ltxbot/core/quota"
)

// A Purger deletes what the provider keeps of a request: its input, its output,
// its video.
type Purger interface {
	// Purge is idempotent. A request that the provider does not know is purged.
	Purge(ctx context.Context, s Submission) error
}

// How the provider's copy of a video is deleted.
const (
	// PurgeAfter is how long a deletion can be taken back.
	PurgeAfter = time.Minute
	purgeLimit = 15 * time.Second // for the provider to answer
	purgesMost = 4                // at a time
	purgePause = 2 * time.Second  // between tries, growing
	purgeMost  = time.Hour
	// purgeGiveUp is how long it is tried: the provider keeps requests no longer.
	// https://fal.ai/docs/documentation/model-apis/inference/payloads
	purgeGiveUp = 30 * 24 * time.Hour
)

// NoteDeleted is the note of a job whose video was removed from its conversation.
const NoteDeleted = "deleted"

// Discard saves notes with a job whose video somebody deletes. In a minute its copy
// goes from the archive, and where the bot may do that, the provider deletes its
// own, which is tried until the provider has confirmed it. Restore takes it back
// until then.
func (e *Engine) Discard(ctx context.Context, id string, notes map[string]string) (Job, error) {
	j, err := e.edit(ctx, id, func(j *Job) error {
		at := time.Now().Add(PurgeAfter)
		j.Notes, j.Copy = merge(j.Notes, notes), j.Copy.going(at)
		if e.cfg.Purger != nil {
			j.purge(at)
		}
		return nil
	})
	e.archiver.stir()
	return j, err
}

// Restore takes back what Discard has begun, and saves notes.
func (e *Engine) Restore(ctx context.Context, id string, notes map[string]string) (Job, error) {
	j, err := e.edit(ctx, id, func(j *Job) error {
		j.Notes, j.Purge, j.Copy = merge(j.Notes, notes), time.Time{}, j.Copy.back(time.Now())
		return nil
	})
	e.archiver.stir()
	return j, err
}

// purge has the provider's copy of j deleted from at on.
func (j *Job) purge(at time.Time) {
	if j.Submission.RequestID != "" && j.Purge.IsZero() {
		j.Purge = at
	}
}

// purged ends what purge has begun.
func (j *Job) purged() {
	j.Purge = time.Time{}
	if j.isErased() {
		j.Submission = Submission{}
	}
}

// errNoPurger says that the bot has no right to delete the provider's copies.
var errNoPurger = errors.New("the bot has no key to delete it")

// purge deletes what the provider keeps of j, when it is time. It is tried until
// the provider has confirmed it; at last it is left to the operator.
func (c *concluding) purge(ctx context.Context, j Job) (time.Duration, error) {
	if d := max(time.Until(j.Purge), time.Until(c.purgeAt)); d > 0 {
		return d, nil
	}
	select {
	case c.e.purging <- struct{}{}:
		defer func() { <-c.e.purging }()
	default: // the provider's calls are for videos first
		return purgePause, nil
	}
	err := errNoPurger
	if p := c.e.cfg.Purger; p != nil {
		call, cancel := context.WithTimeout(ctx, purgeLimit)
		defer cancel()
		c.e.polls.spend()
		err = p.Purge(call, j.Submission)
	}
	log := c.log.With("request_id", j.Submission.RequestID)
	switch {
	case err == nil:
		log.InfoContext(ctx, "the provider has deleted its copy of a video")
	case ctx.Err() != nil:
		return 0, ctx.Err()
	case time.Since(j.Purge) > purgeGiveUp:
		log.ErrorContext(ctx, "giving up: the provider has not deleted its copy of a video that was deleted here", "since", j.Purge, "error", err)
	default:
		if c.purges++; c.purges == 1 || c.purges%logEvery == 0 {
			log.WarnContext(ctx, "the provider does not delete its copy of a video, it is tried again", "tries", c.purges, "error", err)
		}
		pause := backoff(c.purges, purgePause, purgeMost)
		c.purgeAt = time.Now().Add(pause)
		return pause, nil
	}
	return 0, c.change(ctx, quota.Keep(), func(j *Job) error {
		j.purged()
		return nil
	})
}
