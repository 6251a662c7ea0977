package ltx

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// A route is where a request goes, and why.
type route struct {
	model    Model
	task     task
	endpoint Endpoint
}

// DefaultModel is the name of the model that makes videos unless another is
// chosen.
func (r Rules) DefaultModel() string { return modelOf(r.like(r.textEndpoint())).Value }

// DefaultEndpoint makes videos from text, with LoRAs or without.
// https://fal.ai/models/fal-ai/ltx-2.3-22b/text-to-video/lora
const DefaultEndpoint = "fal-ai/ltx-2.3-22b/text-to-video/lora"

func (r Rules) textEndpoint() string { return cmp.Or(r.Endpoint, DefaultEndpoint) }

// like is the endpoint of the table that an id names, or that the operator has
// said it is like.
func (r Rules) like(id string) string { return cmp.Or(r.Custom[id], id) }

// find is the endpoint of an id of the table or of the operator's own.
func (r Rules) find(id string) (Endpoint, bool) {
	e, ok := endpoints[r.like(id)]
	e.ID = id
	return e, ok
}

// price is what a unit costs at an endpoint.
func (r Rules) price(e Endpoint) Price {
	if r.Price != nil {
		return r.Price(e.ID)
	}
	return e.Price
}

// allowed are the models that whoever asks may choose: the default one first, and
// last those that not everybody may choose.
func (r Rules) allowed() []Model {
	own := r.DefaultModel()
	const none = 3
	rank := func(m Model) int {
		switch {
		case m.Value == own:
			return 0
		case r.Models == nil, slices.Contains(r.Models, m.Value):
			return 1
		case r.reserved(m.Value):
			return 2
		}
		return none
	}
	list := slices.DeleteFunc(slices.Clone(models), func(m Model) bool { return rank(m) == none })
	slices.SortStableFunc(list, func(a, b Model) int { return cmp.Compare(rank(a), rank(b)) })
	return list
}

// reserved reports whether a tier of the member who asks may choose a model.
func (r Rules) reserved(model string) bool {
	tiers := r.Reserved[model]
	return r.AnyTier && len(tiers) > 0 || slices.ContainsFunc(r.Tiers, func(t string) bool { return slices.Contains(tiers, t) })
}

// Extra are the models that the tiers of the member who asks add to those that
// everybody may choose.
func (r Rules) Extra() []string {
	everybodys := r
	everybodys.Tiers, everybodys.AnyTier = nil, false
	return slices.DeleteFunc(modelNames(r.allowed()), everybodys.Allows)
}

// Allows reports whether whoever asks may choose a model.
func (r Rules) Allows(model string) bool {
	return slices.ContainsFunc(r.allowed(), func(m Model) bool { return m.Value == model })
}

// Refuses says why whoever asks may not have a request made, or is nil. It is
// for a request that was made while nobody knew the tiers.
func (r Rules) Refuses(q Request) Invalid {
	if r.Allows(q.Model()) {
		return nil
	}
	return r.notAllowed(q.Model())
}

// notAllowed is the refusal of what was typed for a model.
func (r Rules) notAllowed(text string) Invalid {
	names := modelNames(r.allowed())
	e := FieldError{Option: row(idModel).Key(), Problem: NotAChoice, Value: shown(text), Choices: names}
	if c, known := row(idModel).choice(text); known && len(r.Reserved[c.Value]) > 0 {
		e.Problem, e.Value, e.Other = TierOnly, c.Value, strings.Join(r.Reserved[c.Value], ", ")
		return Invalid{e}
	}
	e.Nearest = nearest(text, names)
	return Invalid{e}
}

// set tells whether a layer says anything for a row but none.
func (l layer) set(id string) bool {
	text, ok := l[id]
	return ok && strings.TrimSpace(text) != "" && !isNone(text)
}

// taskOf is what the layer asks for, by what goes in.
func taskOf(l layer) (task, Invalid) {
	var t task
	if text, ok := l[idEdit]; ok && strings.TrimSpace(text) != "" && !isNone(text) {
		t, ok = editOf(text)
		if !ok {
			p := row(idEdit)
			return "", Invalid{{
				Option: p.Key(), Problem: NotAChoice, Value: shown(text), Choices: p.words(), Nearest: p.nearestChoice(text),
			}}
		}
		if !l.set(idClip) {
			return "", Invalid{{Option: row(idEdit).Key(), Problem: NeedsInput, Other: row(idClip).Key()}}
		}
		return t, nil
	}
	switch {
	case l.set(idClip):
		return extend, nil
	case l.set(idTrack):
		return fromSound, nil
	case l.set(idImage):
		return fromImage, nil
	case l.set(idEndImage):
		return "", Invalid{{Option: row(idEndImage).Key(), Problem: NeedsInput, Other: row(idImage).Key()}}
	}
	return fromText, nil
}

