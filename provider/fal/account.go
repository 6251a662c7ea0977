package fal

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// A Price is what fal charges for an endpoint now.
type Price struct {
	Endpoint  string  `json:"endpoint_id"`
	UnitPrice float64 `json:"unit_price"` // per Unit, in Currency
	Unit      string  `json:"unit"`       // "megapixels"
	Currency  string  `json:"currency"`   // "USD"
}

// Prices asks for the unit prices of at most 50 endpoints. Endpoints that fal
// does not know are left out.
// https://fal.ai/docs/platform-apis/v1/models/pricing
func (c *Client) Prices(ctx context.Context, endpoints ...string) (prices []Price, err error) {
	defer c.done(opPrices, time.Now(), &err)
	u := c.api.JoinPath("models/pricing")
	u.RawQuery = url.Values{"endpoint_id": endpoints}.Encode()
	a, err := c.do(ctx, call{op: opPrices, method: http.MethodGet, url: u})
	switch {
	case err != nil:
		return nil, err
	case !a.ok():
		return nil, c.refusal(opPrices, a)
	}
	var body struct {
		Prices []Price `json:"prices"`
	}
	if err := json.Unmarshal(a.body, &body); err != nil {
		return nil, fmt.Errorf("prices: %w", c.scrub.err(err))
	}
	return body.Prices, nil
}

// nobodysRequest is a request id that no request has.
const nobodysRequest = "00000000-0000-0000-0000-000000000000"

// CheckKey asks for the status of a request that does not exist: with a good
// key fal says so, and it costs nothing. A refused key is a
// *generate.ProviderError of kind FailAccount.
func (c *Client) CheckKey(ctx context.Context, endpoint string) (err error) {
	defer c.done(opCheckKey, time.Now(), &err)
	app, err := appOf(endpoint)
	if err != nil {
		return fmt.Errorf("check key: %w", err)
	}
	a, err := c.do(ctx, call{
		op: opCheckKey, method: http.MethodGet, url: c.queue.JoinPath(app, "requests", nobodysRequest, "status"),
	})
	switch {
	case err != nil:
		return err
	case a.status == http.StatusNotFound && wrongPath(a):
		return c.refusal(opCheckKey, a)
	case a.status == http.StatusNotFound, a.ok():
		return nil
	}
	return c.refusal(opCheckKey, a)
}
