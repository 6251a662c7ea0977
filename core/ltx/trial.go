package ltx

import (
	"maps"
	"slices"
	"strings"
)

// A Trial compares the strengths of one LoRA: a video for each, and all else is
// the same, the seed too.
type Trial struct {
	LoRA   string    `json:"lora"` // its name in the team's library
	Scales []float64 `json:"scales"`
}

// TrialScales are the strengths that a LoRA is tried at: from hardly visible to
// too strong.
func TrialScales() []float64 { return []float64{0.4, 0.7, 1, 1.3} }

// Label names the video with this index, from 0: "film@0.7".
func (t Trial) Label(i int) string { return t.LoRA + "@" + num(t.Scales[i]) }

// Try returns the request for one video with each strength of a LoRA that it
// uses. A strength that the model does not take is left out. A request without
// the LoRA stays as it is.
func (r Request) Try(lora string, scales ...float64) Request {
	if r.tried(lora) < 0 {
		return r
	}
	most := endpoints[r.like].row(row(idLoRAs)).Max
	scales = slices.DeleteFunc(slices.Clone(scales), func(s float64) bool { return s > most })
	r = r.One()
	r.trial = Trial{LoRA: lora, Scales: scales[:min(len(scales), MaxCount)]}
	return r
}

// Trial is what the request compares, or zero.
func (r Request) Trial() Trial { return r.trial }

// tried is the index of the LoRA with this name, or -1.
func (r Request) tried(name string) int {
	return slices.IndexFunc(get[[]LoRA](r, idLoRAs), func(l LoRA) bool { return name != "" && strings.EqualFold(l.Name, name) })
}

// Take returns the request for one of the videos that are asked for, by its
// index from 0.
func (r Request) Take(i int) Request {
	one := r.One()
	if at := r.tried(r.trial.LoRA); at >= 0 {
		loras := r.LoRAs()
		loras[at].Scale = r.trial.Scales[i]
		one.values = maps.Clone(r.values)
		one.values[idLoRAs] = loras
	}
	return one
}

// shownTried writes a LoRA as a setting that may be shown: that of a trial with
// all its strengths, "film@0.4/0.7/1".
func (r Request) shownTried(l LoRA) string {
	if r.trial.LoRA == "" || !strings.EqualFold(l.Name, r.trial.LoRA) {
		return l.shownTyped()
	}
	scales := make([]string, len(r.trial.Scales))
	for i, s := range r.trial.Scales {
		scales[i] = num(s)
	}
	return l.Name + "@" + strings.Join(scales, "/")
}
