package fal

import (
	"errors"
	"strings"

	"ltxbot/core/generate"
)

// input is the JSON that o is submitted with. Endpoints whose last part is
// "lora" require the input "loras"; the others do not have it.
func input(o generate.Order) ([]byte, error) {
	switch {
	case o.Request.IsZero():
		return nil, errors.New("the order has no request")
	case strings.HasSuffix(o.Endpoint, "/lora"):
		return o.Request.Input(), nil
	case o.Request.HasLoRA():
		return nil, errors.New("the endpoint takes no LoRA")
	}
	return o.Request.InputWithoutLoRA(), nil
}

// private are the texts of o that an answer may repeat and a log must not:
// what the person wrote, and LoRA paths, which may hold tokens.
func private(o generate.Order) []string {
	loras := o.Request.LoRAs()
	texts := append(make([]string, 0, 2+len(loras)), o.Request.Prompt(), o.Request.Negative())
	for _, l := range loras {
		texts = append(texts, l.Path)
	}
	return texts
}
