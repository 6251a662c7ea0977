package doctor

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"ltxbot/core/generate"
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
	models := []string{p.cfg.Fal.Model}
	if m := p.cfg.Fal.ModelWithoutLoRA; m != "" && m != p.cfg.Fal.Model {
		models = append(models, m)
	}
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	listed, err := client.Prices(ctx, models...)
	if err != nil {
		return []Finding{warning(areaPrice, "compare fal.usd_per_megapixel and [models.prices] with the model's page on https://fal.ai yourself", "fal tells no price: %v", err)}
	}
	var found []Finding
	for _, m := range models {
		found = append(found, p.price(m, listed))
	}
	return found
}

// price judges the price of one model.
func (p patient) price(model string, listed []fal.Price) Finding {
	ours, key := p.cfg.PriceOf(model), "fal.usd_per_megapixel"
	if model != p.cfg.Fal.Model {
		key = fmt.Sprintf("%q in the table [models.prices]", model)
	}
	for _, l := range listed {
		if l.Endpoint != model {
			continue
		}
		if l.Currency != "USD" || !strings.HasPrefix(l.Unit, "megapixel") || l.UnitPrice <= 0 {
			return problem(areaPrice, "update the bot: it counts in US dollars per megapixel",
				"%s costs %v %s per %s", model, l.UnitPrice, l.Currency, l.Unit)
		}
		set := fmt.Sprintf("set %s = %v", key, l.UnitPrice)
		switch drift := l.UnitPrice/ours - 1; {
		case math.Abs(drift) <= tolerance:
			return ok(areaPrice, "%s costs $%v per megapixel, as in the config", model, l.UnitPrice)
		case drift > 0:
			return problem(areaPrice, set, "%s costs $%v per megapixel, %.0f %% more than the config says: limits in dollars let too much through",
				model, l.UnitPrice, drift*100)
		default:
			return warning(areaPrice, set, "%s costs $%v per megapixel, %.0f %% less than the config says: too much is held and charged",
				model, l.UnitPrice, -drift*100)
		}
	}
	return warning(areaPrice, "check fal.model and fal.model_without_lora", "fal lists no price of %s", model)
}
