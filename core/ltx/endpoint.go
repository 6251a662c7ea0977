package ltx

import "slices"

// An Endpoint is one address of the provider: what goes in, what it costs, what
// it can make.
type Endpoint struct {
	// ID is "fal-ai/ltx-2.3-22b/image-to-video".
	ID    string
	Price Price
	// Partner is who runs it when that is not the provider itself: what is sent
	// goes to that company.
	Partner string

	fields []field
	byRow  map[string]*field // the fields that rows of the table set, by id
	shape  *shape            // nil where size, length and frame rate are free
}

// newEndpoint is an endpoint with its inputs. Of several that one row sets, the
// first has its limits.
func newEndpoint(id string, price Price, fields []field) Endpoint {
	e := Endpoint{ID: id, Price: price, fields: fields, byRow: make(map[string]*field, len(fields))}
	for i := range fields {
		if id := fields[i].row; e.byRow[id] == nil {
			e.byRow[id] = &fields[i]
		}
	}
	return e
}

// A field is one input of an endpoint.
type field struct {
	name string // as the endpoint calls it
	row  string // id of the row of the table that sets it; empty for a fixed one
	as   form
	def  any // where it is another than the row's; unset = it is left out unless somebody sets it
	// min, max and maxLen are limits where they are others than the row's.
	min, max float64
	maxLen   int
	values   []string // what it takes of the row's choices; nil = all
	fixed    any      // what is sent always
	required bool     // of a file: the endpoint makes nothing without it
}

// unset is the default of a field that is left out unless somebody sets it.
type unset struct{}

// A form is how a value is written for an endpoint.
type form int

const (
	asIs         form = iota
	asSeconds         // the length, in seconds
	asResolution      // the shorter side of the size: "1080p"
	asRatio           // the shape of the size: "16:9"
	asWhole           // a number without decimals
	asEnd             // "forward" is "end", "backward" is "start"
	unlessNone        // left out when it is "none"
)

// A shape says which sizes, lengths and frame rates an endpoint makes that
// leaves no other choice.
type shape struct {
	sides   []int    // shorter sides, in pixels; nil = the size is not chosen
	ratios  []string // "16:9"
	fps     []float64
	seconds []float64 // lengths; nil = every one between shortest and longest
	// shortest and longest bound a length of any number of seconds.
	shortest, longest float64
	side              int     // unless somebody sets the size
	rate              float64 // frames per second, unless somebody sets them
	length            float64 // seconds, unless somebody sets them
	follows           bool    // the shape of the picture is that of the video unless somebody sets it
	// most is how many seconds there are at most with a shorter side and a
	// frame rate; nil = longest.
	most func(side int, fps float64) float64
}

// meta are the rows that no endpoint has a field for.
var meta = []string{idQuality, idPrivate, idCount, idAdvanced, idModel, idEdit}

// takes tells whether a row of the table sets something at the endpoint. The
// zero endpoint takes every row.
func (e Endpoint) takes(id string) bool {
	if e.ID == "" || slices.Contains(meta, id) {
		return true
	}
	if id == idDuration {
		id = idFrames
	}
	return e.byRow[id] != nil
}

// row is the row of the table with the endpoint's own default and limits.
func (e Endpoint) row(p Param) Param {
	f := e.byRow[p.id()]
	if f == nil {
		return p
	}
	if f.def != nil {
		p.Default = f.def
	}
	if f.min != 0 || f.max != 0 {
		p.Min, p.Max = f.min, f.max
	}
	if f.values != nil {
		p.Choices = slices.DeleteFunc(slices.Clone(p.Choices), func(c Choice) bool { return !slices.Contains(f.values, c.Value) })
	}
	return p
}

// TakesLoRAs tells whether the endpoint has LoRAs.
func (e Endpoint) TakesLoRAs() bool { return e.takes(idLoRAs) }

// TakesSeed tells whether the endpoint has a seed: the same one gives the same
// video again.
func (e Endpoint) TakesSeed() bool { return e.takes(idSeed) }

// IsText tells whether the endpoint makes videos from text alone.
func (e Endpoint) IsText() bool {
	return !slices.ContainsFunc(e.fields, func(f field) bool { return f.required })
}

// FindEndpoint finds an endpoint of the table by its id.
func FindEndpoint(id string) (Endpoint, bool) {
	e, ok := endpoints[id]
	return e, ok
}

// EndpointIDs returns the ids of the endpoints of the table, in alphabetical
// order.
func EndpointIDs() []string {
	ids := make([]string, 0, len(endpoints))
	for id := range endpoints {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// endpoints is every endpoint by its id.
var endpoints = func() map[string]Endpoint {
	all := map[string]Endpoint{}
	for _, m := range models {
		for _, w := range m.makes {
			for _, e := range []Endpoint{w.plain, w.lora} {
				if e.ID != "" {
					all[e.ID] = e
				}
			}
		}
	}
	return all
}()

// with returns fields with others after them.
func with(fields []field, more ...field) []field { return append(slices.Clone(fields), more...) }

// without returns fields without those of some names.
func without(fields []field, names ...string) []field {
	return slices.DeleteFunc(slices.Clone(fields), func(f field) bool { return slices.Contains(names, f.name) })
}

// override returns fields of which some have another default.
func override(fields []field, defaults map[string]any) []field {
	out := slices.Clone(fields)
	for i, f := range out {
		if d, ok := defaults[f.name]; ok {
			out[i].def = d
		}
	}
	return out
}

// named makes a field that has the name of its row.
func named(id string) field { return field{name: id, row: id} }

// required is a file that an endpoint makes nothing without.
func required(id string) field { return field{name: id, row: id, required: true} }

// off is a field that is always false.
func off(name string) field { return field{name: name, fixed: false} }
