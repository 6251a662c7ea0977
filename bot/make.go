package bot

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"ltxbot/bot/command"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
)

// prepare makes a request of what was typed and checks the quota. It changes
// nothing and returns in less than a second: when the store does not answer in
// time, the quota is checked only when the job is accepted. The message, if there
// is one, says why there will be no video.
func (svc *Service) prepare(ctx context.Context, a *Ask) (generate.Ask, *view.Message) {
	read, done := context.WithTimeout(ctx, quoteLimit)
	defer done()
	typedBy := a.Caller.Member
	a.Caller = svc.known(read, a.Caller)
	r, err := svc.request(read, a)
	ofPrivate := false
	if err == nil {
		ofPrivate, err = svc.sourcesOf(read, a.Caller, r)
	}
	if err != nil {
		return generate.Ask{}, svc.refuseTyped(ctx, err, *a)
	}
	g := generate.Ask{
		Event: a.Event, Place: a.Place, Request: r, Parent: a.Parent, Notes: maps.Clone(a.Notes),
		Asker: quota.Asker{Team: a.Caller.Team, Member: a.Caller.Member, Tiers: a.Caller.Tiers},
	}
	if g.Notes == nil {
		g.Notes = map[string]string{}
	}
	if a.Request != nil {
		g.Notes[view.NoteRepeat] = "yes"
	}
	if a.Caller.Member != typedBy {
		g.Place.Member = typedBy
	}
	g.Place.Private = g.Place.Private || r.Private || ofPrivate
	if g.Place.Locale == "" {
		g.Place.Locale = a.Caller.Locale
	}
	if a.Identify != nil {
		return g, nil // the limits depend on who asks
	}
	ctx, cancel := context.WithTimeout(ctx, quoteLimit)
	defer cancel()
	_, err = svc.cfg.Generator.Quote(ctx, g)
	if refusal := view.Refuse(svc.Printer(a.Caller.Locale), err); refusal != nil {
		return generate.Ask{}, refusal
	}
	if err != nil {
		svc.log.WarnContext(ctx, "cannot look at the quota", "member", a.Caller.Member, "team", a.Caller.Team, "error", err)
	}
	return g, nil
}

// request makes the Request of an ask, by the rules of this moment. Settings that
// were typed in the prompt are moved out of it.
func (svc *Service) request(ctx context.Context, a *Ask) (ltx.Request, error) {
	for _, s := range a.Settings {
		if err := command.CheckLength(s.Key, s.Value); err != nil {
			return ltx.Request{}, err
		}
	}
	if a.Prompt == FieldPrompt {
		a.Settings = removed(a.Settings)
	}
	rules := svc.rules(a.Caller)
	if a.Request != nil {
		now, err := a.Request.With(rules) // what was allowed once may not be any more
		if err == nil && now.Endpoint() != a.Request.Endpoint() {
			return now, nil // the operator has chosen another one since
		}
		return *a.Request, err
	}
	if a.Try != "" {
		return svc.trial(ctx, a, rules)
	}
	var parent generate.Job
	if a.Parent != "" {
		var err error
		if parent, err = svc.visible(ctx, a.Caller, a.Parent); err != nil {
			return ltx.Request{}, err
		}
	}
	notes, err := a.readPrompt(parent.Request)
	if err != nil {
		return ltx.Request{}, err
	}
	var r ltx.Request
	secrets := func() []ltx.LoRA {
		hides := func(l ltx.LoRA) bool { return strings.Contains(l.Path, "?") }
		return append(parent.Request.LoRAs(), svc.recent.loras(a.Caller, hides)...)
	}
	switch next, ok := steps[a.Step]; {
	case a.Parent == "":
		r, err = svc.withOwn(ctx, a.Caller, rules, reveal(a.Settings, secrets))
	case ok && next.of != nil:
		r, err = rules.Parse(reveal(append(next.of(parent), a.Settings...), secrets))
	default:
		r, err = parent.Request.With(rules, reveal(resetRemoved(a.Settings, parent.Request), secrets)...)
	}
	r.Notes = append(r.Notes, notes...)
	return r, err
}

// sourcesOf looks at the jobs whose videos go into a request: an *unseenError
// when the caller may not see one of them, or it was deleted. ofPrivate reports
// whether one is private: then what is made of it is private, too.
func (svc *Service) sourcesOf(ctx context.Context, c Caller, r ltx.Request) (ofPrivate bool, err error) {
	for _, p := range ltx.Params() {
		m, _ := r.Media(p.Name)
		id, ok := m.Job()
		if !ok {
			continue
		}
		j, err := svc.visible(ctx, c, id)
		if err == nil && j.Notes[generate.NoteDeleted] != "" {
			err = errDeleted
		}
		if err != nil {
			return false, &unseenError{id, err}
		}
		ofPrivate = ofPrivate || isPrivate(j)
	}
	return ofPrivate, nil
}

