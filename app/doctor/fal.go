package doctor

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/provider/fal"
)

const (
	areaKey   = "fal key"
	areaPrice = "fal price"
)

// adviceKey is what to do about an account that fal refuses.
const adviceKey = "look at the account at https://fal.ai/dashboard: the key, the balance, locks; then set fal.key"

// client makes a client of fal, or nil where the config has already been told
// to be wrong.
func (p patient) client() *fal.Client {
	c := p.cfg.Fal
	client, err := fal.New(fal.Config{
		Key: fal.Key(c.Key.Reveal()), QueueURL: c.QueueURL, RESTURL: c.RestURL, APIURL: c.APIURL,
		MediaHosts: c.MediaHosts, UserAgent: "ltxbot/" + p.opts.Version, Logger: p.opts.Logger,
	})
	if err != nil {
		return nil
	}
	return client
}

// key asks fal whether it takes the key.
func (p patient) key(ctx context.Context) []Finding {
	client := p.client()
	if client == nil {
		return nil
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	err := client.CheckKey(ctx, p.cfg.Fal.Model)
	var refused *generate.ProviderError
	switch {
	case err == nil:
		return []Finding{ok(areaKey, "fal takes the key")}
	case errors.As(err, &refused) && refused.Kind == generate.FailAccount:
		return []Finding{problem(areaKey, adviceKey, "fal refuses it: %v", err)}
	case errors.As(err, &refused) && !refused.Temporary:
		return []Finding{problem(areaKey, "check fal.model and fal.queue_url", "fal does not know what is asked for: %v", err)}
	default:
		return []Finding{problem(areaKey, "check the network, and https://status.fal.ai", "fal can't be asked: %v", err)}
	}
}

// tolerance is by how much a price may differ without a word.
const tolerance = 0.01

// prices compares the price in the config with what fal charges now.
func (p patient) prices(ctx context.Context) []Finding {
	client := p.client()
	if client == nil {
		return nil
	}
	defer client.Close()
	own := []string{p.cfg.Fal.Model}
	if m := p.cfg.Fal.ModelWithoutLoRA; m != "" && m != p.cfg.Fal.Model {
		own = append(own, m)
	}
	asked := slices.Clone(own)
	for _, id := range ltx.EndpointIDs() {
		if !slices.Contains(own, id) && len(asked) < mostPrices {
			asked = append(asked, id)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	listed, err := client.Prices(ctx, asked...)
	if err != nil {
		return []Finding{warning(areaPrice, "compare fal.usd_per_megapixel and [models.prices] with the model's page on https://fal.ai yourself", "fal tells no price: %v", err)}
	}
	var found []Finding
	for _, m := range own {
		found = append(found, p.price(m, listed))
	}
	return append(found, p.otherPrices(asked[len(own):], listed)...)
}

// mostPrices is how many endpoints fal tells the prices of at a time.
// https://fal.ai/docs/platform-apis/v1/models/pricing
const mostPrices = 50

// otherPrices judges the prices of the endpoints that are not in the config: a
// word about each that differs, and one about all that do not. fal lists
// something else than the price of a second for some of its partners'
// endpoints: these are left out.
func (p patient) otherPrices(ids []string, listed []fal.Price) []Finding {
	var found []Finding
	right := 0
	for _, l := range listed {
		ours := p.cfg.PriceOf(l.Endpoint)
		if !slices.Contains(ids, l.Endpoint) || !counts(l, ours.Unit) {
			continue
		}
		if knows(ours, l.UnitPrice) {
			right++
			continue
		}
		found = append(found, warning(areaPrice, fmt.Sprintf("set %q in the table [models.prices] to %v", l.Endpoint, l.UnitPrice),
			"%s costs $%v per %s, the bot counts with $%v", l.Endpoint, l.UnitPrice, l.Unit, ours.USD))
	}
	if right > 0 {
		found = append(found, ok(areaPrice, "%d other endpoints cost what the bot counts with", right))
	}
	return found
}

// counts tells whether fal's unit is ours.
func counts(l fal.Price, unit ltx.Unit) bool {
	word := "megapixel"
	if unit != ltx.Megapixel {
		word = "second"
	}
	return l.Currency == "USD" && l.UnitPrice > 0 && strings.HasPrefix(l.Unit, word)
}

// knows tells whether a price is one of ours.
func knows(ours ltx.Price, usd float64) bool {
	near := func(a float64) bool { return math.Abs(usd/a-1) <= tolerance }
	for _, tier := range ours.BySide {
		if near(tier) {
			return true
		}
	}
	return near(ours.USD)
}

// price judges the price of one model.
func (p patient) price(model string, listed []fal.Price) Finding {
	known, key := p.cfg.PriceOf(model), "fal.usd_per_megapixel"
	ours := known.USD
	if model != p.cfg.Fal.Model || known.Unit != ltx.Megapixel {
		key = fmt.Sprintf("%q in the table [models.prices]", model)
	}
	for _, l := range listed {
		if l.Endpoint != model {
			continue
		}
		if !counts(l, known.Unit) {
			return problem(areaPrice, "update the bot: it counts in US dollars per "+string(known.Unit),
				"%s costs %v %s per %s", model, l.UnitPrice, l.Currency, l.Unit)
		}
		if knows(known, l.UnitPrice) {
			return ok(areaPrice, "%s costs $%v per %s, as in the config", model, l.UnitPrice, known.Unit)
		}
		set := fmt.Sprintf("set %s = %v", key, l.UnitPrice)
		switch drift := l.UnitPrice/ours - 1; {
		case drift > 0:
			return problem(areaPrice, set, "%s costs $%v per %s, %.0f %% more than the config says: limits in dollars let too much through",
				model, l.UnitPrice, known.Unit, drift*100)
		default:
			return warning(areaPrice, set, "%s costs $%v per %s, %.0f %% less than the config says: too much is held and charged",
				model, l.UnitPrice, known.Unit, -drift*100)
		}
	}
	return warning(areaPrice, "check fal.model and fal.model_without_lora", "fal lists no price of %s", model)
}
