package ltx_test

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ltxbot/core/ltx"
	simfal "ltxbot/sim/fal"
)

// property is what the provider's schema says of one input.
type property struct {
	Type      string     `json:"type"`
	Enum      []any      `json:"enum"`
	Minimum   *float64   `json:"minimum"`
	Maximum   *float64   `json:"maximum"`
	MaxLength int        `json:"maxLength"`
	MaxItems  int        `json:"maxItems"`
	Default   any        `json:"default"`
	AnyOf     []property `json:"anyOf"`
	Ref       string     `json:"$ref"`
}

// plain is the property without null.
func (p property) plain() property {
	for _, one := range p.AnyOf {
		if one.Type != "null" && one.Ref == "" {
			one.Default = p.Default
			return one
		}
	}
	return p
}

type schema struct {
	Properties map[string]property `json:"properties"`
	Required   []string            `json:"required"`
}

// document reads what the provider says of an endpoint.
func document(t *testing.T, id string) (input schema, others map[string]schema) {
	t.Helper()
	var doc struct {
		Input struct {
			Ref string `json:"$ref"`
		} `json:"input"`
		Components struct {
			Schemas map[string]schema `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(simfal.Document(id), &doc); err != nil {
		t.Fatalf("%s: %v", id, err)
	}
	return doc.Components.Schemas[path.Base(doc.Input.Ref)], doc.Components.Schemas
}

// ours are the defaults that differ from those of the provider's documents,
// with the reason.
var ours = map[string]string{
	// The two that make videos from text have the defaults of the model's page.
	"text num_inference_steps": "", "text video_stg_scale": "", "text video_rescaling_scale": "", "text gradient_estimation_gamma": "",
	"text use_restart_sampling": "", "text scheduler": "", "text acceleration": "",
	// 0.01 hardly follows the clip, and keeps nothing of its sound.
	"restyle video_strength": "", "restyle audio_strength": "",
	// Size, length and frame rate are explicit, so that the price is known before.
	"match_audio_length": "", "match_video_length": "", "match_input_fps": "",
}

func TestEveryEndpointAgreesWithItsDocument(t *testing.T) {
	for _, id := range ltx.EndpointIDs() {
		t.Run(id, func(t *testing.T) {
			input, others := document(t, id)
			got := ltx.FieldsForTest(id)
			var inTable, inSchema []string
			for _, f := range got {
				inTable = append(inTable, f.Name)
			}
			for name, p := range input.Properties {
				if slices.Contains([]string{"control_video_url", "context"}, name) {
					continue // left out: it is null
				}
				inSchema = append(inSchema, name)
				_ = p
			}
			slices.Sort(inTable)
			slices.Sort(inSchema)
			if diff := cmp.Diff(inSchema, inTable); diff != "" {
				t.Fatalf("inputs (-document +table):\n%s", diff)
			}
			for _, f := range got {
				want := input.Properties[f.Name].plain()
				if f.Required != slices.Contains(input.Required, f.Name) && f.Param.Kind == ltx.KindMedia {
					t.Errorf("%s: required is %t in the table", f.Name, f.Required)
				}
				sameInput(t, f, want, others)
			}
		})
	}
}

// sameInput compares a field with what the document says of it.
func sameInput(t *testing.T, f ltx.FieldForTest, want property, others map[string]schema) {
	t.Helper()
	if f.Fixed != nil {
		if want.Type != "boolean" {
			t.Errorf("%s is fixed to %v, and is a %s", f.Name, f.Fixed, want.Type)
		}
		return
	}
	if f.Converted {
		return // its values are tested by what is sent
	}
	types := map[ltx.Kind]string{
		ltx.KindText: "string", ltx.KindChoice: "string", ltx.KindBool: "boolean", ltx.KindMedia: "string",
		ltx.KindInt: "integer", ltx.KindFloat: "number", ltx.KindLoRAs: "array",
	}
	p := f.Param
	if p.Kind == ltx.KindSize {
		return
	}
	if got := types[p.Kind]; got != want.Type {
		t.Errorf("%s: kind %s is sent as %s, the document says %s", f.Name, p.Kind, got, want.Type)
	}
	if p.Kind == ltx.KindLoRAs {
		scale := others["LoRAInput"].Properties["scale"]
		want.Minimum, want.Maximum = scale.Minimum, scale.Maximum
	}
	if p.Kind == ltx.KindChoice {
		var values []any
		for _, c := range p.Choices {
			values = append(values, c.Value)
		}
		if diff := cmp.Diff(want.Enum, values); diff != "" {
			t.Errorf("%s: choices (-document +table):\n%s", f.Name, diff)
		}
	}
	if want.Minimum != nil && *want.Minimum != p.Min {
		t.Errorf("%s: min %v, the document says %v", f.Name, p.Min, *want.Minimum)
	}
	if want.Maximum != nil && *want.Maximum != p.Max {
		t.Errorf("%s: max %v, the document says %v", f.Name, p.Max, *want.Maximum)
	}
	if want.MaxLength > 0 && want.MaxLength != f.MaxLen {
		t.Errorf("%s: at most %d characters, the document says %d", f.Name, f.MaxLen, want.MaxLength)
	}
	if want.Default == nil || p.Kind == ltx.KindLoRAs {
		return
	}
	if _, differs := ours[f.Task+" "+f.Name]; !differs && fmt.Sprint(want.Default) != fmt.Sprint(p.Default) {
		t.Errorf("%s: the default is %v, the document says %v", f.Name, p.Default, want.Default)
	}
}

func TestEveryRowIsTakenBySomeEndpoint(t *testing.T) {
	taken := map[string]bool{}
	for _, id := range ltx.EndpointIDs() {
		for _, f := range ltx.FieldsForTest(id) {
			taken[f.Param.Name] = true
		}
	}
	for _, p := range ltx.Params() {
		if p.Name != "" && !taken[p.Name] {
			t.Errorf("no endpoint takes %s", p.Name)
		}
	}
}
