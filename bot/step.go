package bot

import (
	"context"
	"slices"

	"ltxbot/bot/command"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
)

// step is something that is made of a finished video.
type step struct {
	title  string   // key of the form's title
	fields []string // parameters that are asked for
	// of are the settings that go with what is filled in; nil = the request
	// stays that of the job.
	of func(j generate.Job) []ltx.Setting
}

// steps are what goes on from a finished video. Each opens a form first: what
// happens next is for a person to say, and the form says what it costs.
var steps = map[view.Action]step{
	view.ActExtend:   {"form.title_extend", []string{command.PromptKey, "duration"}, edited("extend")},
	view.ActContinue: {"form.title_continue", []string{command.PromptKey, "duration"}, fromItsEnd},
	view.ActRetake:   {"form.title_retake", []string{command.PromptKey, "start_time", "duration"}, edited("retake")},
	view.ActReframe: {"form.title_reframe", []string{"size"}, func(j generate.Job) []ltx.Setting {
		return append(edited("reframe")(j), ltx.Setting{Key: command.PromptKey, Value: j.Request.Prompt()})
	}},
	view.ActInputs: {"form.title_inputs", []string{command.PromptKey, "image", "end_image", "soundtrack", "clip"}, nil},
}

// edited are the settings for an edit of a job's video.
func edited(edit string) func(generate.Job) []ltx.Setting {
	return func(j generate.Job) []ltx.Setting {
		return []ltx.Setting{ltx.FileSetting("clip", videoOf(j)), {Key: "edit", Value: edit}}
	}
}

// fromItsEnd are the settings for a video that begins with the last picture of
// a job's video.
func fromItsEnd(j generate.Job) []ltx.Setting {
	m := videoOf(j)
	m.Seconds, m.FPS = 0, 0
	return []ltx.Setting{ltx.FileSetting("image", m)}
}

// videoOf is the video of a job as a file, as far as it is known before
// somebody looks.
func videoOf(j generate.Job) ltx.Media {
	o := j.Output
	m := ltx.MediaOfJob(j.ID)
	m.Name, m.Width, m.Height, m.Seconds, m.FPS = generate.FileStem(j.ID), o.Width, o.Height, o.Seconds, o.FPS
	return m
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
		if s.of != nil {
			like := append(s.of(j), ltx.Setting{Key: command.PromptKey, Value: j.Request.Prompt()})
			if action == view.ActReframe {
				like = append(like, ltx.Setting{Key: "size", Value: "9:16"}) // all shapes cost the same
			}
			f.Note = d.priceOf(ctx, c, like)
		}
		return Press{Form: &f}, nil
	}
}

// priceOf says what a request of these settings costs, and who else than the
// provider makes it; "" when that is not known.
func (d *Service) priceOf(ctx context.Context, c Caller, settings []ltx.Setting) string {
	ctx, cancel := context.WithTimeout(ctx, quoteLimit)
	defer cancel()
	prompts := 0
	settings = slices.DeleteFunc(settings, func(s ltx.Setting) bool {
		if command.IsPrompt(s) {
			prompts++
		}
		return prompts > 1 && command.IsPrompt(s)
	})
	r, err := d.cfg.Rules().Parse(settings)
	if err != nil {
		return ""
	}
	quote, err := d.cfg.Generator.Quote(ctx, generate.Ask{Asker: quota.Asker{Team: c.Team, Member: c.Member, Tiers: c.Tiers}, Request: r})
	if err != nil || quote.Estimate == 0 {
		return ""
	}
	if who, ok := ltx.IsPartner(r.Model()); ok {
		return d.Printer(c.Locale).Text("form.price_partner", "price", quote.Estimate, "who", who)
	}
	return d.Printer(c.Locale).Text("form.price", "price", quote.Estimate)
}

// Frames reports whether the last picture of a video can be taken.
func (d *Service) Frames() bool { return d.cfg.Frames }
