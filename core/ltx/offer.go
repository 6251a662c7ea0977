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
