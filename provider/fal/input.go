package fal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"ltxbot/core/generate"
	"ltxbot/core/ltx"
)

// A loraInput is fal's LoRAInput.
type loraInput struct {
	Path  string  `json:"path"`
	Scale float64 `json:"scale"`
}

// noLoRA is what fal takes for "no LoRA": the field is required and has this
// value in fal's own example.
// https://fal.ai/models/fal-ai/ltx-2.3-22b/text-to-video/lora/api
var noLoRA = []loraInput{{Scale: 1}}

// input is the JSON that j is submitted with: every input of its endpoint,
// explicit, in the order of the table. It holds the prompt and may hold secrets
// in LoRA paths and addresses of files: it is never logged.
func input(j generate.JobRequest) ([]byte, error) {
	switch {
	case j.Request.IsZero():
		return nil, errors.New("there is no request")
	case j.Request.Endpoint() != j.Endpoint:
		return nil, errors.New("the request is for another endpoint")
	case len(j.Request.Pending()) > 0:
		return nil, errors.New("a file of the request is not at the provider")
	}
	b := bytes.NewBufferString("{")
	for name, v := range j.Request.Body() {
		if loras, ok := v.([]ltx.LoRA); ok {
			v = loraInputs(loras)
		}
		text, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("input %s: %w", name, err)
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		fmt.Fprintf(b, "%q:%s", name, text)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func loraInputs(loras []ltx.LoRA) []loraInput {
	if len(loras) == 0 {
		return noLoRA
	}
	inputs := make([]loraInput, 0, len(loras))
	for _, l := range loras {
		inputs = append(inputs, loraInput{Path: l.Path, Scale: l.Scale})
	}
	return inputs
}

// private are the texts of j that an answer may repeat and a log must not:
// what the person wrote, and LoRA paths and addresses of files, which may hold
// tokens.
func private(j generate.JobRequest) []string {
	loras := j.Request.LoRAs()
	texts := append(make([]string, 0, 2+len(loras)), j.Request.Prompt(), j.Request.Negative())
	for _, l := range loras {
		texts = append(texts, l.Path)
	}
	for _, v := range j.Request.Values() {
		if m, ok := v.(ltx.Media); ok {
			texts = append(texts, m.Ref, m.URL)
		}
	}
	return texts
}
