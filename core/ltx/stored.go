package ltx

import (
	"encoding/json"
	"fmt"
	"iter"
)

// Values are what the video is asked for, by the table's name of each input and
// in the order of the table, also where the endpoint calls it otherwise: a string, bool, int64, float64, Size,
// []LoRA or Media. They hold the prompt and may hold secrets in LoRA paths: they are
// never logged.
func (r Request) Values() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for _, p := range table {
			if v := r.Value(p.Name); v != nil && !yield(p.Name, v) {
				return
			}
		}
	}
}

// stored is how a Request is stored. Fields may be added; a stored name is
// never used for something else. V is any to write, json.RawMessage to read.
type stored[V any] struct {
	Values   map[string]V `json:"values,omitempty"`
	Model    string       `json:"model,omitempty"`
	Endpoint string       `json:"endpoint,omitempty"`
	Like     string       `json:"like,omitempty"`
	Task     task         `json:"task,omitempty"`
	Edit     task         `json:"edit,omitempty"`
	Auto     []string     `json:"auto,omitempty"`
	Private  bool         `json:"private,omitempty"`
	Count    int          `json:"count,omitempty"`
	Trial    Trial        `json:"trial,omitzero"`
	Quality  string       `json:"quality,omitempty"`
	Style    string       `json:"style,omitempty"`
	Given    []string     `json:"given,omitempty"`
	Notes    []Note       `json:"notes,omitempty"`
}

// MarshalJSON writes the form in which a request is stored.
func (r Request) MarshalJSON() ([]byte, error) {
	return json.Marshal(stored[any]{
		Model: r.model, Endpoint: r.endpoint, Like: r.like, Task: r.task, Edit: r.edit, Auto: r.auto, Private: r.Private,
		Count: r.count, Trial: r.trial, Quality: r.quality, Style: r.style, Given: r.given, Notes: r.Notes, Values: r.values,
	})
}

// UnmarshalJSON reads what MarshalJSON wrote. A stored request is not validated
// again: the rules may have changed since.
func (r *Request) UnmarshalJSON(b []byte) error {
	var s stored[json.RawMessage]
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("decode request: %w", err)
	}
	*r = Request{model: s.Model, endpoint: s.Endpoint, like: s.Like, task: s.Task, edit: s.Edit, auto: s.Auto, Private: s.Private, count: s.Count, trial: s.Trial, Notes: s.Notes, quality: s.Quality, style: s.Style, given: s.Given}
	if len(s.Values) == 0 {
		return nil
	}
	values := make(map[string]any, len(table))
	for _, p := range table {
		if p.Name == "" {
			continue
		}
		raw, ok := s.Values[p.Name]
		if !ok {
			continue
		}
		v, err := p.decode(raw)
		if err != nil {
			return fmt.Errorf("decode request: %s: %w", p.Name, err)
		}
		values[p.Name] = v
	}
	r.values = values
	return nil
}

// decode reads a stored value.
func (p Param) decode(raw json.RawMessage) (any, error) {
	switch p.Kind {
	case KindText, KindChoice:
		return decodeAs[string](raw)
	case KindBool:
		return decodeAs[bool](raw)
	case KindInt:
		return decodeAs[int64](raw)
	case KindFloat:
		return decodeAs[float64](raw)
	case KindSize:
		return decodeAs[Size](raw)
	case KindLoRAs:
		return decodeAs[[]LoRA](raw)
	case KindMedia:
		return decodeAs[Media](raw)
	case KindDuration, KindPreset, KindStyle, KindAdvanced:
	}
	return nil, fmt.Errorf("a %s has no value", p.Kind)
}

// decodeAs decodes a T and returns it as any other value of a Request.
func decodeAs[T any](raw json.RawMessage) (any, error) {
	var v T
	err := json.Unmarshal(raw, &v)
	return v, err
}
