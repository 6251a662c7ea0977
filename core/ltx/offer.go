package ltx

import (
	"errors"
	"slices"

	"ltxbot/core/usd"
)

// sample is the video whose price an Offer tells unless another is named.
var sample = []Setting{{Key: idPrompt, Value: "a"}, {Key: idDuration, Value: "5"}}

// An Offer is a model that people may choose.
type Offer struct {
	Choice

	Tasks   []string   // what it makes a video of, as typed: "text", "image", "edit:extend"
	LoRAs   bool       // it takes LoRAs
	Partner string     // who runs it, if that is not the provider
	Cost    usd.Micros // of the video; 0 = not known, or the model does not make it
	Seconds float64    // how long that video is: the models do not have the same lengths
	Tiers   []string   // whose members may choose it; nil = everybody
}

// Offers are the models that people may choose, the default one first, and last
// those that only some tiers may choose; with what the video of these settings
// costs, or five seconds from text.
func (r Rules) Offers(of ...Setting) []Offer {
	r.AnyTier = true
	if len(of) == 0 {
		of = sample
	}
	allowed := r.allowed()
	offers := make([]Offer, 0, len(allowed))
	for _, m := range allowed {
		o := Offer{Choice: m.Choice, Partner: m.makes[0].plain.Partner, Tiers: r.Reserved[m.Value]}
		for _, w := range m.makes {
			o.Tasks = append(o.Tasks, w.task.String())
			o.LoRAs = o.LoRAs || w.lora.ID != ""
		}
		o.Cost, o.Seconds = r.cost(append(slices.Clone(of), Setting{Key: idModel, Value: m.Value}))
		offers = append(offers, o)
	}
	return offers
}

// cost is what a video costs, and how long it is; 0 when that is not known.
func (r Rules) cost(settings []Setting) (usd.Micros, float64) {
	req, err := r.Roughly(settings)
	if e, ok := r.find(req.Endpoint()); err == nil && ok {
		return req.Estimate(r.price(e)), req.Seconds()
	}
	return 0, 0
}

// Roughly is Parse without what the model does not take: for a price.
func (r Rules) Roughly(settings []Setting) (Request, error) {
	req, err := r.Parse(settings)
	if err == nil {
		return req, nil
	}
	for _, p := range problemsIn(err) {
		settings = slices.DeleteFunc(slices.Clone(settings), func(s Setting) bool { return p.Problem == NotTaken && sameParam(s.Key, p.Option) })
	}
	return r.Parse(settings)
}

// problemsIn are the problems of an error.
func problemsIn(err error) Invalid {
	problems, _ := errors.AsType[Invalid](err)
	return problems
}

// A use is an endpoint that a model has for a task.
type use struct {
	model    Model
	task     task
	endpoint Endpoint
}

// uses are where a parameter is taken, of the models that whoever asks may choose.
func (r Rules) uses(p Param) []use {
	var all []use
	for _, m := range r.allowed() {
		for _, t := range tasks {
			for _, loras := range []bool{false, true} {
				if e, ok := r.endpointOf(m, t, loras); ok && e.takes(p.id()) {
					all = append(all, use{m, t, e})
				}
			}
		}
	}
	return all
}

// Offered is a parameter as whoever asks may set it here: with the choices that
// some model takes which they may choose, and no wider a range, under the operator's
// limits. It is false where no such model has the parameter.
func (r Rules) Offered(p Param) (Param, bool) {
	if p.Kind == KindStyle {
		return p, true // it is taken apart before there is an endpoint
	}
	uses := r.uses(p)
	if len(uses) == 0 {
		return p, false
	}
	choices := p.Choices
	if p.Kind == KindPreset {
		choices = r.qualityChoices()
	}
	p.Choices = slices.DeleteFunc(slices.Clone(choices), func(c Choice) bool {
		return !isNone(c.Value) && !slices.ContainsFunc(uses, func(u use) bool { return r.takesChoice(u, p, c) })
	})
	least, most := r.rangeOf(uses[0], p)
	for _, u := range uses[1:] {
		low, high := r.rangeOf(u, p)
		least, most = min(least, low), max(most, high)
	}
	p.Min, p.Max = max(p.Min, least), min(p.Max, most)
	return p, len(p.Choices) > 0 || len(choices) == 0
}

// takesChoice tells whether a parameter can have a value there.
func (r Rules) takesChoice(u use, p Param, c Choice) bool {
	switch p.id() {
	case idSize:
		return r.makesSize(u.endpoint, c.Value)
	case idModel:
		return c.Value == u.model.Value
	case idEdit:
		return c.Value == string(u.task)
	case idQuality:
		return r.doesAny(c.Value, u.endpoint)
	}
	_, ok := u.endpoint.row(p).choice(c.Value)
	return ok
}

// rangeOf is the range that a parameter has there.
func (r Rules) rangeOf(u use, p Param) (least, most float64) {
	q, s := u.endpoint.row(p), u.endpoint.shape
	switch id := p.id(); {
	case id == idSize:
		return q.Min, float64(r.maxSide())
	case id == idDuration && s != nil:
		return s.least(), s.longestAt(s.side, s.rate)
	case id == idFPS && s != nil && len(s.fps) > 0:
		return slices.Min(s.fps), slices.Max(s.fps)
	}
	return q.Min, q.Max
}

// qualityChoices are the values of the option quality.
func (r Rules) qualityChoices() []Choice {
	choices := make([]Choice, 0, len(qualities))
	for _, name := range r.QualityNames() {
		c := Choice{Value: name, Label: name}
		if i := slices.IndexFunc(qualities, func(c Choice) bool { return c.Value == name }); i >= 0 {
			c = qualities[i]
		}
		choices = append(choices, c)
	}
	return choices
}

// doesAny reports whether an endpoint takes anything of a quality that sets
// something.
func (r Rules) doesAny(quality string, e Endpoint) bool {
	preset, _ := collect(byQuality, r.qualities()[quality])
	return len(preset) == 0 || len(preset.fitting(e)) > 0
}
