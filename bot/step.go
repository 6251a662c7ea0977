package bot

import (
	"context"

	"ltxbot/bot/view"
	"ltxbot/core/ltx"
)

// step is something that is made of a finished video.
type step struct {
	title  string   // key of the form's title
	fields []string // parameters that are asked for, besides the prompt
	// of are the settings that go with what is filled in; nil = the request
	// stays that of the job.
	of func(job string) []ltx.Setting
}

// steps are what goes on from a finished video. Each opens a form first: what
// happens next is for a person to say, and so is what costs money.
var steps = map[view.Action]step{
	view.ActExtend: {"form.title_extend", []string{"duration"}, func(job string) []ltx.Setting {
		return []ltx.Setting{{Key: "clip", Value: "job:" + job}}
	}},
	view.ActContinue: {"form.title_continue", []string{"duration"}, func(job string) []ltx.Setting {
		return []ltx.Setting{{Key: "image", Value: "job:" + job}} // its last picture
	}},
	view.ActInputs: {"form.title_inputs", []string{"image", "end_image", "soundtrack", "clip"}, nil},
}

// OpensForm reports whether an action opens a form.
func OpensForm(action view.Action) bool {
	_, ok := steps[action]
	return ok || action == view.ActEdit
}

// press opens the form of a step.
func (s step) press(action view.Action) func(*Service, context.Context, Caller, string) (Press, error) {
	return func(d *Service, ctx context.Context, c Caller, id string) (Press, error) {
		j, err := d.kept(ctx, c, id)
		if err != nil {
			return Press{}, err
		}
		f := view.StepForm(d.Printer(c.Locale), d.cfg.Rules().QualityNames(), s.title, j.Request.Prompt(), s.fields...)
		f.Job, f.Step = j.ID, action
		return Press{Form: &f}, nil
	}
}

// Frames reports whether the last picture of a video can be taken.
func (d *Service) Frames() bool { return d.cfg.Frames }