// choose finds the endpoint for a layer. Where the model is not what a person
// has named, another one does what it can't do. LoRAs that nobody takes for the
// task choose nothing: misfits tells.
func (r Rules) choose(all, given layer) (route, Invalid) {
	t, problems := taskOf(all)
	m, chosen, more := r.model(all, given)
	if problems = append(problems, more...); len(problems) > 0 || t == "" {
		return route{}, problems
	}
	for _, loras := range []bool{all.set(idLoRAs), false} {
		if e, ok := r.endpointOf(m, t, loras); ok {
			return route{m, t, e}, nil
		}
		if chosen {
			continue
		}
		for _, m := range r.allowed() {
			if e, ok := r.endpointOf(m, t, loras); ok {
				return route{m, t, e}, nil
			}
		}
	}
	able := slices.DeleteFunc(r.allowed(), func(m Model) bool { _, ok := r.endpointOf(m, t, false); return !ok })
	return route{}, Invalid{{Option: row(idModel).Key(), Problem: ModelCannot, Value: m.Value, Other: t.String(), Choices: modelNames(able)}}
}

// endpointOf is where a model does a task. Text to video of the default model
// follows the operator.
func (r Rules) endpointOf(m Model, t task, loras bool) (Endpoint, bool) {
	if t == fromText && m.Value == r.DefaultModel() {
		id := r.textEndpoint()
		if !loras {
			id = cmp.Or(r.EndpointWithoutLoRA, id)
		}
		if e, ok := r.find(id); ok && (!loras || e.TakesLoRAs()) {
			return e, true
		}
	}
	return m.endpoint(t, loras)
}

// model is the one that the layer names; chosen is set when a person did.
func (r Rules) model(all, given layer) (m Model, chosen bool, _ Invalid) {
	if !all.set(idModel) {
		return modelOf(r.like(r.textEndpoint())), false, nil
	}
	text, allowed := all[idModel], r.allowed()
	_, chosen = given[idModel]
	c, known := row(idModel).choice(text)
	i := slices.IndexFunc(allowed, func(m Model) bool { return known && m.Value == c.Value })
	if i < 0 {
		return Model{}, chosen, r.notAllowed(text)
	}
	return allowed[i], chosen, nil
}

// misfits are what a person set that the endpoint does not have, by name, with
// the models that have it for the same task.
func (r Rules) misfits(w route, given layer) Invalid {
	var problems Invalid
	for id := range given {
		p := row(id)
		if w.endpoint.takes(id) || p.Kind == KindMedia && !given.set(id) {
			continue
		}
		if id == idPrompt || id == idLoRAs && !given.set(id) || p.Kind == KindChoice && isNone(given[id]) {
			continue // a prompt that is not needed is noted, and none of it is what there is
		}
		e := FieldError{Option: p.Key(), Problem: NotTaken, Value: w.model.Value}
		if w.task != fromText {
			e.Other = w.task.String()
		}
		for _, m := range r.allowed() {
			if other, ok := r.endpointOf(m, w.task, given.set(idLoRAs) || id == idLoRAs); ok && other.takes(id) {
				e.Choices = append(e.Choices, m.Value)
			}
		}
		if len(e.Choices) == 0 && p.Kind == KindMedia && w.task.ofClip() {
			e.Nearest = r.editWith(w.model, id)
		}
		problems = append(problems, e)
	}
	if w.task == reframe && !given.set(idSize) { // it would be paid for, and change nothing
		problems = append(problems, FieldError{Option: row(idEdit).Key(), Problem: NeedsInput, Other: row(idSize).Key()})
	}
	return problems
}

// idle is the quality that a person chose of which the endpoint takes nothing,
// with the models that take some of it for the same task.
func (r Rules) idle(w route, given, preset layer) Invalid {
	none := func(e Endpoint) bool { return len(preset.fitting(e)) == 0 }
	if !given.set(idQuality) || len(preset) == 0 || !none(w.endpoint) {
		return nil
	}
	e := FieldError{Option: row(idQuality).Key(), Problem: NotTaken, Value: w.model.Value}
	if w.task != fromText {
		e.Other = w.task.String()
	}
	for _, m := range r.allowed() {
		if other, ok := r.endpointOf(m, w.task, given.set(idLoRAs)); ok && !none(other) {
			e.Choices = append(e.Choices, m.Value)
		}
	}
	return Invalid{e}
}

// ofModel are the problems with a value that another model may take.
var ofModel = []Problem{NotAChoice, OutOfRange, LoRAScale, LoRANotDirect, TooLong}

// nameOthers puts into problems with what a person set the models that take it for
// the same task.
func (r Rules) nameOthers(problems Invalid, w route, given layer) {
	for i, e := range problems {
		p, known := Lookup(e.Option)
		text, typed := given[p.id()]
		if !known || !typed || !slices.Contains(ofModel, e.Problem) {
			continue
		}
		for _, m := range r.allowed() {
			other, ok := r.endpointOf(m, w.task, given.set(idLoRAs))
			if !ok || !other.takes(p.id()) {
				continue
			}
			try := evaluation{rules: r, endpoint: other, quick: true, fps: DefaultFPS, values: map[string]any{}}
			if try.value(other.row(row(p.id())), text); len(try.problems) == 0 {
				problems[i].Models = append(problems[i].Models, row(idModel).Key()+":"+m.Value)
			}
		}
		if e.Problem == NotAChoice && len(problems[i].Models) > 0 {
			problems[i].Nearest = "" // it is no mistake in writing
		}
	}
}

