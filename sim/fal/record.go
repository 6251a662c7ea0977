package fal

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"path"
	"reflect"
	"slices"
	"time"
)

// record is what the simulator remembers of its clients. Server.mu guards it.
type record struct {
	counts     map[Op]int
	log        []Entry
	submits    []Submit
	deliveries []Delivery
	violations []string
	megapixels float64
}

// maxLog bounds the remembered requests.
const maxLog = 100_000

// An Entry is one request that reached the simulator.
type Entry struct {
	Op     Op
	Method string
	Path   string
	Query  url.Values
	Status int  // 0 when no answer was sent
	Keyed  bool // it carried an Authorization header
	At     time.Time
}

// A Submit is one POST that asked for a video, accepted or not.
type Submit struct {
	RequestID string // empty when it was not accepted
	Endpoint  string
	Query     url.Values
	Header    http.Header // without Authorization
	Body      json.RawMessage
	Webhook   string
	Ignored   []string // the fields of the input that the model does not have
	At        time.Time
}

// Input decodes the body; it is nil when it is not a JSON object.
func (s Submit) Input() map[string]any {
	var in map[string]any
	_ = json.Unmarshal(s.Body, &in) // nil then
	return in
}

// Chosen is the JSON of an input without what is the model's own default.
func Chosen(endpoint string, input []byte) string {
	var in map[string]any
	if json.Unmarshal(input, &in) != nil {
		return string(input)
	}
	var doc struct {
		Input struct {
			Ref string `json:"$ref"`
		} `json:"input"`
		Components struct {
			Schemas map[string]struct {
				Properties map[string]struct {
					Default any `json:"default"`
				} `json:"properties"`
			} `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(Document(endpoint), &doc); err != nil {
		return err.Error()
	}
	for name, p := range doc.Components.Schemas[path.Base(doc.Input.Ref)].Properties {
		if v, ok := in[name]; ok && p.Default != nil && reflect.DeepEqual(v, p.Default) {
			delete(in, name)
		}
	}
	out, _ := json.Marshal(in) // it was JSON
	return string(out)
}

// A Delivery is one try of a webhook.
type Delivery struct {
	RequestID string
	URL       string
	Status    int // 0 when nobody answered
	At        time.Time
}

// Submits lists every POST for a video, oldest first.
func (s *Server) Submits() []Submit {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.submits)
}

// Count is how many requests came for op.
func (s *Server) Count(op Op) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[op]
}

// Counts is how many requests came, by operation.
func (s *Server) Counts() map[Op]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.counts)
}

// Log lists every request that has ended, in the order in which they came.
func (s *Server) Log() []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	log := slices.Clone(s.log)
	slices.SortStableFunc(log, func(a, b Entry) int { return a.At.Compare(b.At) })
	return log
}

// Deliveries lists every try of a webhook.
func (s *Server) Deliveries() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.deliveries)
}

// Billed is how many megapixels fal would charge for: those of the videos that
// were made.
func (s *Server) Billed() float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return math.Round(s.megapixels*10_000) / 10_000
}

// Violations lists what a client did that works by luck or does harm: a key
// sent to the CDN, an input that the schema does not have, a status asked for
// below the wrong path.
func (s *Server) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.violations)
}

// violate records a violation.
func (s *Server) violate(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.violations = append(s.violations, fmt.Sprintf(format, args...))
}

func (s *Server) enter(e Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.log) < maxLog {
		s.log = append(s.log, e)
	}
}

func (s *Server) count(op Op) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[op]++
}
