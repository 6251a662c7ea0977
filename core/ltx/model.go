package ltx

import (
	"slices"
	"strings"
)

// A Model is what people choose: for each kind of input it has an endpoint and
// a second one with LoRAs, or none.
type Model struct {
	Choice

	makes []work
	// ladder is the model that makes the same video finer, with the same seed;
	// empty where there is none.
	ladder string
}

// A task is what goes into a video and what is done with it.
type task string

const (
	fromText  task = "text"
	fromImage task = "image"
	fromSound task = "soundtrack"
	extend    task = "extend"
	restyle   task = "restyle"
	reference task = "reference"
	retake    task = "retake"
	reframe   task = "reframe"
)

// tasks are all tasks in the order of the manual.
var tasks = []task{fromText, fromImage, fromSound, extend, restyle, reference, retake, reframe}

// ofClip tells whether the task begins with a clip.
func (t task) ofClip() bool { return t != fromText && t != fromImage && t != fromSound }

// String is the task as it is typed: "edit:extend".
func (t task) String() string {
	if t.ofClip() {
		return "edit:" + string(t)
	}
	return string(t)
}

// A work is what a model does for a task: its endpoint, and the one with LoRAs.
type work struct {
	task        task
	plain, lora Endpoint
}

// make finds what the model does for a task.
func (m Model) make(t task) (work, bool) {
	i := slices.IndexFunc(m.makes, func(w work) bool { return w.task == t })
	if i < 0 {
		return work{}, false
	}
	return m.makes[i], true
}

// endpoint is where the model does a task, with LoRAs or without; false where it
// can't.
func (m Model) endpoint(t task, loras bool) (Endpoint, bool) {
	w, ok := m.make(t)
	e := w.plain
	if loras {
		e = w.lora
	}
	return e, ok && e.ID != ""
}

// Models returns the names of all models in the order of the manual.
func Models() []string {
	names := make([]string, 0, len(models))
	for _, m := range models {
		names = append(names, m.Value)
	}
	return names
}

// modelChoices are the values of the option model.
func modelChoices() []Choice {
	choices := make([]Choice, 0, len(models))
	for _, m := range models {
		choices = append(choices, m.Choice)
	}
	return choices
}

// modelOf finds the model that has an endpoint.
func modelOf(id string) Model {
	for _, m := range models {
		for _, w := range m.makes {
			if w.plain.ID == id || w.lora.ID == id {
				return m
			}
		}
	}
	return models[0]
}

// lightricks runs the endpoints that are not the provider's own.
// https://fal.ai/models/lightricks/ltx-2.5/text-to-video/fast
const lightricks = "Lightricks"

// models is every model with its endpoints. Names, defaults and ranges are
// those of the endpoints' OpenAPI documents, prices those of their pages.
var models = []Model{
	{
		Choice: Choice{Value: "ltx-2.3", Label: "LTX-2.3 (all options, LoRAs)", Synonyms: []string{"ltx2.3", "2.3", "22b", "ltx-2.3-22b", "dev", "default", "ltx"}},
		makes:  dev,
	},
	{
		Choice: Choice{Value: "distilled", Label: "LTX-2.3 distilled (cheaper, quicker)", Synonyms: []string{"turbo", "distill", "ltx-2.3-distilled"}},
		makes:  distilled, ladder: "ltx-2.3",
	},
	{
		Choice: Choice{Value: "quality", Label: "LTX-2.3 quality (dearer, finer)", Synonyms: []string{"ltx-2.3-quality", "hq"}},
		makes:  quality,
	},
	{
		Choice: Choice{Value: "pro", Label: "LTX-2.3 pro (by Lightricks)", Synonyms: []string{"ltx-2.3-pro"}},
		makes:  pro,
	},
	{
		Choice: Choice{Value: "fast", Label: "LTX-2.3 fast (by Lightricks)", Synonyms: []string{"ltx-2.3-fast"}},
		makes:  fast,
	},
	{
		Choice: Choice{Value: "ltx-2.5", Label: "LTX-2.5 fast (by Lightricks)", Synonyms: []string{"2.5", "ltx2.5", "ltx-2.5-fast"}},
		makes:  next("fast"),
	},
	{
		Choice: Choice{Value: "ltx-2.5-pro", Label: "LTX-2.5 pro (by Lightricks)", Synonyms: []string{"2.5-pro"}},
		makes:  next("pro"),
	},
}

// family makes the works of a model whose endpoints have a twin with LoRAs.
func family(base string, plain, lora Price, rule field, tasks ...struct {
	task   task
	path   string
	fields []field
},
) []work {
	works := make([]work, 0, len(tasks))
	for _, t := range tasks {
		works = append(works, work{
			task:  t.task,
			plain: newEndpoint(base+"/"+t.path, plain, t.fields),
			lora:  newEndpoint(base+"/"+t.path+"/lora", lora, with(t.fields, rule)),
		})
	}
	return works
}

// partner is an endpoint that Lightricks runs.
func partner(t task, id string, price Price, s shape, fields []field) work {
	e := newEndpoint(id, price, fields)
	e.Partner, e.shape = lightricks, &s
	return work{task: t, plain: e}
}

// IsPartner tells whether a model is run by a partner of the provider, and by
// whom.
func IsPartner(model string) (who string, ok bool) {
	for _, m := range models {
		if m.Value == model && len(m.makes) > 0 {
			who = m.makes[0].plain.Partner
		}
	}
	return who, who != ""
}

// modelNames writes the names of models.
func modelNames(list []Model) []string {
	names := make([]string, 0, len(list))
	for _, m := range list {
		names = append(names, m.Value)
	}
	return names
}

// editOf is the edit that a text names.
func editOf(text string) (task, bool) {
	c, ok := row(idEdit).choice(text)
	return task(c.Value), ok && strings.TrimSpace(text) != ""
}
