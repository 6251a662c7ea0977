package bot

import (
	"context"
	"time"

	"ltxbot/bot/view"
	"ltxbot/core/generate"
)

// Press is what follows from a pressed button; exactly one field is set.
type Press struct {
	Reply  *view.Message // for the caller only
	Ask    *Ask          // make this; the adapter fills in Event, Place and Notes
	Form   *view.Form    // open this; what it sends is an Ask with the form's job as Parent
	Delete bool          // remove the pressed message
}

// presses says for each action what it does and who may: Cancel and Delete
// the owner and admins, the rest whoever sees the job.
var presses = map[view.Action]func(d *Service, ctx context.Context, c Caller, id string) (Press, error){
	view.ActCancel: func(d *Service, ctx context.Context, c Caller, id string) (Press, error) {
		m := d.Cancel(ctx, c, id)
		return Press{Reply: &m}, nil
	},
	view.ActDelete: func(d *Service, ctx context.Context, c Caller, id string) (Press, error) {
		_, err := d.owned(ctx, c, id)
		return Press{Delete: true}, err
	},
	view.ActDetails: func(d *Service, ctx context.Context, c Caller, id string) (Press, error) {
		j, err := d.kept(ctx, c, id)
		if err != nil {
			return Press{}, err
		}
		m := view.Details(d.Printer(c.Locale), j)
		return Press{Reply: &m}, nil
	},
	view.ActEdit: func(d *Service, ctx context.Context, c Caller, id string) (Press, error) {
		j, err := d.kept(ctx, c, id)
		if err != nil {
			return Press{}, err
		}
		f := d.edit(c, j)
		return Press{Form: &f}, nil
	},
	view.ActAgain: func(d *Service, ctx context.Context, c Caller, id string) (Press, error) {
		return d.repeat(ctx, c, id, true)
	},
	view.ActSame: func(d *Service, ctx context.Context, c Caller, id string) (Press, error) {
		return d.repeat(ctx, c, id, false)
	},
	view.ActRetry: func(d *Service, ctx context.Context, c Caller, id string) (Press, error) {
		j, err := d.kept(ctx, c, id)
		if err != nil {
			return Press{}, err
		}
		p, err := d.repeat(ctx, c, id, j.Failure.Kind == generate.FailNoMedia)
		if err == nil && j.Failure.Kind == generate.FailInputGone { // where it was given, it may still be
			afresh := p.Ask.Request.Afresh()
			p.Ask.Request = &afresh
		}
		return p, err
	},
}

// Press answers a pressed button. Who pressed it is charged for what follows.
func (d *Service) Press(ctx context.Context, c Caller, action view.Action, job string) Press {
	c = d.known(ctx, c)
	press, ok := presses[action]
	if s, goesOn := steps[action]; goesOn {
		press, ok = s.press(action), true
	}
	if !ok {
		m := view.Answer(d.Printer(c.Locale), "place.gone")
		return Press{Reply: &m}
	}
	p, err := press(d, ctx, c, job)
	if err != nil {
		m := d.jobRefusal(ctx, err, c, job)
		return Press{Reply: &m}
	}
	return p
}

// repeat asks for the request of a job once more.
func (d *Service) repeat(ctx context.Context, c Caller, id string, newSeed bool) (Press, error) {
	j, err := d.kept(ctx, c, id)
	if err != nil {
		return Press{}, err
	}
	r := j.Request
	if newSeed {
		r = r.WithSeed(d.cfg.Rules().NewSeed())
	}
	return Press{Ask: &Ask{Caller: c, Request: &r, Parent: j.ID}}, nil
}

// Deleted remembers that the video of a job was removed. The card can be shown
// anew with what it returns.
func (d *Service) Deleted(ctx context.Context, id string) (generate.Job, generate.Keep, error) {
	keep := func(ctx context.Context, notes map[string]string) error {
		_, err := d.cfg.Generator.Note(ctx, id, notes)
		return err
	}
	j, err := d.cfg.Generator.Note(ctx, id, map[string]string{view.NoteDeleted: "yes"})
	if purger, ok := d.cfg.Archive.(generate.Purger); ok && err == nil && j.Submission.RequestID != "" {
		d.reads.Go(func() { d.purge(context.WithoutCancel(ctx), purger, j) })
	}
	return j, keep, err
}

// purgeLimit is how long the provider may take to delete a video.
const purgeLimit = 5 * time.Second

// purge deletes the provider's copy of a video that somebody has deleted. If it
// does not answer, the copy stays until somebody erases it.
func (d *Service) purge(ctx context.Context, p generate.Purger, j generate.Job) {
	ctx, cancel := context.WithTimeout(ctx, purgeLimit)
	defer cancel()
	if err := p.Purge(ctx, j.Submission); err != nil {
		d.log.WarnContext(ctx, "a video was deleted, but not at the provider", "job", j.ID, "request_id", j.Submission.RequestID, "error", err)
	}
}
