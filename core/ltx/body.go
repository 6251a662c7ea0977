package ltx

import (
	"iter"
	"math"
	"slices"
)

// Body is what is sent to the endpoint of the request: each input by its own
// name there and in its order: a string, bool, int64, float64, Size or []LoRA.
// Nothing of another endpoint is among it. It holds the prompt and may hold
// secrets in LoRA paths and addresses of files: it is never logged.
func (r Request) Body() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		e, ok := endpoints[r.like]
		if !ok {
			return
		}
		for _, f := range e.fields {
			if v := r.sent(e, f); v != nil && !yield(f.name, v) {
				return
			}
		}
	}
}

// ShownBody is Body as it may be kept and shown: files by what people read of
// them, LoRAs without what may be secret. It holds the prompt.
func (r Request) ShownBody() map[string]any {
	body := map[string]any{}
	e := endpoints[r.like]
	for _, f := range e.fields {
		sent := r.sent(e, f)
		if sent == nil {
			continue
		}
		switch v := r.values[f.row].(type) {
		case Media:
			sent = v.typed()
		case []LoRA:
			shown := make([]LoRA, len(v))
			for i, l := range v {
				shown[i] = LoRA{Name: l.Name, Path: withoutSecrets(l.Path), Scale: l.Scale}
			}
			sent = shown
		}
		body[f.name] = sent
	}
	return body
}

// sent is the value of a field, nil when it is left out.
func (r Request) sent(e Endpoint, f field) any {
	if f.row == "" {
		return f.fixed
	}
	v := r.values[f.row]
	if m, ok := v.(Media); ok {
		if m.URL == "" {
			return nil
		}
		return m.URL
	}
	switch f.as {
	case asSeconds:
		s := round(r.Seconds())
		if s == math.Trunc(s) {
			return int64(s)
		}
		return s
	case asResolution:
		return sideText(r.Size())
	case asRatio:
		if e.shape.follows && e.takes(idImage) && slices.Contains(r.auto, idSize) {
			return "auto"
		}
		return ratioText(e.shape.ratios, r.Size())
	case asWhole:
		return int64(math.Round(r.FPS()))
	case asEnd:
		if v == "backward" {
			return "start"
		}
		return "end"
	case unlessNone:
		if v == "none" {
			return nil
		}
	case asIs:
	}
	return v
}

// ratioText is the ratio of a size as the endpoint calls it.
func ratioText(ratios []string, s Size) string {
	return nearestRatio(ratios, float64(s.Width)/float64(s.Height))
}
