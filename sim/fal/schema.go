package fal

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// An endpoint is a model that the simulator has.
type endpoint struct {
	path  string
	loras bool    // it has the input "loras", and requires it
	price float64 // US dollars per megapixel
}

// app is the part of an endpoint's path that its requests live under.
const app = "fal-ai/ltx-2.3-22b"

// endpoints are all the simulator has. Prices are those that
// https://fal.ai/models/fal-ai/ltx-2.3-22b/text-to-video/lora and its sibling
// state.
var endpoints = []endpoint{
	{path: app + "/text-to-video/lora", loras: true, price: 0.001805},
	{path: app + "/text-to-video", price: 0.001605},
}

// A kind is the JSON type of an input.
type kind int

const (
	text kind = iota
	whole
	number
	boolean
	size
	loras
)

// An inputRule is one row of the model's input schema, as published at
// https://fal.ai/api/openapi/queue/openapi.json?endpoint_id=fal-ai/ltx-2.3-22b/text-to-video/lora.
type inputRule struct {
	name     string
	kind     kind
	min, max float64
	choices  []string
	required bool
	nullable bool
}

var inputRules = []inputRule{
	{name: "prompt", kind: text, required: true},
	{name: "negative_prompt", kind: text},
	{name: "num_frames", kind: whole, min: 9, max: 481},
	{name: "video_size", kind: size, choices: slices.Sorted(maps.Keys(presets))},
	{name: "fps", kind: number, min: 1, max: 60},
	{name: "num_inference_steps", kind: whole, min: 8, max: 50},
	{name: "seed", kind: whole, min: math.Inf(-1), max: math.Inf(1), nullable: true},
	{name: "generate_audio", kind: boolean},
	{name: "use_multiscale", kind: boolean},
	{name: "use_restart_sampling", kind: boolean},
	{name: "enable_prompt_expansion", kind: boolean},
	{name: "enable_safety_checker", kind: boolean},
	{name: "sync_mode", kind: boolean},
	{name: "video_cfg_scale", kind: number, min: 1, max: 20},
	{name: "video_stg_scale", kind: number, min: 0, max: 20},
	{name: "video_rescaling_scale", kind: number, min: 0, max: 1},
	{name: "video_modality_scale", kind: number, min: 0, max: 10},
	{name: "audio_cfg_scale", kind: number, min: 1, max: 20},
	{name: "audio_stg_scale", kind: number, min: 0, max: 20},
	{name: "audio_rescaling_scale", kind: number, min: 0, max: 1},
	{name: "audio_modality_scale", kind: number, min: 0, max: 10},
	{name: "gradient_estimation_gamma", kind: number, min: 0, max: 10},
	{name: "camera_lora_scale", kind: number, min: 0, max: 1},
	{name: "distill_lora_first_pass_scale", kind: number, min: 0, max: 1},
	{name: "distill_lora_second_pass_scale", kind: number, min: 0, max: 1},
	{name: "scheduler", kind: text, choices: []string{"ltx2", "linear_quadratic", "beta"}},
	{name: "acceleration", kind: text, choices: []string{"none", "regular", "high", "full"}},
	{name: "camera_lora", kind: text, choices: []string{
		"dolly_in", "dolly_out", "dolly_left", "dolly_right", "jib_up", "jib_down", "static", "none",
	}},
	{name: "video_output_type", kind: text, choices: slices.Sorted(maps.Keys(formats))},
	{name: "video_quality", kind: text, choices: []string{"low", "medium", "high", "maximum"}},
	{name: "video_write_mode", kind: text, choices: []string{"fast", "balanced", "small"}},
	{name: "loras", kind: loras, required: true},
}

// The limits inside video_size and loras.
const (
	maxSide      = 14142
	maxLoRAScale = 4
)

// A complaint is one entry of the list that fal puts in "detail".
type complaint struct {
	Loc   []any          `json:"loc"`
	Msg   string         `json:"msg"`
	Type  string         `json:"type"`
	Ctx   map[string]any `json:"ctx,omitempty"`
	Input any            `json:"input,omitempty"`
	URL   string         `json:"url"`
}

