package bot

import (
	"context"

	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
)

// Press is what follows from a pressed button; exactly one field is set.
type Press struct {
	Reply  *view.Message // for the caller only
	Ask    *Ask          // make this; the adapter fills in Event, Place and Notes
	Form   *view.Form    // open this; what it sends is an Ask with the form's job as Parent
	Delete bool          // remove the pressed message: Service.Delete
	Remove bool          // remove one video from the message of its batch: Service.DeleteTake
}

// presses says for each action what it does and who may: Cancel, Delete and Remove
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
	view.ActRemove: func(d *Service, ctx context.Context, c Caller, id string) (Press, error) {
		_, err := d.owned(ctx, c, id)
		return Press{Remove: true}, err
	},
	view.ActDetails: func(d *Service, ctx context.Context, c Caller, id string) (Press, error) {
		j, err := d.kept(ctx, c, id)
		if err != nil {
			return Press{}, err
		}
		m := view.Details(d.Printer(c.Locale), j)
		return Press{Reply: &m}, nil
	},
	view.ActTake: func(d *Service, ctx context.Context, c Caller, id string) (Press, error) {
		j, err := d.kept(ctx, c, id)
		if err != nil {
			return Press{}, err
		}
		m := view.Take(d.Printer(c.Locale), j, d.cfg.Frames)
		return Press{Reply: &m}, nil
	},
	view.ActEdit: func(d *Service, ctx context.Context, c Caller, id string) (Press, error) {
		j, err := d.kept(ctx, c, id)
		if err != nil {
			return Press{}, err
		}
		f := d.Form(ctx, c, j)
		return Press{Form: &f}, nil
	},
	view.ActAgain: func(d *Service, ctx context.Context, c Caller, id string) (Press, error) {
		return d.repeat(ctx, c, id, true)
	},
	view.ActSame: func(d *Service, ctx context.Context, c Caller, id string) (Press, error) {
		return d.repeat(ctx, c, id, false)
	},
	view.ActVerbatim: func(d *Service, ctx context.Context, c Caller, id string) (Press, error) {
		p, err := d.repeat(ctx, c, id, false)
		if err != nil {
			return p, err
		}
		r, err := p.Ask.Request.With(d.rules(c), ltx.Setting{Key: "expand", Value: "no"})
		if refusal := view.Refuse(d.Printer(c.Locale), err); refusal != nil {
			return Press{Reply: refusal}, nil
		}
		p.Ask.Request = &r
		return p, err
	},
	view.ActFinish: func(d *Service, ctx context.Context, c Caller, id string) (Press, error) {
		j, err := d.kept(ctx, c, id)
		if err != nil {
			return Press{}, err
		}
		r, err := j.Request.Finished(d.rules(c))
		if m := view.Refuse(d.Printer(c.Locale), err); m != nil {
			return Press{Reply: m}, nil
		}
		return Press{Ask: &Ask{Caller: c, Request: &r, Parent: j.ID}}, err
	},
	view.ActStyle: func(d *Service, ctx context.Context, c Caller, id string) (Press, error) {
		j, err := d.kept(ctx, c, id)
		if err != nil {
			return Press{}, err
		}
		f := d.styleForm(c, j)
		return Press{Form: &f}, nil
	},
	view.ActRetry: func(d *Service, ctx context.Context, c Caller, id string) (Press, error) {
		j, err := d.kept(ctx, c, id)
		if err != nil {
			return Press{}, err
		}
		p, err := d.repeat(ctx, c, id, j.Failure.Kind == generate.FailNoMedia)
		if err == nil && j.Leads() { // all takes have failed
			all, err := d.allTakes(c, j, *p.Ask.Request)
			if m := view.Refuse(d.Printer(c.Locale), err); m != nil {
				return Press{Reply: m}, nil
			}
			p.Ask.Request = &all
		}
		if err == nil && j.Failure.Kind == generate.FailInputGone { // where it was given, it may still be
			afresh := p.Ask.Request.Afresh()
			p.Ask.Request = &afresh
		}
		return p, err
	},
}

// Press answers a pressed button. Who pressed it is charged for what follows.
func (svc *Service) Press(ctx context.Context, c Caller, action view.Action, job string) Press {
	c = svc.known(ctx, c)
	press, ok := presses[action]
	if s, goesOn := steps[action]; goesOn {
		press, ok = s.press(action), true
	}
	if !ok {
		m := view.Answer(svc.Printer(c.Locale), "place.gone")
		return Press{Reply: &m}
	}
	p, err := press(svc, ctx, c, job)
	if err != nil {
		m := svc.jobRefusal(ctx, err, c, job)
		return Press{Reply: &m}
	}
	return p
}

// repeat asks for the request of a job once more.
func (svc *Service) repeat(ctx context.Context, c Caller, id string, newSeed bool) (Press, error) {
	j, err := svc.kept(ctx, c, id)
	if err != nil {
		return Press{}, err
	}
	r := j.Request
	if newSeed {
		r = r.WithSeed(svc.rules(c).NewSeed())
	}
	return Press{Ask: &Ask{Caller: c, Request: &r, Parent: j.ID}}, nil
}
