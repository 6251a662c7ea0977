package ltx

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// noLoRA is what the model takes for "no LoRA": the field is required and has
// this value in the provider's own example.
var noLoRA = []loraInput{{Scale: 1}}

// loraInput is the provider's LoRAInput.
type loraInput struct {
	Path  string  `json:"path"`
	Scale float64 `json:"scale"`
}

// Input is the JSON that asks the provider for the video: every input of the
// model, explicit, in the order of the table. It holds the prompt and may
// hold secrets in LoRA paths: it is never logged.
func (r Request) Input() []byte { return r.input(true) }

// InputWithoutLoRA is Input for the endpoint that takes no LoRAs. It is for
// requests of which HasLoRA is false.
func (r Request) InputWithoutLoRA() []byte { return r.input(false) }

func (r Request) input(withLoRAs bool) []byte {
	var b bytes.Buffer
	for _, p := range table {
		v, ok := r.values[p.Name]
		if !ok || p.Kind == KindLoRAs && !withLoRAs {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:%s", p.Name, encode(v))
	}
	return append(append([]byte{'{'}, b.Bytes()...), '}')
}

// encode writes a value of a Request.
func encode(v any) []byte {
	if loras, ok := v.([]LoRA); ok {
		inputs := make([]loraInput, 0, len(loras))
		for _, l := range loras {
			inputs = append(inputs, loraInput{Path: l.Path, Scale: l.Scale})
		}
		if len(inputs) == 0 {
			inputs = noLoRA
		}
		v = inputs
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic("ltx: a value cannot be encoded: " + err.Error()) // the table has only kinds that can
	}
	return b
}

// durable is how a Request is stored. Fields may be added; a stored name is
// never used for something else.
type durable struct {
	Input     json.RawMessage `json:"input,omitempty"`
	LoRANames []string        `json:"lora_names,omitempty"` // of Input's loras, "" without a name
	Private   bool            `json:"private,omitempty"`
	Quality   string          `json:"quality,omitempty"`
	Given     []string        `json:"given,omitempty"`
	Notes     []Note          `json:"notes,omitempty"`
}

// MarshalJSON writes the form in which a request is stored.
func (r Request) MarshalJSON() ([]byte, error) {
	d := durable{Private: r.Private, Quality: r.quality, Given: r.given, Notes: r.Notes}
	if !r.IsZero() {
		d.Input = r.Input()
	}
	for _, l := range r.LoRAs() {
		d.LoRANames = append(d.LoRANames, l.Name)
	}
	return json.Marshal(d)
}

// UnmarshalJSON reads what MarshalJSON wrote, today or in an older version:
// an input that was not known then has its default. A stored request is not
// validated again: the rules may have changed since.
func (r *Request) UnmarshalJSON(b []byte) error {
	var d durable
	if err := json.Unmarshal(b, &d); err != nil {
		return fmt.Errorf("decode request: %w", err)
	}
	*r = Request{Private: d.Private, Notes: d.Notes, quality: d.Quality, given: d.Given}
	if len(d.Input) == 0 {
		return nil
	}
	var input map[string]json.RawMessage
	if err := json.Unmarshal(d.Input, &input); err != nil {
		return fmt.Errorf("decode request: input: %w", err)
	}
	values := make(map[string]any, len(table))
	missing := evaluation{rules: Rules{Seed: func() int64 { return 0 }}, fps: DefaultFPS}
	for _, p := range table {
		if p.Name == "" {
			continue
		}
		raw, ok := input[p.Name]
		if !ok {
			values[p.Name] = missing.value(p, p.defaultText())
			continue
		}
		v, err := p.decode(raw, d.LoRANames)
		if err != nil {
			return fmt.Errorf("decode request: input %s: %w", p.Name, err)
		}
		values[p.Name] = v
	}
	if len(missing.problems) > 0 {
		return fmt.Errorf("decode request: %w", missing.problems)
	}
	r.values = values
	return nil
}

// decode reads what encode wrote.
func (p Param) decode(raw json.RawMessage, loraNames []string) (any, error) {
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
		return decodeLoRAs(raw, loraNames)
	case KindDuration, KindPreset, KindAdvanced:
	}
	return nil, fmt.Errorf("a %s has no value", p.Kind)
}

func decodeLoRAs(raw json.RawMessage, names []string) ([]LoRA, error) {
	var inputs []loraInput
	if err := json.Unmarshal(raw, &inputs); err != nil {
		return nil, err
	}
	var loras []LoRA
	for i, in := range inputs {
		if in.Path == "" {
			continue
		}
		l := LoRA{Path: in.Path, Scale: in.Scale}
		if i < len(names) {
			l.Name = names[i]
		}
		loras = append(loras, l)
	}
	return loras, nil
}

// decodeAs decodes a T and returns it as any other value of a Request.
func decodeAs[T any](raw json.RawMessage) (any, error) {
	var v T
	err := json.Unmarshal(raw, &v)
	return v, err
}