// validate holds an input against the schema. It returns every violation, and
// the keys that the schema does not have: fal ignores those.
func (e endpoint) validate(in map[string]any) (wrong []complaint, unknown []string) {
	known := map[string]bool{}
	for _, r := range inputRules {
		if r.kind == loras && !e.loras {
			continue
		}
		known[r.name] = true
		v, given := in[r.name]
		switch {
		case !given && r.required:
			wrong = append(wrong, complain("missing", "Field required", nil, in, r.name))
		case given && (v != nil || !r.nullable):
			wrong = append(wrong, r.check(v)...)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(in)) {
		if !known[k] {
			unknown = append(unknown, k)
		}
	}
	return wrong, unknown
}

func complain(kind, msg string, ctx map[string]any, input any, loc ...any) complaint {
	return complaint{
		Loc: append([]any{"body"}, loc...), Msg: msg, Type: kind, Ctx: ctx, Input: input,
		URL: "https://docs.fal.ai/errors#" + kind,
	}
}

func (r inputRule) check(v any) []complaint {
	switch r.kind {
	case text:
		return r.checkText(v)
	case boolean:
		if _, ok := v.(bool); !ok {
			return []complaint{complain("bool_type", "Input should be a valid boolean", nil, v, r.name)}
		}
	case whole, number:
		return checkNumber(v, r.kind, r.min, r.max, r.name)
	case size:
		return r.checkSize(v)
	case loras:
		return checkLoRAs(v)
	}
	return nil
}

func (r inputRule) checkText(v any) []complaint {
	s, ok := v.(string)
	switch {
	case !ok:
		return []complaint{complain("string_type", "Input should be a valid string", nil, v, r.name)}
	case len(r.choices) > 0 && !slices.Contains(r.choices, s):
		expected := "'" + strings.Join(r.choices, "', '") + "'"
		return []complaint{complain("literal_error", "Input should be "+expected, map[string]any{"expected": expected}, v, r.name)}
	}
	return nil
}

func checkNumber(v any, k kind, low, high float64, loc ...any) []complaint {
	n, ok := v.(json.Number)
	f, err := n.Float64()
	switch {
	case !ok || err != nil:
		name := map[kind]string{whole: "int", number: "float"}[k]
		return []complaint{complain(name+"_type", "Input should be a valid number", nil, v, loc...)}
	case k == whole && f != math.Trunc(f):
		return []complaint{complain("int_from_float", "Input should be a valid integer, got a number with a fractional part", nil, v, loc...)}
	case f < low:
		return []complaint{complain("greater_than_equal", fmt.Sprintf("Input should be greater than or equal to %v", low), map[string]any{"ge": low}, v, loc...)}
	case f > high:
		return []complaint{complain("less_than_equal", fmt.Sprintf("Input should be less than or equal to %v", high), map[string]any{"le": high}, v, loc...)}
	}
	return nil
}

func (r inputRule) checkSize(v any) (wrong []complaint) {
	if _, named := v.(string); named {
		return r.checkText(v)
	}
	sides, ok := v.(map[string]any)
	if !ok {
		return []complaint{complain("model_attributes_type", "Input should be a valid dictionary", nil, v, r.name)}
	}
	for _, side := range []string{"width", "height"} {
		n, given := sides[side]
		if !given {
			continue
		}
		if f, ok := n.(json.Number); ok && (f == "0" || strings.HasPrefix(f.String(), "-")) {
			wrong = append(wrong, complain("greater_than", "Input should be greater than 0", map[string]any{"gt": 0}, n, r.name, side))
			continue
		}
		wrong = append(wrong, checkNumber(n, whole, 1, maxSide, r.name, side)...)
	}
	return wrong
}

func checkLoRAs(v any) (wrong []complaint) {
	list, ok := v.([]any)
	if !ok {
		return []complaint{complain("list_type", "Input should be a valid list", nil, v, "loras")}
	}
	for i, item := range list {
		l, ok := item.(map[string]any)
		if !ok {
			wrong = append(wrong, complain("model_attributes_type", "Input should be a valid dictionary", nil, item, "loras", i))
			continue
		}
		path, given := l["path"]
		if !given {
			wrong = append(wrong, complain("missing", "Field required", nil, item, "loras", i, "path"))
		} else if _, ok := path.(string); !ok {
			wrong = append(wrong, complain("string_type", "Input should be a valid string", nil, path, "loras", i, "path"))
		}
		if s, given := l["scale"]; given {
			wrong = append(wrong, checkNumber(s, number, 0, maxLoRAScale, "loras", i, "scale")...)
		}
		if w := l["weight_name"]; w != nil {
			if _, ok := w.(string); !ok {
				wrong = append(wrong, complain("string_type", "Input should be a valid string", nil, w, "loras", i, "weight_name"))
			}
		}
	}
	return wrong
}
