package ltx

import "slices"

// draftQuality is the built-in quality for a first look.
const draftQuality = "draft"

// IsDraft tells whether the request is for a first look: Finished makes the same
// video finer.
func (r Request) IsDraft() bool { return r.HasSeed() && len(r.rungs()) > 0 }

// rungs are the settings that make of a draft the finished video.
func (r Request) rungs() []Setting {
	var up []Setting
	for _, m := range models {
		if m.Value == r.model && m.ladder != "" {
			up = append(up, Setting{Key: idModel, Value: m.ladder})
		}
	}
	if r.quality == draftQuality {
		up = append(up, Setting{Key: idQuality})
	}
	if p := row(idAcceleration); slices.Contains(r.given, p.id()) && r.values[p.id()] != p.Default {
		up = append(up, Setting{Key: p.Key()})
	}
	return up
}

// Finished returns the request for the video of a draft with the same prompt and
// seed, as the model that its ladder leads to makes it in full. What that model
// does not take is left out. The error is Invalid.
func (r Request) Finished(rules Rules) (Request, error) {
	up := r.rungs()
	done, err := r.With(rules, up...)
	problems := problemsIn(err)
	for _, p := range problems {
		if p.Problem == NotTaken {
			up = append(up, Setting{Key: p.Option})
		}
	}
	if len(problems) > 0 {
		done, err = r.With(rules, up...)
	}
	return done, err
}
