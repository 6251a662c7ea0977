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
	fields []string // parameters that are asked for; nil = those of files
	// of are the settings that go with what is filled in; nil = the request
	// stays that of the job.
	of func(j generate.Job) []ltx.Setting
}

// steps are what goes on from a finished video. Each opens a form first: what
// happens next is for a person to say, and the form says what it costs.
var steps = map[view.Action]step{
	view.ActExtend:   {"form.title_extend", []string{command.PromptKey, "duration", "model"}, edited("extend")},
	view.ActContinue: {"form.title_continue", []string{command.PromptKey, "duration", "model"}, fromItsEnd},
	view.ActRetake:   {"form.title_retake", []string{command.PromptKey, "start_time", "duration", "model"}, edited("retake")},
	view.ActReframe: {"form.title_reframe", []string{"size", "model"}, func(j generate.Job) []ltx.Setting {
		return append(edited("reframe")(j), ltx.Setting{Key: command.PromptKey, Value: j.Request.Prompt()})
	}},
	view.ActInputs: {"form.title_inputs", nil, nil},
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
	return ok || action == view.ActEdit || action == view.ActStyle
}

// press opens the form of a step.
func (s step) press(action view.Action) func(*Service, context.Context, Caller, string) (Press, error) {
	return func(d *Service, ctx context.Context, c Caller, id string) (Press, error) {
		j, err := d.kept(ctx, c, id)
		if err != nil {
			return Press{}, err
		}
		settings := j.Request.Settings()
		if s.of != nil {
			settings = append(s.of(j), ltx.Setting{Key: command.PromptKey, Value: j.Request.Prompt()})
		}
		f, _ := d.stepForm(ctx, c, j, action, settings)
		if s.of != nil {
			f.Note = d.priceOf(ctx, c, s.like(j))
		}
		return Press{Form: &f}, nil
	}
}

// like are settings for a video as the step makes it, unless more is filled in.
func (s step) like(j generate.Job) []ltx.Setting {
	if s.of == nil {
		return j.Request.Settings()
	}
	like := s.of(j)
	if !slices.ContainsFunc(like, command.IsPrompt) {
		like = append(like, ltx.Setting{Key: command.PromptKey, Value: j.Request.Prompt()})
	}
	if slices.Contains(s.fields, "size") {
		like = append(like, ltx.Setting{Key: "size", Value: "9:16"}) // all shapes cost the same
	}
	return like
}

// stepForm is the form of a step as it is with settings. Of the models it has
// those that can make it. The error says why none does.
func (svc *Service) stepForm(ctx context.Context, c Caller, j generate.Job, action view.Action, settings []ltx.Setting) (view.Form, error) {
	s := steps[action]
	fill, err := svc.fill(ctx, c, j, settings, s.like(j))
	fields := s.fields
	if s.of != nil {
		fill.Models = slices.DeleteFunc(fill.Models, func(o ltx.Offer) bool { return o.Cost == 0 })
	} else {
		fields = svc.fileFields(c, j)
	}
	f := view.StepForm(svc.Printer(c.Locale), s.title, fill, fields...)
	f.Job, f.Step = j.ID, action
	return f, err
}

// fileFields are the fields for other files of a job: those of its own and those
// that go with them come first, for a platform with room for few.
func (svc *Service) fileFields(c Caller, j generate.Job) []string {
	var own, more, rest []string
	for _, p := range ltx.Params() {
		if p.Kind != ltx.KindMedia {
			continue
		}
		list := &rest
		if _, has := j.Request.Media(p.Name); has {
			list = &own
		} else if svc.rules(c).Admits(j.Request, p.Key()) {
			list = &more
		}
		*list = append(*list, p.Key())
	}
	return slices.Concat([]string{command.PromptKey, view.RemoveKey}, own, more, rest, []string{"model", "edit"})
}

// priceOf says what a request of these settings costs, and who else than the
// provider makes it; "" when that is not known.
func (svc *Service) priceOf(ctx context.Context, c Caller, settings []ltx.Setting) string {
	ctx, cancel := context.WithTimeout(ctx, quoteLimit)
	defer cancel()
	settings = slices.DeleteFunc(slices.Clone(settings), command.IsPrompt)
	settings = append(settings, ltx.Setting{Key: command.PromptKey, Value: "a"}) // what it says costs nothing
	r, err := svc.rules(c).Roughly(settings)
	if err != nil {
		return ""
	}
	quote, err := svc.cfg.Generator.Quote(ctx, generate.Ask{Asker: quota.Asker{Team: c.Team, Member: c.Member, Tiers: c.Tiers}, Request: r})
	if err != nil || quote.Estimate == 0 {
		return ""
	}
	if who, ok := ltx.IsPartner(r.Model()); ok {
		return svc.Printer(c.Locale).Text("form.price_partner", "price", quote.Estimate, "who", who)
	}
	return svc.Printer(c.Locale).Text("form.price", "price", quote.Estimate)
}

// Frames reports whether the last picture of a video can be taken.
func (svc *Service) Frames() bool { return svc.cfg.Frames }
