package doctor

import (
	"context"
	"strings"
	"time"

	"ltxbot/app"
)

const areaConfig = "config"

// config names everything that is wrong in the config.
func (p patient) config(path string) []Finding {
	var found []Finding
	if err := p.cfg.Validate(); err != nil {
		found = wrong(err)
	} else if err := app.Check(p.cfg); err != nil {
		found = wrong(err)
	}
	if len(found) == 0 {
		found = append(found, ok(areaConfig, "%s is valid", file(path)))
	}
	if p.cfg.HTTP.AdminToken.Reveal() == "" {
		found = append(found, ok(areaConfig, "http.admin_token is empty: there is no admin API, and bot jobs can't reach a running bot"))
	}
	return found
}

// wrong makes a finding of each line of a config's error.
func wrong(err error) []Finding {
	var found []Finding
	for text := range strings.SplitSeq(err.Error(), "\n") {
		found = append(found, problem(areaConfig, "", "%s", text))
	}
	return found
}

const areaZones = "time zones"

// zones shows what time it is where days of quotas begin.
func (p patient) zones(context.Context) []Finding {
	names := []string{p.cfg.Quota.TimeZone}
	for _, t := range p.cfg.Teams {
		if t.TimeZone != "" {
			names = append(names, t.TimeZone)
		}
	}
	var found []Finding
	seen := map[string]bool{}
	for _, name := range names {
		if seen[name] {
			continue
		}
		seen[name] = true
		zone, err := time.LoadLocation(name)
		if err != nil {
			found = append(found, problem(areaZones, "use an IANA name, such as Europe/Berlin", "%s is not known: %v", name, err))
			continue
		}
		found = append(found, ok(areaZones, "%s: it is %s there", name, p.opts.Now().In(zone).Format("Monday 15:04")))
	}
	return found
}
