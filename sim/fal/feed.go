package fal

// A View is what somebody who watches the simulator sees of a request.
type View struct {
	RequestID string
	Endpoint  string
	Prompt    string
	State     string  // "IN_QUEUE", "IN_PROGRESS", "COMPLETED"
	Outcome   Outcome // once it is complete
	Failed    bool    // it is complete and there is no video
	Billed    float64 // in Unit, once it is complete
	Unit      string  // "megapixels", "seconds", or empty
	USD       float64 // of Billed
}

// Views lists the requests that the queue took, oldest first.
func (s *Server) Views() []View {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]View, 0, len(s.order))
	for _, j := range s.order {
		prompt, _ := j.input["prompt"].(string)
		v := View{RequestID: j.id, Endpoint: j.endpoint.path, Prompt: prompt, State: j.state}
		if j.state == completed {
			t, _ := tariffOf(j.endpoint.path)
			v.Outcome, v.Failed = j.outcome, j.reply.status != 200
			v.Billed, v.Unit, v.USD = j.billed, t.unit, j.billed*t.usd
		}
		out = append(out, v)
	}
	return out
}

// Changed returns a channel that is closed when the next request of the queue
// moves on.
func (s *Server) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}
