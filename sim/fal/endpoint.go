package fal

import (
	"bytes"
	"embed"
	"encoding/json"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// documents are fal's OpenAPI documents without their prose, one for each
// endpoint: see document_test.go.
//
//go:embed openapi/*.json
var documents embed.FS

// An endpoint is one address of fal that makes something.
type endpoint struct {
	path     string // "fal-ai/ltx-2.3-22b/text-to-video/lora"
	text     []byte // its document
	input    func() *jsonschema.Schema
	order    []string       // its inputs, as fal lists them
	defaults map[string]any // of its inputs; numbers are json.Number
}

// app is the part of a path that the endpoint's requests live under.
func app(path string) string {
	parts := strings.SplitN(path, "/", 3)
	return strings.Join(parts[:min(2, len(parts))], "/")
}

// endpoints is every endpoint by its path.
var endpoints = sync.OnceValue(func() map[string]endpoint {
	all := map[string]endpoint{}
	files, err := fs.Glob(documents, "openapi/*.json")
	if err != nil {
		panic("sim/fal: " + err.Error()) // the pattern is a constant
	}
	for _, name := range files {
		text, err := documents.ReadFile(name)
		if err != nil {
			panic("sim/fal: " + err.Error()) // it is embedded
		}
		e, err := readEndpoint(text)
		if err != nil {
			panic("sim/fal: " + name + ": " + err.Error()) // a test reads them all
		}
		all[e.path] = e
	}
	return all
})

// readEndpoint reads a document.
func readEndpoint(text []byte) (endpoint, error) {
	var d struct {
		Endpoint string `json:"endpoint"`
		Input    struct {
			Ref string `json:"$ref"`
		} `json:"input"`
		Components struct {
			Schemas map[string]struct {
				Order      []string `json:"x-fal-order-properties"`
				Properties map[string]struct {
					Default any `json:"default"`
				} `json:"properties"`
			} `json:"schemas"`
		} `json:"components"`
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&d); err != nil {
		return endpoint{}, err
	}
	input := d.Components.Schemas[path.Base(d.Input.Ref)]
	e := endpoint{path: d.Endpoint, text: text, order: input.Order, defaults: map[string]any{}}
	for name, p := range input.Properties {
		if p.Default != nil {
			e.defaults[name] = p.Default
		}
	}
	e.input = sync.OnceValue(func() *jsonschema.Schema { return compile(text) })
	return e, nil
}

// compile makes a validator of the input that a document describes.
func compile(text []byte) *jsonschema.Schema {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		panic("sim/fal: " + err.Error()) // a test compiles them all
	}
	sharpen(doc)
	const name = "mem:///document.json"
	c := jsonschema.NewCompiler()
	if err := c.AddResource(name, doc); err != nil {
		panic("sim/fal: " + err.Error())
	}
	return c.MustCompile(name + "#/input")
}

// sharpen makes the validator tell what fal's own checks tell: a field that an
// object does not have, which fal ignores, and that a value which must be one
// of a list is not, whatever its type.
func sharpen(v any) {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			sharpen(x)
		}
	case map[string]any:
		if _, object := v["properties"].(map[string]any); object && v["additionalProperties"] == nil {
			v["additionalProperties"] = false
		}
		if _, list := v["enum"].([]any); list {
			delete(v, "type")
		}
		for _, x := range v {
			sharpen(x)
		}
	}
}

// withDefaults is an input with what it leaves out.
func (e endpoint) withDefaults(in map[string]any) map[string]any {
	full := maps.Clone(e.defaults)
	maps.Copy(full, in)
	return full
}

// Document returns fal's OpenAPI document of an endpoint, without its prose;
// nil if there is none. The schemas are in components.schemas, "input" and
// "output" refer to them.
func Document(endpoint string) []byte { return slices.Clone(endpoints()[endpoint].text) }
