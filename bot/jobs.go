package bot

import (
	"context"
	"errors"
	"strings"

	"ltxbot/core/generate"
	"ltxbot/internal/spell"
)

// Limits of the list of jobs: what a person reads at one look, and what fits
// on both platforms.
const (
	listedJobs   = 10
	listedPrompt = 80
	cancelable   = 5 // buttons
)

// Jobs lists the caller's unfinished jobs and the recent ones.
func (d *Desk) Jobs(ctx context.Context, c Caller) Message {
	p := d.Printer(c.Locale)
	c = d.known(ctx, c)
	jobs, err := d.ownJobs(ctx, c)
	if err != nil {
		return d.sorry(ctx, c, "error.unreadable", "list jobs", err)
	}
	if len(jobs) == 0 {
		return NoJobs(p)
	}
	return JobList(p, jobs)
}

// NoJobs says that somebody has no jobs yet, and how to begin.
func NoJobs(p Printer) Message {
	return Answer(p, "job.none", "example", voice{p}.example("a cowboy walks through a dusty town camera:dolly_in"))
}

// GoneJob says that what was asked for in a job is no longer kept.
func GoneJob(p Printer) Message {
	return Answer(p, "job.gone", "example", voice{p}.example("a cowboy walks through a dusty town"))
}

// JobList lists jobs: first those that are not over, with a button each.
func JobList(p Printer, jobs []generate.Job) Message {
	v := voice{p}
	var m Message
	m.add(v.say(Heading, "job.title"))
	for _, over := range []bool{false, true} {
		title := map[bool]string{false: "job.unfinished", true: "job.recent"}[over]
		listed := 0
		for _, j := range jobs {
			if j.State.Terminal() != over || listed == listedJobs {
				continue
			}
			if listed++; listed == 1 {
				m.add(Block{Kind: Text, Spans: []Span{{Text: v.Text(title), Style: Strong}}})
			}
			m.add(block(Text, v.listed(j)...))
			if j.State.Cancellable() && j.Cancel == nil && len(m.Buttons) < cancelable {
				m.Buttons = append(m.Buttons, Button{
					Action: ActCancel, Job: j.ID, Label: v.Text("button.cancel_job", "id", j.ID), Danger: true,
				})
			}
		}
	}
	return m.done()
}

// ownJobs reads the caller's jobs, newest first, and remembers them.
func (d *Desk) ownJobs(ctx context.Context, c Caller) ([]generate.Job, error) {
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	jobs, err := d.cfg.Generator.Jobs(ctx, generate.Query{Team: c.Team, Member: c.Member, Limit: rememberedJobs})
	if err != nil {
		return nil, err
	}
	for _, j := range jobs {
		d.recent.add(j)
	}
	d.recent.complete(c)
	return jobs, nil
}

// listed is one job in a list: "k3f9… · Making the video · a cowboy … · 3
// minutes ago".
func (v voice) listed(j generate.Job) []Span {
	var link []Span
	if j.Receipt.Link != "" && !isDeleted(j) {
		link = []Span{{Text: v.Text("job.link"), Style: Link, URL: j.Receipt.Link}}
	}
	return dotted(
		[]Span{mono(j.ID)},
		[]Span{{Text: JobState(v.Printer, j)}},
		[]Span{{Text: shorten(oneLine(j.Request.Prompt()), listedPrompt)}},
		[]Span{since(j.Created)},
		link,
	)
}

// Show shows a job: its card while it is under way, and where its video is.
func (d *Desk) Show(ctx context.Context, c Caller, id string) Message {
	p := d.Printer(c.Locale)
	if strings.TrimSpace(id) == "" {
		return Answer(p, "job.missing_id", "verb", VerbShow)
	}
	c = d.known(ctx, c)
	j, err := d.visible(ctx, c, id)
	if err != nil {
		return d.jobRefusal(ctx, err, c, id)
	}
	return ShownJob(p, j)
}

// ShownJob is the card of a job for who looks it up, with what can be done now.
func ShownJob(p Printer, j generate.Job) Message {
	v, m := voice{p}, Card(p, j)
	if j.State == generate.Delivered {
		m.Buttons = v.buttons(j.ID, ActAgain, ActSame, ActEdit)
	}
	m.Buttons = append(m.Buttons, v.buttons(j.ID, ActDetails)...)
	return m
}

