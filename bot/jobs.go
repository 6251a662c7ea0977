package bot

import (
	"context"
	"errors"
	"slices"
	"strings"

	"ltxbot/bot/command"
	"ltxbot/bot/text"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/internal/spell"
)

// Jobs lists the caller's unfinished jobs and the recent ones.
func (svc *Service) Jobs(ctx context.Context, c Caller) view.Message {
	p := svc.Printer(c.Locale)
	c = svc.known(ctx, c)
	jobs, err := svc.ownJobs(ctx, c)
	if err != nil {
		return svc.sorry(ctx, c, "error.unreadable", "list jobs", err)
	}
	if len(jobs) == 0 {
		return view.NoJobs(p)
	}
	return view.JobList(p, jobs)
}

// ownJobs reads the caller's jobs, newest first, and remembers them.
func (svc *Service) ownJobs(ctx context.Context, c Caller) ([]generate.Job, error) {
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	jobs, err := svc.cfg.Generator.Jobs(ctx, generate.Query{Team: c.Team, Member: c.Member, Limit: rememberedJobs})
	if err != nil {
		return nil, err
	}
	for _, j := range jobs {
		svc.recent.add(j)
	}
	svc.recent.complete(c)
	return jobs, nil
}

// Show shows a job: its card while it is under way, and where its video is.
func (svc *Service) Show(ctx context.Context, c Caller, id string) view.Message {
	p := svc.Printer(c.Locale)
	if strings.TrimSpace(id) == "" {
		return view.Answer(p, "job.missing_id", "verb", command.VerbShow)
	}
	c = svc.known(ctx, c)
	j, err := svc.visible(ctx, c, id)
	if err != nil {
		return svc.jobRefusal(ctx, err, c, id)
	}
	j, err = svc.whole(ctx, j)
	if err != nil {
		return svc.sorry(ctx, c, "error.unreadable", "read the takes of a job", err)
	}
	return view.ShownJob(p, j)
}

// Cancel asks to stop a job. Its owner and admins may.
func (svc *Service) Cancel(ctx context.Context, c Caller, id string) view.Message {
	p := svc.Printer(c.Locale)
	if strings.TrimSpace(id) == "" {
		return view.Answer(p, "job.missing_id", "verb", command.VerbCancel)
	}
	c = svc.known(ctx, c)
	j, err := svc.owned(ctx, c, id)
	if err != nil {
		return svc.jobRefusal(ctx, err, c, id)
	}
	j, err = svc.cfg.Generator.Cancel(ctx, j.ID, c.Member)
	switch {
	case errors.Is(err, generate.ErrTooLate) && j.State.Terminal():
		return view.Answer(p, "job.too_late_done", "state", p.Text("state."+string(j.State)))
	case errors.Is(err, generate.ErrTooLate):
		return view.Answer(p, "job.too_late_made")
	case err != nil:
		return svc.sorry(ctx, c, "error.unreadable", "cancel job", err)
	}
	sent := func(t generate.Job) bool { return t.State != generate.Accepted }
	if !sent(j) && !slices.ContainsFunc(j.Takes, sent) {
		return view.Answer(p, "job.cancelled", "id", j.ID) // it was never sent
	}
	return view.Answer(p, "job.cancelling", "id", j.ID)
}

// Why somebody may not do something with a job.
var (
	errNotYours = errors.New("job of another member")
	errPrivate  = errors.New("private job of another member")
)

// A denied says who may do what the caller may not.
type denied struct {
	reason error // errNotYours or errPrivate
	owner  string
}

func (e *denied) Error() string { return e.reason.Error() }
func (e *denied) Unwrap() error { return e.reason }

// visible reads a job that the caller may see: an own one, or one of the
// caller's team that is not private. Other teams' jobs do not exist, and for an
// outsider none of another channel.
func (svc *Service) visible(ctx context.Context, c Caller, id string) (generate.Job, error) {
	j, err := svc.job(ctx, c, id)
	if err == nil && !c.sees(j) {
		return j, &denied{errPrivate, j.AskedBy()}
	}
	return j, err
}

// owned reads a job that the caller may stop or remove: an own one, or for an
// admin one of the team.
func (svc *Service) owned(ctx context.Context, c Caller, id string) (generate.Job, error) {
	j, err := svc.job(ctx, c, id)
	if err == nil && !c.owns(j) && !c.Admin {
		return j, &denied{errNotYours, j.AskedBy()}
	}
	return j, err
}

func (svc *Service) job(ctx context.Context, c Caller, id string) (generate.Job, error) {
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	j, err := svc.cfg.Generator.Job(ctx, command.JobID(id))
	if err == nil && !c.owns(j) && !c.reaches(j) {
		return generate.Job{}, generate.ErrNoJob
	}
	return j, err
}

// jobRefusal says why a job cannot be had.
func (svc *Service) jobRefusal(ctx context.Context, err error, c Caller, id string) view.Message {
	p := svc.Printer(c.Locale)
	var no *denied
	switch {
	case errors.Is(err, errPrivate) && errors.As(err, &no):
		return view.Answer(p, "job.private", "member", text.MentionSpan(no.owner))
	case errors.As(err, &no):
		return view.Answer(p, "job.others", "member", text.MentionSpan(no.owner))
	case errors.Is(err, errDeleted):
		return view.Answer(p, "job.deleted", "id", text.MonoSpan(command.JobID(id)))
	case errors.Is(err, errGone):
		return view.GoneJob(p)
	case errors.Is(err, generate.ErrNoJob):
		return view.UnknownJob(p, id, svc.nearestJob(ctx, c, command.JobID(id)))
	}
	return svc.sorry(ctx, c, "error.unreadable", "read job", err)
}

// nearestJob is the caller's own job whose id is most like the given one, or
// "".
func (svc *Service) nearestJob(ctx context.Context, c Caller, id string) string {
	const most = 3 // edits
	jobs, err := svc.ownJobs(ctx, c)
	if err != nil || len(id) > 2*command.JobIDLength {
		return ""
	}
	best, least := "", most+1
	for _, j := range jobs {
		n := spell.Distance(id, j.ID)
		if len(id) >= command.ShortestPart && strings.HasPrefix(j.ID, id) {
			n = 0
		}
		if n < least {
			best, least = j.ID, n
		}
	}
	return best
}
