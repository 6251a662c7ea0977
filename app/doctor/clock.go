package doctor

import (
	"context"
	"net/http"
	"strings"
	"time"
)

const areaClock = "clock"

// How far the clock may be off. Slack and fal sign with their time, and a
// lost submit is looked for by it.
// https://docs.slack.dev/authentication/verifying-requests-from-slack
const (
	clockWarning = 30 * time.Second
	clockProblem = 2 * time.Minute
)

const adviceClock = "switch time synchronisation on: timedatectl set-ntp true"

// clock compares the clock of this machine with those of the services.
func (p patient) clock(ctx context.Context) []Finding {
	// Not fal's queue: no request that could be taken for a job goes there.
	var urls []string
	if p.cfg.Fal.Key.Reveal() != "" {
		urls = append(urls, strings.TrimSuffix(p.cfg.Fal.RestURL, "/")+"/.well-known/jwks.json")
	}
	for _, chat := range p.cfg.Platforms() {
		if chat.On {
			urls = append(urls, chat.APIURL)
		}
	}
	if len(urls) == 0 {
		return nil // nothing is configured: there is nobody to ask
	}
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	asked := false
	var most time.Duration
	for _, u := range urls {
		if off, ok := p.offset(ctx, u); ok {
			asked = true
			if off.Abs() > most.Abs() {
				most = off
			}
		}
	}
	behind := "behind"
	if most < 0 {
		behind = "ahead of"
	}
	apart := most.Abs().Round(time.Second)
	switch {
	case !asked:
		return []Finding{warning(areaClock, "check the network", "no service told its time")}
	case apart > clockProblem:
		return []Finding{problem(areaClock, adviceClock, "is %s %s that of the services: signed requests are refused", apart, behind)}
	case apart > clockWarning:
		return []Finding{warning(areaClock, adviceClock, "is %s %s that of the services", apart, behind)}
	default:
		return []Finding{ok(areaClock, "agrees with that of the services")}
	}
}

// offset is by how much the time of a server, to the second, is later than
// that of this machine. Any answer tells it; the request carries no key.
func (p patient) offset(ctx context.Context, url string) (time.Duration, bool) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, false
	}
	before := p.opts.Now()
	resp, err := p.opts.HTTP.Do(req)
	if err != nil {
		return 0, false
	}
	_ = resp.Body.Close() // nothing is read from it
	after := p.opts.Now()
	date, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return 0, false
	}
	switch second := date.Add(time.Second); {
	case second.Before(before):
		return second.Sub(before), true
	case date.After(after):
		return date.Sub(after), true
	default:
		return 0, true
	}
}
