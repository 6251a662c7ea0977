package bot

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"ltxbot/bot/command"
	"ltxbot/bot/text"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
)

// Remix is the form for making a video of a message: of its text and its files,
// or of the job of ours that it names. left are the names of further files, which
// can't be used; the form says so.
func (svc *Service) Remix(c Caller, message string, files []GivenFile, left ...string) view.Form {
	ctx, cancel := context.WithTimeout(context.Background(), remixLimit)
	defer cancel()
	for _, word := range strings.FieldsFunc(message, func(r rune) bool { return !strings.ContainsRune(command.JobAlphabet, r) }) {
		if len(word) != command.JobIDLength || !command.LooksLikeJob(word) {
			continue
		}
		if j, err := svc.visible(ctx, c, word); err == nil {
			return svc.Form(ctx, c, j)
		}
	}
	line, err := command.Parse(message)
	if err != nil || line.Verb != "" {
		line = command.Line{Settings: []ltx.Setting{{Key: command.PromptKey, Value: message}}}
	}
	inputs, more := Inputs(files)
	f, _ := svc.videoForm(ctx, c, generate.Job{}, WithInputs(line.Settings, inputs))
	f.Inputs = inputs
	if left = append(left, more...); len(left) > 0 {
		f.Note = svc.Printer(c.Locale).Text("form.files_left", "files", text.Shorten(strings.Join(left, ", "), maxLeft))
	}
	return f
}

// maxLeft is how much room the names of files have that are left out, in UTF-16
// units: some forms show a short sentence only.
const maxLeft = 60

// Wrong says what is wrong with a filled in form, by field. It is nil when
// nothing is, and when the job that the form edits can't be read at once: then
// Submit says it.
func (svc *Service) Wrong(ctx context.Context, a Ask) map[string]string {
	ctx, cancel := context.WithTimeout(ctx, quoteLimit)
	defer cancel()
	a.Caller = svc.known(ctx, a.Caller)
	_, err := svc.request(ctx, &a)
	return view.FieldErrors(svc.Printer(a.Caller.Locale), err)
}

// Form is the form for a video: empty, or filled in with the request of a job,
// which it edits.
func (svc *Service) Form(ctx context.Context, c Caller, j generate.Job) view.Form {
	f, _ := svc.videoForm(ctx, c, j, j.Request.Settings())
	return f
}

// videoForm is the form for a video as it is with settings: those of the job that
// it edits, changed, or of a new one. The error says why no model makes it; the
// form shows all fields then.
func (svc *Service) videoForm(ctx context.Context, c Caller, j generate.Job, settings []ltx.Setting) (view.Form, error) {
	fill, err := svc.fill(ctx, c, j, settings, j.Request.Settings())
	f := view.VideoForm(svc.Printer(c.Locale), fill)
	f.Job = j.ID
	return f, err
}

// fill is what a form is filled in with. The models have the prices of a video
// like this one.
func (svc *Service) fill(ctx context.Context, c Caller, j generate.Job, settings, like []ltx.Setting) (view.Fill, error) {
	rules := svc.rules(c)
	if j.ID == "" {
		rules.Own = svc.own(ctx, c)
	}
	isModel := func(s ltx.Setting) bool { p, ok := ltx.Lookup(s.Key); return ok && p.Key() == "model" }
	without := func(list []ltx.Setting) []ltx.Setting { return slices.DeleteFunc(slices.Clone(list), isModel) }
	models := slices.DeleteFunc(rules.Offers(without(like)...), func(o ltx.Offer) bool { return !rules.Allows(o.Value) })
	fill := view.Fill{Models: models, Usual: rules.DefaultModel(), Of: j.Request.Settings()}
	if usual, err := rules.OptionsFor(without(settings)); err == nil {
		fill.Usual = usual.Model
	}
	var err error
	if fill.Options, err = rules.OptionsFor(settings); err != nil {
		fill.Options, _ = rules.OptionsFor(nil)
	}
	fill.Settings = view.Shown(slices.DeleteFunc(slices.Clone(settings), func(s ltx.Setting) bool {
		p, _ := ltx.Lookup(s.Key)
		return !fill.Options.Take(p) && j.Request.Drew(s)
	}))
	return fill, err
}

// Follow is an open form after a field was filled in on which others depend, by
// what is filled in until then. It is false when the job that it is about can't be
// read.
func (svc *Service) Follow(ctx context.Context, a Ask) (view.Form, bool) {
	a.Caller = svc.known(ctx, a.Caller)
	var j generate.Job
	if a.Parent != "" {
		var err error
		if j, err = svc.kept(ctx, a.Caller, a.Parent); err != nil {
			return view.Form{}, false
		}
	}
	var f view.Form
	var err error
	filled := resetRemoved(removed(a.Settings), j.Request)
	settings := j.Request.Changing(filled...)
	if s, ok := steps[a.Step]; ok {
		if s.of != nil {
			settings = append(s.of(j), filled...)
		}
		f, err = svc.stepForm(ctx, a.Caller, j, a.Step, settings)
	} else {
		f, err = svc.videoForm(ctx, a.Caller, j, settings)
	}
	if f.Note = svc.priceOf(ctx, a.Caller, settings); err != nil {
		f.Note = strings.Join(slices.Sorted(maps.Values(view.FieldErrors(svc.Printer(a.Caller.Locale), err))), " ")
	}
	return f, true
}

// removed are settings in which the field for files that go takes these back,
// unless others come in their place. What is done with a clip goes with it, where
// the form does not ask.
func removed(settings []ltx.Setting) []ltx.Setting {
	var out []ltx.Setting
	given := func(key string) bool {
		return slices.ContainsFunc(settings, func(s ltx.Setting) bool { return s.Key == key })
	}
	for _, s := range settings {
		if s.Key != view.RemoveKey {
			out = append(out, s)
			continue
		}
		for key := range strings.SplitSeq(s.Value, ",") {
			if p, ok := ltx.Lookup(key); ok && p.Kind == ltx.KindMedia && !given(key) {
				out = append(out, ltx.Setting{Key: key})
			}
			if key == "clip" && !given(key) && !given("edit") {
				out = append(out, ltx.Setting{Key: "edit"})
			}
		}
	}
	return out
}

// remixLimit is how long a form may wait for a job: platforms give up on one
// after three seconds.
const remixLimit = time.Second
