package bot

import (
	"context"
	"errors"
	"slices"
	"time"

	"ltxbot/bot/view"
	"ltxbot/core/generate"
)

// Delete deletes the video of a job, or all those in the message of a batch.
// remove takes the message out of the conversation. The deletion is recorded first, so
// that the provider's copies go whatever becomes of this process. It is taken back if
// remove was not reached or returned ErrStays. After any other error some of it may be
// gone, and the button may be pressed again. The card can be shown anew with what
// Delete returns.
func (svc *Service) Delete(ctx context.Context, id string, remove func(context.Context) error) (generate.Job, generate.Keep, error) {
	j, err := svc.cfg.Generator.Job(ctx, id)
	if err != nil {
		return j, svc.keep(id), err
	}
	takes := []string{id}
	if j.Leads() { // what is not in its message is in none yet, or in one of its own
		takes = slices.DeleteFunc(j.TakeIDs(), func(t string) bool { return !slices.Contains(j.Batch.Posting, t) })
	}
	return svc.discard(ctx, j, takes, func(ctx context.Context, _ generate.Job) error { return remove(ctx) })
}

// DeleteTake is Delete for one video in the message of a batch. remove makes the
// message of the batch that it is given hold what view.Left says.
func (svc *Service) DeleteTake(ctx context.Context, id string, remove func(context.Context, generate.Job) error) (generate.Job, generate.Keep, error) {
	t, err := svc.cfg.Generator.Job(ctx, id)
	if err != nil {
		return t, svc.keep(id), err
	}
	lead, err := svc.cfg.Generator.Job(ctx, t.Batch.ID)
	if err == nil && !slices.Contains(lead.Batch.Posting, id) {
		err = errGone // it is in no message of others
	}
	if err != nil {
		return lead, svc.keep(lead.ID), err
	}
	return svc.discard(ctx, lead, []string{id}, remove)
}

// keep is the Keep of a job that is shown from outside the engine.
func (svc *Service) keep(id string) generate.Keep {
	return func(ctx context.Context, notes map[string]string) error {
		_, err := svc.cfg.Generator.Note(ctx, id, notes)
		return err
	}
}

// ErrStays says, in the error of a removal, that nothing was removed.
var ErrStays = errors.New("nothing was removed")

// errUnderWay says that a video may still be posted.
var errUnderWay = errors.New("the video is still being posted")

// How long a deletion may take, and to take it back: it must be known what became
// of it before the copies of the video go.
const (
	removeLimit  = generate.PurgeAfter - 20*time.Second
	restoreLimit = 5 * time.Second
)

// removedNote is generate.NoteDeleted of a video that is known to be out of its message.
const removedNote = "removed"

// mostRemovals is how often a message is made anew for what others delete in it
// meanwhile.
const mostRemovals = 5

// discard records that takes of the message of j are deleted, and removes them.
func (svc *Service) discard(
	ctx context.Context, j generate.Job, takes []string, remove func(context.Context, generate.Job) error,
) (generate.Job, generate.Keep, error) {
	var fresh []string // were there until now
	var whole generate.Job
	removing := false
	outer := ctx
	ctx, cancel := context.WithTimeout(outer, removeLimit)
	defer cancel()
	err := func() error {
		for _, id := range takes {
			t, err := svc.cfg.Generator.Job(ctx, id)
			if id != j.ID && errors.Is(err, generate.ErrNoJob) {
				continue // it is no longer kept
			}
			if err != nil {
				return err
			}
			if !t.State.Terminal() {
				return errUnderWay
			}
			if t.Notes[generate.NoteDeleted] == "" {
				fresh = append(fresh, id)
			}
			if _, err := svc.cfg.Generator.Discard(ctx, id, map[string]string{generate.NoteDeleted: "yes"}); err != nil {
				return err
			}
		}
		var err error
		if whole, err = svc.now(ctx, j.ID); err != nil {
			return err
		}
		removing = true
		done := false
		for n := 1; ; n++ {
			err := remove(ctx, whole)
			if done {
				err = nil // what was asked for; whoever deletes the other take sees to the rest
			}
			done = err == nil
			if !done && !errors.Is(err, ErrStays) {
				return err // perhaps it was removed: another try could not tell
			}
			now, failed := svc.now(ctx, j.ID)
			if failed != nil || n == mostRemovals || sameLeft(now, whole) {
				return err
			}
			whole = now // somebody has deleted another take, here or in another process
		}
	}()
	switch {
	case err == nil:
		done, end := context.WithTimeout(context.WithoutCancel(outer), restoreLimit)
		defer end()
		for _, id := range takes { // another press may have been refused, and have taken it back
			if _, failed := svc.cfg.Generator.Discard(done, id, map[string]string{generate.NoteDeleted: removedNote}); failed != nil && !errors.Is(failed, generate.ErrNoJob) {
				svc.log.WarnContext(ctx, "a video that was deleted may be recorded as there", "job", id, "error", failed)
			}
		}
		return whole, svc.keep(j.ID), nil
	case removing && !errors.Is(err, ErrStays):
		return j, svc.keep(j.ID), err
	}
	back, end := context.WithTimeout(context.WithoutCancel(outer), restoreLimit)
	defer end()
	for _, id := range fresh {
		if t, failed := svc.cfg.Generator.Job(back, id); failed == nil && t.Notes[generate.NoteDeleted] == removedNote {
			continue // by another press
		}
		if _, failed := svc.cfg.Generator.Restore(back, id, map[string]string{generate.NoteDeleted: ""}); failed != nil {
			svc.log.WarnContext(ctx, "a video that was not deleted is recorded as deleted", "job", id, "error", failed)
		}
	}
	return j, svc.keep(j.ID), err
}

// sameLeft reports whether two records of a job say that the same videos are left
// in its message.
func sameLeft(a, b generate.Job) bool {
	return slices.EqualFunc(view.Left(a), view.Left(b), func(a, b generate.Job) bool { return a.ID == b.ID })
}

// now is whole of a job as it is recorded now.
func (svc *Service) now(ctx context.Context, id string) (generate.Job, error) {
	j, err := svc.cfg.Generator.Job(ctx, id)
	if err != nil {
		return j, err
	}
	return svc.whole(ctx, j)
}

// whole is the lead of a batch with its takes; any other job is as it is.
func (svc *Service) whole(ctx context.Context, j generate.Job) (generate.Job, error) {
	if !j.Leads() {
		return j, nil
	}
	takes := []generate.Job{j}
	for _, id := range j.TakeIDs()[1:] {
		t, err := svc.cfg.Generator.Job(ctx, id)
		if errors.Is(err, generate.ErrNoJob) {
			continue
		}
		if err != nil {
			return j, err
		}
		takes = append(takes, t)
	}
	return j.Whole(takes), nil
}
