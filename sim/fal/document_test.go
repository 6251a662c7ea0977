package fal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ltxbot/internal/testfile"
)

var originals = flag.String("openapi", "", "write the documents anew from fal's originals in this folder")

// documents is where the stripped documents are. Their originals are at
// https://fal.ai/api/openapi/queue/openapi.json?endpoint_id=ENDPOINT, one for
// each endpoint. Saved in a folder, with any name that ends in .json:
//
//	go test ./sim/fal -run TestDocuments -openapi FOLDER
const documents = "openapi"

// facts are the keywords of a schema that are kept. Titles,
// descriptions and examples are left out: they are fal's prose.
var facts = []string{
	"type", "enum", "$ref", "default", "required", "x-fal-order-properties",
	"minimum", "maximum", "exclusiveMinimum", "minLength", "maxLength", "maxItems",
	"anyOf", "items", "properties", "additionalProperties",
}

// prose are the keywords that are left out; "step" is a hint for fal's own form.
// A keyword in neither list fails the test: it may be a rule.
var prose = []string{"title", "description", "examples", "step"}

func TestDocumentsHoldFactsAlone(t *testing.T) {
	if *originals != "" {
		writeDocuments(t)
	}
	files, err := filepath.Glob(filepath.Join(documents, "*.json"))
	if err != nil || len(files) < 41 {
		t.Fatalf("%d documents, %v", len(files), err)
	}
	for _, name := range files {
		got := testfile.Read(t, name)
		var d document
		if err := json.Unmarshal(got, &d); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if want := d.text(t); !bytes.Equal(got, want) {
			t.Errorf("%s is not what the generator writes", name)
		}
		if name != filepath.Join(documents, fileOf(d.Endpoint)) {
			t.Errorf("%s is of %s", name, d.Endpoint)
		}
	}
}

// A document is the part of an OpenAPI document that the simulator uses.
type document struct {
	Source     string `json:"source"`
	Endpoint   string `json:"endpoint"`
	Input      any    `json:"input"`  // a schema
	Output     any    `json:"output"` // a schema
	Components struct {
		Schemas map[string]any `json:"schemas"`
	} `json:"components"`
}

// text strips d and writes it.
func (d document) text(t *testing.T) []byte {
	t.Helper()
	for name, s := range d.Components.Schemas {
		d.Components.Schemas[name] = strip(t, d.Endpoint+" "+name, s)
	}
	b, err := json.MarshalIndent(d, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return append(b, '\n')
}

// strip keeps the facts of a schema.
func strip(t *testing.T, where string, schema any) any {
	t.Helper()
	s, ok := schema.(map[string]any)
	if !ok {
		return schema // a boolean
	}
	kept := map[string]any{}
	for key, value := range s {
		switch {
		case slices.Contains(prose, key):
		case !slices.Contains(facts, key):
			t.Errorf("%s: the keyword %s is new: is it a fact?", where, key)
		case key == "properties":
			properties := map[string]any{}
			for name, p := range value.(map[string]any) {
				properties[name] = strip(t, where+"."+name, p)
			}
			kept[key] = properties
		case key == "anyOf":
			var branches []any
			for _, b := range value.([]any) {
				branches = append(branches, strip(t, where, b))
			}
			kept[key] = branches
		case key == "items", key == "additionalProperties":
			kept[key] = strip(t, where, value)
		default:
			kept[key] = value
		}
	}
	return kept
}

// writeDocuments strips fal's originals.
func writeDocuments(t *testing.T) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(*originals, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no documents in %s: %v", *originals, err)
	}
	for _, name := range files {
		b := testfile.Read(t, name)
		d, err := readOriginal(b)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := os.WriteFile(filepath.Join(documents, fileOf(d.Endpoint)), d.text(t), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// readOriginal finds the endpoint, its input and its output in a document.
func readOriginal(b []byte) (document, error) {
	type content struct {
		Content map[string]struct {
			Schema any `json:"schema"`
		} `json:"content"`
	}
	var original struct {
		Components struct {
			Schemas map[string]any `json:"schemas"`
		} `json:"components"`
		Paths map[string]struct {
			Post *struct {
				RequestBody content `json:"requestBody"`
			} `json:"post"`
			Get *struct {
				Responses map[string]content `json:"responses"`
			} `json:"get"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(b, &original); err != nil {
		return document{}, err
	}
	var d document
	d.Components.Schemas = maps.Clone(original.Components.Schemas)
	delete(d.Components.Schemas, "QueueStatus") // of the queue, not of the model
	for path, p := range original.Paths {
		switch {
		case p.Post != nil:
			d.Endpoint = strings.TrimPrefix(path, "/")
			d.Input = p.Post.RequestBody.Content["application/json"].Schema
		case p.Get != nil && strings.HasSuffix(path, "/requests/{request_id}"):
			d.Output = p.Get.Responses["200"].Content["application/json"].Schema
		}
	}
	if d.Endpoint == "" || d.Input == nil || d.Output == nil {
		return document{}, errors.New("no endpoint in it")
	}
	d.Source = "https://fal.ai/api/openapi/queue/openapi.json?endpoint_id=" + d.Endpoint
	return d, nil
}

// fileOf names the document of an endpoint.
func fileOf(endpoint string) string {
	return strings.ReplaceAll(strings.TrimPrefix(endpoint, "fal-ai/"), "/", "--") + ".json"
}