// An unseenError says why the video of a job can't go into another one.
type unseenError struct {
	job string
	err error
}

func (e *unseenError) Error() string { return "job " + e.job + ": " + e.err.Error() }
func (e *unseenError) Unwrap() error { return e.err }

// resetRemoved resets what the user has removed from the form's field for advanced
// settings: what parent set and the field no longer names gets its default.
func resetRemoved(settings []ltx.Setting, parent ltx.Request) []ltx.Setting {
	if !slices.ContainsFunc(settings, func(s ltx.Setting) bool { return s.Key == view.AdvancedKey }) {
		return settings
	}
	out := slices.Clone(settings)
	for _, s := range parent.Settings() {
		if p, ok := ltx.Lookup(s.Key); ok && !view.OnForm(p) && p.Kind != ltx.KindMedia {
			out = append(out, ltx.Setting{Key: s.Key})
		}
	}
	return out
}

// reveal puts back the hidden part of LoRA links that the bot itself has
// shown without it: in a form, a suggestion, or a line to copy.
func reveal(settings []ltx.Setting, known func() []ltx.LoRA) []ltx.Setting {
	out := slices.Clone(settings)
	for i, s := range out {
		if p, ok := ltx.Lookup(s.Key); !ok || p.Kind != ltx.KindLoRAs {
			continue
		}
		items := strings.Split(s.Value, ",")
		for n, item := range items {
			item = strings.TrimSpace(item)
			for _, l := range known() {
				path, secret, _ := strings.Cut(l.Path, "?")
				rest, ok := strings.CutPrefix(item, path)
				if ok && secret != "" && (rest == "" || rest[0] == '@') {
					items[n] = l.Path + rest
					break
				}
			}
		}
		out[i].Value = strings.Join(items, ",")
	}
	return out
}

// refuseTyped is Refuse, with the line to send again, or what was typed where nothing
// of it could be corrected.
func (svc *Service) refuseTyped(ctx context.Context, err error, a Ask) *view.Message {
	p := svc.Printer(a.Caller.Locale)
	offered := offers(err, a.Settings, func(settings []ltx.Setting) []ltx.Setting { return svc.meant(ctx, a, settings) })
	m := view.Refuse(p, err)
	if a.Try != "" && !offered { // a line to copy would make one video
		m = view.RefuseLibrary(p, err)
	}
	if m == nil {
		id := a.Parent
		if of, ok := errors.AsType[*unseenError](err); ok {
			id = of.job
		}
		refusal := svc.jobRefusal(ctx, err, a.Caller, id)
		return &refusal
	}
	if _, long := errors.AsType[*command.LengthError](err); long || offered {
		return m
	}
	if a.Request != nil || a.Try != "" {
		return m
	}
	filled := svc.meant(ctx, a, a.Settings)
	right := command.Corrected(filled, command.ProblemsIn(err))
	corrected := !slices.Equal(right, filled)
	if corrected {
		if _, wrong := svc.rules(a.Caller).Parse(right); wrong != nil {
			right, corrected = filled, false
		}
	}
	if command.Write(right) != "" {
		m.Offer(p, right, corrected)
	}
	return m
}

// meant are settings with those that an ask adds to them, such as the clip of a
// form that goes on from a video: a line of them means what was asked for. There
// are none when the job that they come from can't be seen.
func (svc *Service) meant(ctx context.Context, a Ask, settings []ltx.Setting) []ltx.Setting {
	if a.Parent != "" {
		parent, err := svc.visible(ctx, a.Caller, a.Parent)
		if err != nil {
			return nil
		}
		if next, ok := steps[a.Step]; ok && next.of != nil {
			settings = slices.Concat(settings, next.of(parent))
		} else {
			settings = parent.Request.Changing(resetRemoved(settings, parent.Request)...)
		}
	}
	return slices.DeleteFunc(slices.Clone(settings), func(s ltx.Setting) bool { return s.Value == "" }) // a field of a form
}

// offers reports whether an error has lines to copy. It adds to these lines the
// settings that were given outside the text, and completes them.
func offers(err error, settings []ltx.Setting, complete func([]ltx.Setting) []ltx.Setting) bool {
	beside := func(reading *[]ltx.Setting) {
		for _, s := range settings {
			p, ok := ltx.Lookup(s.Key)
			same := func(r ltx.Setting) bool { q, known := ltx.Lookup(r.Key); return ok && known && p.Key() == q.Key() }
			if p.Name != command.PromptKey {
				*reading = append(slices.DeleteFunc(*reading, same), s)
			}
		}
		*reading = complete(*reading)
	}
	if ask, ok := errors.AsType[*command.AskError](err); ok {
		beside(&ask.AsSettings)
		beside(&ask.AsWords)
		return true
	}
	if wrong, ok := errors.AsType[*command.SpellingError](err); ok {
		beside(&wrong.Right)
		return true
	}
	return false
}
