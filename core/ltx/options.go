package ltx

import "slices"

// Options are the parameters that mean something for what is set so far: those
// of the endpoint to which it leads. A form asks for these.
type Options struct {
	// Model is the name of the model that it leads to: "pro".
	Model string

	rules    Rules
	endpoint Endpoint
	loras    bool // its twin takes LoRAs
}

// OptionsFor returns the options beside settings. An edit counts as if its clip
// was there, and what is wrong with a value does not matter. The error is Invalid:
// no model makes this.
func (r Rules) OptionsFor(settings []Setting) (Options, error) {
	said, _ := r.hear(settings)
	if said.given.set(idEdit) && !said.given.set(idClip) {
		said.given[idClip] = jobRef
	}
	w, problems := r.choose(said.given.over(said.below), said.given)
	if len(problems) > 0 {
		return Options{}, problems
	}
	_, loras := r.endpointOf(w.model, w.task, true)
	return Options{Model: w.model.Value, rules: r, endpoint: w.endpoint, loras: loras}, nil
}

// Take tells whether a parameter is among them.
func (o Options) Take(p Param) bool {
	if p.Kind == KindLoRAs {
		return o.loras
	}
	return o.endpoint.takes(p.id()) && (p.Kind != KindPreset || len(o.Qualities()) > 0)
}

// Offered is a parameter as Rules.Offered has it.
func (o Options) Offered(p Param) Param {
	p, _ = o.rules.Offered(p)
	return p
}

// Qualities are the values of the option quality of which something is taken.
func (o Options) Qualities() []string {
	return slices.DeleteFunc(o.rules.QualityNames(), func(name string) bool { return !o.rules.doesAny(name, o.endpoint) })
}

// Admits tells whether a file for a parameter can go into the video of a request
// beside its files. What else has to be given then does not matter.
func (r Rules) Admits(of Request, key string) bool {
	_, err := of.With(r, Setting{Key: key, Value: "https://example.com/file"})
	return !slices.ContainsFunc(problemsIn(err), func(e FieldError) bool {
		p, _ := Lookup(e.Option)
		return e.Problem == ModelCannot || e.Problem == NotTaken && p.Kind == KindMedia
	})
}
