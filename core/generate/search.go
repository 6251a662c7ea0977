package generate

import (
	"context"
	"errors"
	"time"

	"ltxbot/core/quota"
)

// Times of a search.
const (
	searchPause = 3 * time.Second // between searches for a lost submit, growing
	searchMost  = 20 * time.Second
	searchLimit = 30 * time.Second
)

// searching is the step of a job whose submit was lost.
type searching struct {
	*run

	lookups int       // answered searches for a lost submit
	looked  bool      // one of them was of all that the provider has received since
	looking time.Time // since when this run looks for it
}

func (s *searching) end() {}

// do looks for a submit whose outcome is not known in the provider's history.
// When the grace time is over without a trace, the hold is released and the
// person told; it is looked for once more at the deadline.
func (s *searching) do(ctx context.Context, j Job) (time.Duration, error) {
	s.card.refresh()
	if j.Submission.RequestID != "" {
		return s.confirm(ctx, j)
	}
	if s.looking.IsZero() {
		s.looking = time.Now()
	}
	// The submit was sent within submitLimit, as far as the clocks are right
	// and the record is: of a doubtful job nobody knows. The last look is at
	// all that came since.
	to := j.Submitted.Add(submitLimit)
	wide := j.Doubted || time.Now().After(j.Submitted.Add(s.e.cfg.Grace))
	if wide {
		to = time.Now()
	}
	sub, found, err := s.e.find(ctx, j, to)
	switch {
	case ctx.Err() != nil:
		return 0, ctx.Err()
	case errors.Is(err, errSearch):
		s.log.WarnContext(ctx, "cannot search the provider's history", "error", err)
	case err != nil:
		return 0, err
	case found:
		s.log.InfoContext(ctx, "found the lost submit", "request_id", sub.RequestID)
		return 0, s.update(ctx, Unknown, quota.Keep(), func(j *Job) { j.Submission = sub })
	default:
		s.lookups++
		s.looked = s.looked || wide
	}
	// After a long stop, one answered search of all is enough; while searches
	// fail, this run gives them a grace time of their own, and so it does when
	// nobody knows when the job was submitted.
	now := time.Now()
	looked := s.looked && !j.Doubted || now.After(s.looking.Add(s.e.cfg.Grace))
	over := looked && now.After(j.Submitted.Add(s.e.cfg.Grace))
	if over {
		if !s.looked {
			s.log.ErrorContext(ctx, "a submit is given up as lost though the provider's history could not be searched")
		}
		return 0, s.finish(ctx, Unknown, Failed, Failure{Kind: FailLost}, quota.Release(), unsureAndLookAgain)
	}
	return backoff(s.lookups+1, searchPause, searchMost), nil
}

// confirm makes the submission that the job has claimed its own, unless another
// job claims it as well. The claim was saved before the others' are read here,
// and they do the same: of two that claim one submission at least one sees
// the other, in whatever processes they are. Whoever sees another claim gives
// its own up and searches again, a while later than the other.
func (s *searching) confirm(ctx context.Context, j Job) (time.Duration, error) {
	taken, err := s.e.claimed(ctx, j)
	if err != nil {
		return 0, err
	}
	if !taken[j.Submission.RequestID] {
		return 0, s.update(ctx, Unknown, quota.Keep(), func(j *Job) { j.State = Queued })
	}
	s.log.InfoContext(ctx, "another job claims the submit as well", "request_id", j.Submission.RequestID)
	if err := s.update(ctx, Unknown, quota.Keep(), func(j *Job) { j.Submission = Submission{} }); err != nil {
		return 0, err
	}
	return backoff(s.lookups+1, searchPause, searchMost), nil
}

// unclaimed is the first submission that no other job has: the same prompt
// and seed may have been asked for before.
func (e *Engine) unclaimed(ctx context.Context, j Job, found []Submission) (Submission, bool, error) {
	if len(found) == 0 {
		return Submission{}, false, nil
	}
	taken, err := e.claimed(ctx, j)
	if err != nil {
		return Submission{}, false, err
	}
	for _, s := range found {
		if !taken[s.RequestID] {
			return s, true, nil
		}
	}
	return Submission{}, false, nil
}

// claimed are the request ids that jobs other than j have or claim.
func (e *Engine) claimed(ctx context.Context, j Job) (map[string]bool, error) {
	others, err := e.cfg.Store.Jobs(ctx, Query{Limit: searchAmong})
	if err != nil {
		return nil, err
	}
	taken := map[string]bool{}
	for _, o := range others {
		if o.ID != j.ID {
			taken[o.Submission.RequestID] = true
		}
	}
	return taken, nil
}

// searchAmong is how many of the latest jobs may own a submission that is
// found in the history.
const searchAmong = 1000
