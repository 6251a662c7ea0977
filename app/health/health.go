// Package health answers whoever watches over the process: whether it lives,
// at /healthz, and whether it does its work, at /readyz, part by part.
//
// Each part tells the truth of this moment. What is told is public: no part
// says more than its state and a fixed sentence.
package health

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// State is how a part of the bot is.
type State string

// The states of a part.
const (
	OK       State = "ok"
	Starting State = "starting"
	Stopping State = "stopping"
	Standby  State = "standby" // another process does it, and this one takes over
	Down     State = "down"
	Unknown  State = "unknown" // nothing was seen of it yet
)

// well reports whether a process with such a part does what it should.
func (s State) well() bool { return s == OK || s == Standby }

// Need is what a part means for whether the bot is ready.
type Need int

// The needs. With Discord out of reach, a bot that is on Slack too still
// serves; without its store, none does.
const (
	Told   Need = iota // its state is told, and changes nothing
	Always             // the bot is not ready without it
	OneOf              // the bot is not ready without any of these
)

// A Probe looks at one part. Look is bounded by its context and returns a
// state with a sentence for an operator, which may be empty; it must not hold
// anything secret.
type Probe struct {
	Name string
	Need Need
	Look func(ctx context.Context) (State, string)
}

// A Part is what a Probe saw.
type Part struct {
	Name   string `json:"name"`
	State  State  `json:"state"`
	Needed bool   `json:"needed"`
	Detail string `json:"detail,omitempty"`
}

// A Report is all parts at one moment.
type Report struct {
	Ready   bool   `json:"ready"`
	Version string `json:"version"`
	Parts   []Part `json:"parts"`
}

// How long a look at all parts may take, and how long what was seen is told
// again: whoever asks often does not ask the store as often.
const (
	lookLimit = 2 * time.Second
	lookAge   = 500 * time.Millisecond
)

// Monitor looks at parts when it is asked. Its methods may be called from many
// goroutines.
type Monitor struct {
	version string
	now     func() time.Time

	mu     sync.Mutex
	probes []Probe
	phase  State
	last   Report
	at     time.Time // of last; zero when it must not be told again
}

// New makes a monitor of a program that is starting.
func New(version string) *Monitor {
	return &Monitor{version: version, now: time.Now, phase: Starting}
}

// Add adds a part.
func (m *Monitor) Add(p Probe) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.probes = append(m.probes, p)
}

// Enter says that the process starts, serves (OK) or stops: only one that
// serves is ready.
func (m *Monitor) Enter(phase State) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.phase, m.at = phase, time.Time{}
}

// Report looks at all parts.
func (m *Monitor) Report(ctx context.Context) Report {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	if !m.at.IsZero() && now.Sub(m.at) < lookAge {
		return m.last
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookLimit)
	defer cancel()
	r := Report{Version: m.version, Ready: m.phase == OK, Parts: make([]Part, 0, len(m.probes)+1)}
	r.Parts = append(r.Parts, Part{Name: "process", State: m.phase, Needed: true})
	choice, chosen := false, false
	for _, p := range m.probes {
		state, detail := p.Look(ctx)
		r.Parts = append(r.Parts, Part{Name: p.Name, State: state, Needed: p.Need != Told, Detail: detail})
		switch p.Need {
		case Told:
		case Always:
			r.Ready = r.Ready && state.well()
		case OneOf:
			choice, chosen = true, chosen || state.well()
		}
	}
	r.Ready = r.Ready && (!choice || chosen)
	m.last, m.at = r, now
	return r
}

// Live serves /healthz: 200 as long as the process answers at all.
func (m *Monitor) Live(w http.ResponseWriter, _ *http.Request) {
	write(w, http.StatusOK, map[string]string{"status": "ok", "version": m.version})
}

// Ready serves /readyz: the report, with 503 when the bot is not ready.
func (m *Monitor) Ready(w http.ResponseWriter, r *http.Request) {
	report := m.Report(r.Context())
	status := http.StatusOK
	if !report.Ready {
		status = http.StatusServiceUnavailable
	}
	write(w, status, report)
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // whoever does not read it asks again
}