// Cancel asks to stop a job. Its owner and admins may.
func (d *Desk) Cancel(ctx context.Context, c Caller, id string) Message {
	p := d.Printer(c.Locale)
	if strings.TrimSpace(id) == "" {
		return Answer(p, "job.missing_id", "verb", VerbCancel)
	}
	c = d.known(ctx, c)
	j, err := d.owned(ctx, c, id)
	if err != nil {
		return d.jobRefusal(ctx, err, c, id)
	}
	j, err = d.cfg.Generator.Cancel(ctx, j.ID, c.Member)
	switch {
	case errors.Is(err, generate.ErrTooLate) && j.State.Terminal():
		return Answer(p, "job.too_late_done", "state", p.Text("state."+string(j.State)))
	case errors.Is(err, generate.ErrTooLate):
		return Answer(p, "job.too_late_made")
	case err != nil:
		return d.sorry(ctx, c, "error.unreadable", "cancel job", err)
	}
	if j.State == generate.Accepted {
		return Answer(p, "job.cancelled", "id", j.ID) // it was never sent
	}
	return Answer(p, "job.cancelling", "id", j.ID)
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
func (d *Desk) visible(ctx context.Context, c Caller, id string) (generate.Job, error) {
	j, err := d.job(ctx, c, id)
	if err == nil && !c.owns(j) && (j.Request.Private || j.Place.Private) {
		return j, &denied{errPrivate, j.AskedBy()}
	}
	return j, err
}

// owned reads a job that the caller may stop or remove: an own one, or for an
// admin one of the team.
func (d *Desk) owned(ctx context.Context, c Caller, id string) (generate.Job, error) {
	j, err := d.job(ctx, c, id)
	if err == nil && !c.owns(j) && !c.Admin {
		return j, &denied{errNotYours, j.AskedBy()}
	}
	return j, err
}

func (d *Desk) job(ctx context.Context, c Caller, id string) (generate.Job, error) {
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	j, err := d.cfg.Generator.Job(ctx, jobID(id))
	if err == nil && !c.owns(j) && (j.Team != c.Team || c.Outsider && j.Place.Channel != c.Channel) {
		return generate.Job{}, generate.ErrNoJob
	}
	return j, err
}

// jobRefusal says why a job cannot be had.
func (d *Desk) jobRefusal(ctx context.Context, err error, c Caller, id string) Message {
	p := d.Printer(c.Locale)
	var no *denied
	switch {
	case errors.Is(err, errPrivate) && errors.As(err, &no):
		return Answer(p, "job.private", "member", mention(no.owner))
	case errors.As(err, &no):
		return Answer(p, "job.others", "member", mention(no.owner))
	case errors.Is(err, errGone):
		return GoneJob(p)
	case errors.Is(err, generate.ErrNoJob):
		return UnknownJob(p, id, d.nearestJob(ctx, c, jobID(id)))
	}
	return d.sorry(ctx, c, "error.unreadable", "read job", err)
}

// UnknownJob says that there is no job with an id, and which one may be meant.
func UnknownJob(p Printer, id, nearest string) Message {
	var m Message
	said := p.Spans("job.unknown", "id", shorten(oneLine(id), shownValue))
	if nearest != "" {
		said = spaced(said, p.Spans("tell.did_you_mean", "nearest", nearest))
	}
	m.add(block(Text, said...))
	return m.done()
}

// nearestJob is the caller's own job whose id is most like the given one, or
// "".
func (d *Desk) nearestJob(ctx context.Context, c Caller, id string) string {
	const most = 3 // edits
	jobs, err := d.ownJobs(ctx, c)
	if err != nil || len(id) > 2*jobIDLength {
		return ""
	}
	best, least := "", most+1
	for _, j := range jobs {
		n := spell.Distance(id, j.ID)
		if len(id) >= shortestPart && strings.HasPrefix(j.ID, id) {
			n = 0
		}
		if n < least {
			best, least = j.ID, n
		}
	}
	return best
}
