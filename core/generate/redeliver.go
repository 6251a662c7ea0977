package generate

import (
	"context"
	"errors"
	"slices"
	"time"

	"ltxbot/core/quota"
)

// A Redelivery is somebody's wish to have a video delivered that could not be
// posted.
type Redelivery struct {
	By string    `json:"by"` // a member, or the operator
	At time.Time `json:"at"`
	// Takes are the other takes of a batch that are taken up one after the other
	// once its lead, which has no video to post, knows of it.
	Takes []string `json:"takes,omitempty"`
}

// takeUpLimit is how long a lead waits for its takes to be taken up: the process
// that does so may die.
const takeUpLimit = time.Minute

// takesUp reports whether the take t of the lead j is about to be taken up once
// more.
func (j Job) takesUp(t Job) bool {
	r := j.Redelivery
	return r != nil && slices.Contains(r.Takes, t.ID) && t.Undelivered() && time.Since(r.At) < takeUpLimit &&
		(t.Redelivery == nil || t.Redelivery.At.Before(r.At))
}

// ErrDelivered says that a job has no video that could not be posted.
var ErrDelivered = errors.New("job has no video that is left to deliver")

// Undelivered reports whether the video of j was made and paid for, and could not
// be posted. One that somebody has deleted was posted, whatever the record says. One
// of a lead that was found after the other takes were posted is linked on its card.
func (j Job) Undelivered() bool {
	linked := j.Leads() && j.Batch.Posting != nil && !slices.Contains(j.Batch.Posting, j.ID)
	return j.State == Failed && j.Output.URL != "" && !linked && j.Purge.IsZero() && j.Notes[NoteDeleted] == ""
}

// Redeliver posts the video of a job that was paid for and could not be posted, or
// all such videos of its batch. The couriers look before they post: what is in the
// conversation already is not posted again. It costs nothing. It returns
// ErrDelivered when there is nothing to post, ErrGone when the provider does not
// keep the file any more, which holds up no other take, and ErrTooLate while the
// batch is being delivered. by is who asks.
func (e *Engine) Redeliver(ctx context.Context, id, by string) (Job, error) {
	j, err := e.cfg.Store.Job(ctx, id)
	switch {
	case err != nil:
		return j, err
	case !j.Undelivered():
		return j, ErrDelivered
	}
	all, err := e.batchOf(ctx, j)
	if err != nil {
		return j, err
	}
	left := slices.DeleteFunc(slices.Clone(all), func(t Job) bool { return !t.Undelivered() || !e.keeps(ctx, t) })
	if len(left) == 0 {
		return j, ErrGone
	}
	if err := e.redeliverAll(ctx, all[0], left, by); err != nil {
		return j, err
	}
	if !slices.ContainsFunc(left, func(t Job) bool { return t.ID == id }) {
		return j, ErrGone
	}
	return e.cfg.Store.Job(ctx, id)
}

// redeliverAll posts the videos of jobs of the batch of lead, which could not be
// posted.
func (e *Engine) redeliverAll(ctx context.Context, lead Job, left []Job, by string) error {
	asked := &Redelivery{By: by, At: time.Now()}
	switch {
	case lead.follows(): // of a batch whose lead was removed
	case left[0].ID == lead.ID:
		return e.postByLead(ctx, left, asked)
	default:
		if err := e.releaseTakes(ctx, lead, left, asked); err != nil {
			return err
		}
	}
	for _, t := range left {
		err := e.redeliver(ctx, t.ID, asked, func(t *Job) { t.State = Fetched })
		if err != nil && !errors.Is(err, ErrDelivered) {
			return err
		}
	}
	return nil
}

// batchOf are all jobs of the batch of j that the store has, the lead first; of a
// job by itself j alone.
func (e *Engine) batchOf(ctx context.Context, j Job) ([]Job, error) {
	if !j.follows() {
		return e.takesIn(ctx, j)
	}
	lead, err := e.cfg.Store.Job(ctx, j.Batch.ID)
	if errors.Is(err, ErrNoJob) {
		return []Job{j}, nil
	}
	if err != nil {
		return nil, err
	}
	return e.takesIn(ctx, lead)
}

// takesIn are the takes of lead as the store has them, itself first.
func (e *Engine) takesIn(ctx context.Context, lead Job) ([]Job, error) {
	all := []Job{lead}
	for _, id := range lead.TakeIDs()[1:] {
		t, err := e.cfg.Store.Job(ctx, id)
		if err != nil && !errors.Is(err, ErrNoJob) {
			return nil, err
		}
		if err == nil {
			all = append(all, t)
		}
	}
	return all, nil
}

// keeps reports whether the provider still has the video of j, as far as it says.
func (e *Engine) keeps(ctx context.Context, j Job) bool {
	body, err := e.cfg.Provider.Open(ctx, j.Output.URL, 0)
	if err == nil {
		_ = body.Body.Close() // that it could be opened is enough
	}
	return !errors.Is(err, ErrGone)
}

// postByLead has the first of the jobs post all of them in one message. The
// records of the other takes stay as they are until that is done.
func (e *Engine) postByLead(ctx context.Context, left []Job, asked *Redelivery) error {
	posting := make([]string, len(left))
	for i, t := range left {
		posting[i] = t.ID
	}
	return e.redeliver(ctx, left[0].ID, asked, func(lead *Job) {
		lead.State = Delivering
		if lead.Leads() {
			lead.Batch.Posting = posting
		}
	})
}

// releaseTakes takes the videos of takes out of what their lead, which has none
// of its own to post, was to post. If it never had one, it posts them anew, else
// they go by themselves. Its card tells of them again.
func (e *Engine) releaseTakes(ctx context.Context, lead Job, takes []Job, asked *Redelivery) error {
	_, err := e.edit(ctx, lead.ID, func(lead *Job) error {
		if !lead.carried() {
			return ErrTooLate
		}
		again := *asked
		for _, t := range takes {
			again.Takes = append(again.Takes, t.ID)
		}
		lead.Redelivery, lead.Shown = &again, ""
		lead.Batch.Posting = slices.DeleteFunc(slices.Clone(lead.Batch.Posting), func(id string) bool { return slices.Contains(again.Takes, id) })
		if len(lead.Batch.Posting) == 0 {
			lead.Batch.Posting = nil
		}
		return nil
	})
	return err
}

// redeliver takes a job up again whose video could not be posted.
func (e *Engine) redeliver(ctx context.Context, id string, asked *Redelivery, change func(*Job)) error {
	_, err := e.bill(ctx, id, func(j *Job) (quota.Billing, error) {
		if !j.Undelivered() {
			return quota.Keep(), ErrDelivered
		}
		j.Failure, j.Finished, j.Shown = Failure{}, time.Time{}, ""
		j.Redelivery, j.Doubted = asked, true // a try before may have posted it
		change(j)
		return quota.Keep(), nil
	})
	return err
}
