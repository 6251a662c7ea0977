package generate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"ltxbot/core/ltx"
	"ltxbot/core/quota"
)

// Records is a Store that lets go of jobs that are over.
type Records interface {
	Job(ctx context.Context, id string) (Job, error)
	Jobs(ctx context.Context, q Query) ([]Job, error)
	Save(ctx context.Context, j Job, b quota.Billing) (Job, error)

	// Remove removes the stored job j with all that finds it, if the stored
	// version is still j.Version and the job is not unfinished; else it does
	// nothing and returns ErrConflict. A job that is not there is ErrNoJob.
	// Its hold goes with it as soon as no counter that is still kept has a
	// share of it: at once, or by a later sweep. The books stay right: a
	// hold that goes is taken out of the totals.
	Remove(ctx context.Context, j Job) error

	// ForgetDefaults removes what a member has set for their own videos, in a
	// team or with an empty team in all.
	ForgetDefaults(ctx context.Context, team, member string) error
}

// LateEvents is how long after its end a job may still be asked about: an
// event that a platform delivers again must find its job, and a submit that
// was believed lost may turn out to have been paid for. Platforms and
// provider repeat themselves for hours.
// https://docs.slack.dev/apis/events-api/#retries
// https://docs.fal.ai/model-apis/model-endpoints/webhooks
const LateEvents = 24 * time.Hour

// erasePage is how many jobs are read at a time.
const erasePage = 100

// Erased says what came of erasing a member's data.
type Erased struct {
	Jobs int `json:"jobs"` // erased by this call
	Left int `json:"left"` // not over yet: to be erased again later
	// Copies are those of Jobs of which the provider keeps its copy: the bot has
	// no key to delete it.
	Copies int `json:"copies,omitempty"`
}

// Erase blanks the finished jobs of members, and those that they asked for
// while their accounts were linked with others, in a team or with an empty team
// in all: what is left of each is what keeps an event from becoming a second
// job, and the ledger right. Jobs that are under way are left alone. What the
// members have set for their own videos is erased, too. With purges
// the provider's copies are deleted as well: by the engine, until the provider
// has confirmed it.
func Erase(ctx context.Context, records Records, purges bool, team string, members ...string) (Erased, error) {
	var done Erased
	err := eachOf(ctx, records, team, members, func(j Job) (bool, error) {
		erased, err := eraseJob(ctx, records, purges, j)
		switch {
		case errors.Is(err, ErrNoJob), err == nil && j.isErased():
		case err != nil:
			return false, err
		case erased:
			done.Jobs++
			if !purges && j.Submission.RequestID != "" {
				done.Copies++
			}
		default:
			done.Left++
		}
		return true, nil
	})
	for _, m := range members {
		if err == nil {
			err = records.ForgetDefaults(ctx, team, m)
		}
	}
	if err != nil {
		return done, fmt.Errorf("erase data of a member: %w", err)
	}
	return done, nil
}

// eraseJob blanks one job and reports whether it is over.
func eraseJob(ctx context.Context, records Records, purges bool, j Job) (bool, error) {
	for {
		lost := j.Unsure && time.Since(j.ended()) < LateEvents
		if j.underWay() || lost {
			return false, nil
		}
		if j.isErased() {
			return true, nil
		}
		erased := j.Erased()
		if purges {
			erased.Submission.RequestID = j.Submission.RequestID
			erased.purge(time.Now())
		}
		_, err := records.Save(ctx, erased, quota.Keep())
		if !errors.Is(err, ErrConflict) {
			return err == nil, err
		}
		if j, err = records.Job(ctx, j.ID); err != nil {
			return false, err
		}
	}
}

// eachOf calls visit for the jobs of members, newest first for each of them,
// then for those of others that they asked for.
func eachOf(ctx context.Context, records interface {
	Jobs(ctx context.Context, q Query) ([]Job, error)
}, team string, members []string, visit func(Job) (bool, error),
) error {
	if len(members) == 0 || slices.Contains(members, "") {
		return errors.New("no member is named")
	}
	for _, m := range members {
		if err := each(ctx, records, Query{Team: team, Member: m}, visit); err != nil {
			return err
		}
	}
	return each(ctx, records, Query{Team: team}, func(j Job) (bool, error) {
		if slices.Contains(members, j.Member) || !slices.Contains(members, j.Place.Member) {
			return true, nil
		}
		return visit(j)
	})
}

// each calls visit for the jobs that q selects, newest first, until it
// returns false. Jobs that are removed meanwhile do no harm.
func each(ctx context.Context, records interface {
	Jobs(ctx context.Context, q Query) ([]Job, error)
}, q Query, visit func(Job) (bool, error),
) error {
	q.Limit = erasePage
	seen := map[string]bool{} // of the page before
	for {
		page, err := records.Jobs(ctx, q)
		if err != nil {
			return err
		}
		now := make(map[string]bool, len(page))
		for _, j := range page {
			now[j.ID] = true
			if seen[j.ID] {
				continue
			}
			if on, err := visit(j); err != nil || !on {
				return err
			}
		}
		if len(page) < q.Limit {
			return nil
		}
		// Jobs of the very same moment may be on either side of the page's
		// end: the next page begins with them again, and is larger when it
		// would have no others.
		last := page[len(page)-1].Created
		if last.Equal(page[0].Created) {
			q.Limit *= 2
		} else {
			q.Limit = erasePage
		}
		q.Before = last.Add(1)
		seen = now
	}
}

// ended is when j became terminal, as far as that is known.
func (j Job) ended() time.Time {
	if j.Finished.IsZero() {
		return j.Created
	}
	return j.Finished
}

func (j Job) hasPrompt() bool { return !j.Request.IsZero() || j.Output.Prompt != "" }

// WithoutPrompt is j without what was asked for, in words and numbers. It goes
// from the archive, too.
func (j Job) WithoutPrompt() Job {
	j.Request, j.Batch.Trial, j.Output.Prompt = ltx.Request{}, ltx.Trial{}, ""
	j.Copy = j.Copy.stale()
	return j
}

// Erased is j without anything by which somebody could tell what it was
// about, where it was asked for, and where its video is. What remains: ids of
// job, team and member, state, amounts, times.
func (j Job) Erased() Job {
	j.Request, j.Batch.Trial, j.Output, j.Submission, j.Copy = ltx.Request{}, ltx.Trial{}, ltx.Output{}, Submission{}, Copy{}
	j.Event, j.Notes, j.Cancel, j.Redelivery, j.Parent, j.Purge = "", nil, nil, nil, "", time.Time{}
	j.Place = Place{Platform: j.Place.Platform, Private: j.Place.Private}
	j.Receipt = Receipt{Fit: j.Receipt.Fit, At: j.Receipt.At}
	j.Failure = Failure{Kind: j.Failure.Kind}
	return j
}

// isErased reports whether j is what Erased makes of it.
func (j Job) isErased() bool { return j.Event == "" && !j.hasPrompt() }
