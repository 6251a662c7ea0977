package doctor

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"ltxbot/app"
)

const areaConfig = "config"

// config names everything that is wrong in the config.
func (p patient) config(path string) []Finding {
	var found []Finding
	if err := errors.Join(p.invalid, app.Check(p.cfg)); err != nil {
		found = wrong(err)
	} else {
		found = append(found, ok(areaConfig, "%s is valid", file(path)))
	}
	found = append(found, p.exposed(path)...)
	if p.cfg.HTTP.AdminToken.Reveal() == "" {
		found = append(found, ok(areaConfig, "http.admin_token is empty: there is no admin API, and bot jobs can't reach a running bot"))
	}
	return found
}

// exposed looks whether anybody on this machine can read secrets that stand in
// the config.
func (p patient) exposed(path string) []Finding {
	info, err := os.Stat(path)
	literal := p.cfg.LiteralSecrets()
	if err != nil || info.Mode().Perm()&othersRead == 0 || len(literal) == 0 {
		return nil
	}
	return []Finding{warning(areaConfig, "chmod 640 "+path+", or keep each in a file of its own: file:/path",
		"%s can be read by every user of this machine and holds secrets: %s", path, strings.Join(literal, ", "))}
}

// othersRead is the right of everybody to read a file.
const othersRead = 0o004

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
			continue // the config's own check names it
		}
		found = append(found, ok(areaZones, "%s: it is %s there", name, p.opts.Now().In(zone).Format("Monday 15:04")))
	}
	return found
}
