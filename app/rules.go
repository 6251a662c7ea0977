package app

import (
	"fmt"

	"ltxbot/config"
	"ltxbot/core/ltx"
)

// rulesOf is what the config says about requests. Its error names the key of
// each setting that the model does not take.
func rulesOf(c config.Config) (ltx.Rules, error) {
	r := ltx.Rules{
		Defaults:      ltx.SettingsOf(c.Defaults.Text()),
		Qualities:     map[string][]ltx.Setting{},
		LoRAHosts:     c.LoRA.Hosts,
		MaxLoRAs:      c.LoRA.Max,
		MaxSide:       c.Limits.MaxSide,
		MaxMegapixels: c.Limits.MaxMegapixels,
		MaxPrompt:     c.Limits.MaxPrompt,
		AllowUnsafe:   !c.Fal.SafetyChecker,

		Endpoint: c.Fal.Model, EndpointWithoutLoRA: c.Fal.ModelWithoutLoRA,
		Custom: c.Models.CustomEndpoints(), Price: c.PriceOf,
	}
	if len(c.Models.Allow) > 0 {
		r.Models, r.Reserved = c.Models.Allow, c.ReservedModels()
	}
	for name, options := range c.Quality {
		r.Qualities[name] = ltx.SettingsOf(options.Text())
	}
	if err := r.Validate(); err != nil {
		return ltx.Rules{}, fmt.Errorf("config: %w", err)
	}
	return r, nil
}
