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

// Offered is a parameter as whoever asks may set it here: with the choices that
// some model takes which they may choose, and no wider a range, under the operator's
// limits. It is false where no such model has the parameter.
func (r Rules) Offered(p Param) (Param, bool) {
	if p.Kind == KindStyle {
		return p, true // it is taken apart before there is an endpoint
	}
	var taken []Param // as each endpoint has it
	for _, m := range r.allowed() {
		for _, t := range tasks {
			for _, loras := range []bool{false, true} {
				if e, ok := r.endpointOf(m, t, loras); ok && e.takes(p.id()) {
					taken = append(taken, r.offeredBy(e, m, t, p))
				}
			}
		}
	}
	if len(taken) == 0 {
		return p, false
	}
	choices := p.Choices
	if p.Kind == KindPreset {
		choices = r.qualityChoices()
	}
	p.Choices = slices.DeleteFunc(slices.Clone(choices), func(c Choice) bool {
		return !isNone(c.Value) && !slices.ContainsFunc(taken, func(q Param) bool {
			return slices.ContainsFunc(q.Choices, func(other Choice) bool { return other.Value == c.Value })
		})
	})
	least, most := taken[0].Min, taken[0].Max
	for _, q := range taken {
		least, most = min(least, q.Min), max(most, q.Max)
	}
	p.Min, p.Max = max(p.Min, least), min(p.Max, most)
	return p, len(p.Choices) > 0 || len(choices) == 0
}

// offeredBy is a parameter as a model's endpoint takes it for a task.
func (r Rules) offeredBy(e Endpoint, m Model, t task, p Param) Param {
	q := e.row(p)
	only := func(value string) {
		q.Choices = slices.DeleteFunc(slices.Clone(q.Choices), func(c Choice) bool { return c.Value != value })
	}
	switch id := p.id(); {
	case id == idSize:
		q = r.made(e, q)
		q.Max = float64(r.maxSide())
	case id == idModel:
		only(m.Value)
	case id == idEdit:
		only(string(t))
	case id == idQuality:
		q.Choices = slices.DeleteFunc(r.qualityChoices(), func(c Choice) bool { return !r.doesAny(c.Value, e) })
	case id == idDuration && e.shape != nil:
		q.Min, q.Max = e.shape.least(), e.shape.longestAt(e.shape.side, e.shape.rate)
	case id == idFPS && e.shape != nil && len(e.shape.fps) > 0:
		q.Min, q.Max = slices.Min(e.shape.fps), slices.Max(e.shape.fps)
	}
	return q
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
