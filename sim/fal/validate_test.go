package fal_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"ltxbot/internal/until"
	"ltxbot/sim/fal"
)

// A rule is what a document says of a value.
type rule struct {
	Ref       string   `json:"$ref"`
	Type      string   `json:"type"`
	Enum      []any    `json:"enum"`
	Minimum   *float64 `json:"minimum"`
	Maximum   *float64 `json:"maximum"`
	Above     *float64 `json:"exclusiveMinimum"`
	MinLength *int     `json:"minLength"`
	MaxLength *int     `json:"maxLength"`
	MaxItems  *int     `json:"maxItems"`
	AnyOf     []rule   `json:"anyOf"`
}

// breaches are values that break each part of a rule, by the type of the
// complaint about it.
func (r rule) breaches() map[string]any {
	bad := map[string]any{}
	for _, branch := range r.AnyOf {
		maps.Copy(bad, branch.breaches())
	}
	if len(r.Enum) > 0 {
		return map[string]any{"literal_error": "no such"}
	}
	wrongType := map[string]string{
		"string": "string_type", "boolean": "bool_type", "integer": "int_type", "number": "float_type", "array": "list_type",
	}[r.Type]
	if wrongType != "" {
		bad[wrongType] = map[string]any{"a": 1}
	}
	if r.Type == "integer" {
		bad["int_from_float"] = 9.5
	}
	if r.Ref != "" {
		bad["model_attributes_type"] = 1
	}
	if r.Minimum != nil {
		bad["greater_than_equal"] = *r.Minimum - 1
	}
	if r.Maximum != nil {
		bad["less_than_equal"] = *r.Maximum + 1
	}
	if r.Above != nil {
		bad["greater_than"] = *r.Above
	}
	if r.MinLength != nil {
		bad["string_too_short"] = strings.Repeat("x", *r.MinLength-1)
	}
	if r.MaxLength != nil {
		bad["string_too_long"] = strings.Repeat("x", *r.MaxLength+1)
	}
	if r.MaxItems != nil {
		bad["too_long"] = slices.Repeat([]any{map[string]any{}}, *r.MaxItems+1)
	}
	return bad
}

func TestEveryRuleOfEveryDocumentIsHeld(t *testing.T) {
	s := start(t, fal.Options{RefuseAtSubmit: true})
	files, err := filepath.Glob(filepath.Join(documents, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	broken := 0
	for _, file := range files {
		endpoint := strings.ReplaceAll(strings.TrimSuffix(filepath.Base(file), ".json"), "--", "/")
		if !strings.HasPrefix(endpoint, "lightricks/") {
			endpoint = "fal-ai/" + endpoint
		}
		var d struct {
			Input      rule
			Components struct {
				Schemas map[string]struct {
					Required   []string
					Properties map[string]rule
				}
			}
		}
		if err := json.Unmarshal(fal.Document(endpoint), &d); err != nil {
			t.Fatalf("%s: %v", endpoint, err)
		}
		input := d.Components.Schemas[path.Base(d.Input.Ref)]
		for _, name := range input.Required {
			wantRefusal(t, s, endpoint, name, "missing", map[string]any{})
		}
		for name, rule := range input.Properties {
			for complaint, value := range rule.breaches() {
				broken++
				wantRefusal(t, s, endpoint, name, complaint, map[string]any{name: value})
			}
		}
	}
	if broken < 1500 {
		t.Errorf("only %d rules were broken", broken)
	}
	if v := s.Violations(); len(v) > 0 {
		t.Errorf("ignored: %q", v)
	}
}

// wantRefusal submits an input and looks for a complaint about one field of it.
func wantRefusal(t *testing.T, s *fal.Server, endpoint, field, complaint string, input map[string]any) {
	t.Helper()
	b, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	a := ask(t, s, http.MethodPost, s.QueueURL()+"/"+endpoint, string(b))
	var body struct {
		Detail []struct {
			Loc  []any
			Type string
		}
	}
	if err := json.Unmarshal([]byte(a.body), &body); err != nil || a.status != http.StatusUnprocessableEntity {
		t.Fatalf("%s %s: %d %s", endpoint, b, a.status, a.body)
	}
	for _, d := range body.Detail {
		if len(d.Loc) > 1 && d.Loc[1] == field && d.Type == complaint {
			return
		}
	}
	t.Errorf("%s %s: no %s for %s in %s", endpoint, b, complaint, field, a.body)
}

func TestTheResultFitsTheDocument(t *testing.T) {
	s := start(t, fal.Options{})
	for _, endpoint := range []string{
		"fal-ai/ltx-2.3-22b/text-to-video/lora", "fal-ai/ltx-2.3-22b/text-to-video",
		"fal-ai/ltx-2.3-22b/distilled/text-to-video/lora", "fal-ai/ltx-2.3-22b/distilled/text-to-video",
		"fal-ai/ltx-2.3-quality/text-to-video", "fal-ai/ltx-2.3/text-to-video", "lightricks/ltx-2.5/text-to-video/fast",
	} {
		a := ask(t, s, http.MethodPost, s.QueueURL()+"/"+endpoint, plain).json(t)
		response := a["response_url"].(string)
		until.True(t, "it is complete", func() bool { return ask(t, s, http.MethodGet, response+"/status", "").status == http.StatusOK })
		result := ask(t, s, http.MethodGet, response, "")
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(fal.Document(endpoint)))
		if err != nil {
			t.Fatal(err)
		}
		c := jsonschema.NewCompiler()
		if err := c.AddResource("mem:///d.json", doc); err != nil {
			t.Fatal(err)
		}
		output, err := jsonschema.UnmarshalJSON(strings.NewReader(result.body))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.MustCompile("mem:///d.json#/output").Validate(output); err != nil {
			t.Errorf("%s: %v", endpoint, err)
		}
		if units := result.header.Get("X-Fal-Billable-Units"); units == "" || units == "0" {
			t.Errorf("%s: not billed", endpoint)
		}
	}
}
