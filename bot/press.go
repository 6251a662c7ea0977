package bot

import (
	"context"
	"slices"
	"strings"

	"ltxbot/core/generate"
)

// Press is what follows from a pressed button; exactly one field is set.
type Press struct {
	Reply  *Message // for the caller only
	Ask    *Ask     // make this; the adapter fills in Event, Place and Notes
	Form   *Form    // open this; what it sends is an Ask with the job as Parent
	Delete bool     // remove the pressed message
}

// presses says for each action what it does and who may: Cancel and Delete
// the owner and admins, the rest whoever sees the job.
var presses = map[Action]func(d *Desk, ctx context.Context, c Caller, id string) (Press, error){
	ActCancel: func(d *Desk, ctx context.Context, c Caller, id string) (Press, error) {
		m := d.Cancel(ctx, c, id)
		return Press{Reply: &m}, nil
	},
	ActDelete: func(d *Desk, ctx context.Context, c Caller, id string) (Press, error) {
		_, err := d.owned(ctx, c, id)
		return Press{Delete: true}, err
	},
	ActDetails: func(d *Desk, ctx context.Context, c Caller, id string) (Press, error) {
		j, err := d.kept(ctx, c, id)
		if err != nil {
			return Press{}, err
		}
		m := Details(d.Printer(c.Locale), j)
		return Press{Reply: &m}, nil
	},
	ActEdit: func(d *Desk, ctx context.Context, c Caller, id string) (Press, error) {
		j, err := d.kept(ctx, c, id)
		if err != nil {
			return Press{}, err
		}
		f := d.Form(c.Locale, &j.Request)
		return Press{Form: &f}, nil
	},
	ActAgain: func(d *Desk, ctx context.Context, c Caller, id string) (Press, error) {
		return d.repeat(ctx, c, id, true)
	},
	ActSame: func(d *Desk, ctx context.Context, c Caller, id string) (Press, error) {
		return d.repeat(ctx, c, id, false)
	},
	ActRetry: func(d *Desk, ctx context.Context, c Caller, id string) (Press, error) {
		j, err := d.kept(ctx, c, id)
		if err != nil {
			return Press{}, err
		}
		return d.repeat(ctx, c, id, j.Failure.Kind == generate.FailNoMedia)
	},
}

// Press answers a pressed button. Who pressed it is charged for what follows.
func (d *Desk) Press(ctx context.Context, c Caller, action Action, job string) Press {
	c = d.known(ctx, c)
	press, ok := presses[action]
	if !ok {
		m := Answer(d.Printer(c.Locale), "place.gone")
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
func (d *Desk) repeat(ctx context.Context, c Caller, id string, newSeed bool) (Press, error) {
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

// noteDeleted is the note of a job whose video was removed from its
// conversation.
const noteDeleted = "deleted"

func isDeleted(j generate.Job) bool {
	return j.State == generate.Delivered && j.Notes[noteDeleted] != ""
}

// Deleted remembers that the video of a job was removed. The card can be shown
// anew with what it returns.
func (d *Desk) Deleted(ctx context.Context, id string) (generate.Job, generate.Keep, error) {
	keep := func(ctx context.Context, notes map[string]string) error {
		_, err := d.cfg.Generator.Note(ctx, id, notes)
		return err
	}
	j, err := d.cfg.Generator.Note(ctx, id, map[string]string{noteDeleted: "yes"})
	return j, keep, err
}

// buttonVersion begins every button id. Messages stand for years: an id keeps
// its meaning.
const buttonVersion = "v1"

// Actions is every action.
var actions = []Action{ActCancel, ActAgain, ActSame, ActEdit, ActDetails, ActDelete, ActRetry}

// ButtonID names a button: "v1:cancel:k3f92mq7abcd". It has 100 characters at
// most, the limit of both platforms, and needs no state.
func ButtonID(action Action, job string) string {
	return buttonVersion + ":" + string(action) + ":" + job
}

// ParseButtonID reads what ButtonID made.
func ParseButtonID(id string) (action Action, job string, ok bool) {
	parts := strings.Split(id, ":")
	if len(parts) != 3 || parts[0] != buttonVersion || !slices.Contains(actions, Action(parts[1])) {
		return "", "", false
	}
	if len(parts[2]) != jobIDLength || strings.Trim(parts[2], jobAlphabet) != "" {
		return "", "", false
	}
	return Action(parts[1]), parts[2], true
}