// makesSize tells whether an endpoint makes videos of the size that a text names,
// and not only of one like it.
func (r Rules) makesSize(e Endpoint, text string) bool {
	try := evaluation{rules: r, endpoint: e, quick: true, fps: DefaultFPS, values: map[string]any{}}
	if e.shape != nil {
		try.nearestSize(e.shape, layer{idSize: text})
	} else {
		try.size(row(idSize), text)
	}
	changed := func(n Note) bool { return n.Reason == FittedToModel || n.Reason == LargestSize }
	return e.takes(idSize) && len(try.problems) == 0 && !slices.ContainsFunc(try.notes, changed)
}

// made is the row of the size with the names that an endpoint makes.
func (r Rules) made(e Endpoint, p Param) Param {
	if e.ID != "" {
		p.Choices = slices.DeleteFunc(slices.Clone(p.Choices), func(c Choice) bool { return !r.makesSize(e, c.Value) })
	}
	return p
}

// withLarger adds to the notes about a size that is too large the models that
// make it for the same task.
func (r Rules) withLarger(notes []Note, w route, all layer) []Note {
	i := slices.IndexFunc(notes, func(n Note) bool { return n.Reason == LargestSize })
	if i < 0 {
		return notes
	}
	var able []string
	for _, m := range r.allowed() {
		if e, ok := r.endpointOf(m, w.task, all.set(idLoRAs)); ok && r.makesSize(e, all[idSize]) {
			able = append(able, row(idModel).Key()+":"+m.Value)
		}
	}
	if len(able) == 0 {
		return notes
	}
	return slices.Insert(slices.Clone(notes), i+1, Note{Option: notes[i].Option, From: notes[i].From, To: strings.Join(able, ", "), Reason: LargerModels})
}

// Needs returns the models that take a value which the default model does not
// take, for a video from text. It is nil where none is needed.
func (r Rules) Needs(p Param, c Choice) []string {
	var able []string
	for _, m := range r.allowed() {
		e, ok := r.endpointOf(m, fromText, false)
		if !ok || !e.takes(p.id()) {
			continue
		}
		takes := r.makesSize(e, c.Value)
		if p.id() != idSize {
			_, takes = e.row(p).choice(c.Value)
		}
		if takes && m.Value == r.DefaultModel() {
			return nil
		}
		if takes {
			able = append(able, row(idModel).Key()+":"+m.Value)
		}
	}
	return able
}

// editWith is an edit that takes a file, "edit:reference", of this model or
// another one; "" if there is none.
func (r Rules) editWith(own Model, id string) string {
	for _, m := range append([]Model{own}, r.allowed()...) {
		for _, t := range tasks {
			if e, ok := r.endpointOf(m, t, false); ok && t.ofClip() && e.takes(id) {
				return t.String()
			}
		}
	}
	return ""
}

// possible returns the layer with what the endpoint takes of it: the operator's
// default for one model may be too much for another. A number becomes the
// nearest one, anything else is left out.
func (r Rules) possible(e Endpoint, l layer) layer {
	out := maps.Clone(l)
	for _, f := range e.fields {
		text, ok := l[f.row]
		if !ok || f.values == nil && f.min == 0 && f.max == 0 {
			continue
		}
		try := evaluation{rules: r, endpoint: e, quick: true, fps: DefaultFPS, values: map[string]any{}}
		try.value(e.row(row(f.row)), text)
		switch {
		case len(try.problems) == 0:
		case try.problems[0].Problem == OutOfRange:
			out[f.row] = try.problems[0].Nearest
		default:
			delete(out, f.row)
		}
	}
	return out
}

// fitting returns the layer without what the endpoint does not have.
func (l layer) fitting(e Endpoint) layer {
	out := layer{}
	for id, text := range l {
		if e.takes(id) {
			out[id] = text
		}
	}
	return out
}

// edits are the values of the option edit.
var edits = []Choice{
	{Value: string(extend), Label: "Extend: the clip goes on", Synonyms: []string{"continue", "longer"}},
	{Value: string(restyle), Label: "Restyle: the same motion, another look", Synonyms: []string{"style", "video-to-video", "v2v"}},
	{Value: string(reference), Label: "Reference: a new video that moves like the clip", Synonyms: []string{"reference-video", "motion"}},
	{Value: string(retake), Label: "Retake: make a part of the clip anew", Synonyms: []string{"redo"}},
	{Value: string(reframe), Label: "Reframe: another shape", Synonyms: []string{"crop"}},
}
