package slack_test

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"ltxbot/core/generate"
)

// engine stands for the real one: it keeps jobs and does nothing with them.
// Tests take a job from state to state and call the courier themselves.
type engine struct {
	accepted chan generate.Job
	wait     chan struct{} // Accept waits for it, when set

	mu     sync.Mutex
	jobs   map[string]generate.Job
	refuse error
	panics bool
	cancel []string
}

func newEngine() *engine {
	return &engine{jobs: map[string]generate.Job{}, accepted: make(chan generate.Job, 1000)}
}

func (e *engine) Quote(context.Context, generate.Ask) (generate.Quote, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.panics {
		panic("a bug")
	}
	return generate.Quote{Estimate: 130_000}, nil
}

func (e *engine) Accept(ctx context.Context, a generate.Ask) (generate.Job, error) {
	if e.wait != nil {
		select {
		case <-e.wait:
		case <-ctx.Done():
			return generate.Job{}, ctx.Err()
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.refuse != nil {
		return generate.Job{}, e.refuse
	}
	id := generate.NewID(a.Event)
	if j, ok := e.jobs[id]; ok {
		return j, generate.ErrExists
	}
	j := generate.Job{
		ID: id, State: generate.Accepted, Event: a.Event, Admitted: true,
		Team: a.Asker.Team, Member: a.Asker.Member, Tiers: a.Asker.Tiers, Place: a.Place, Parent: a.Parent,
		Request: a.Request, Notes: a.Notes, Estimate: 130_000, Created: time.Now(),
		Progress: generate.Progress{Position: -1},
	}
	e.jobs[id] = j
	e.accepted <- j
	return j, nil
}

func (e *engine) Cancel(_ context.Context, id, by string) (generate.Job, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.cancel = append(e.cancel, id+" "+by)
	j := e.jobs[id]
	j.Cancel = &generate.CancelRequest{By: by, At: time.Now()}
	e.jobs[id] = j
	return j, nil
}

func (e *engine) Note(_ context.Context, id string, notes map[string]string) (generate.Job, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	j, ok := e.jobs[id]
	if !ok {
		return generate.Job{}, generate.ErrNoJob
	}
	j.Notes = maps.Clone(j.Notes)
	if j.Notes == nil {
		j.Notes = map[string]string{}
	}
	for k, v := range notes {
		if v == "" {
			delete(j.Notes, k)
			continue
		}
		j.Notes[k] = v
	}
	e.jobs[id] = j
	return j, nil
}

func (e *engine) Job(_ context.Context, id string) (generate.Job, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	j, ok := e.jobs[id]
	if !ok {
		return generate.Job{}, generate.ErrNoJob
	}
	return j, nil
}

func (e *engine) Jobs(context.Context, generate.Query) ([]generate.Job, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Collect(maps.Values(e.jobs)), nil
}

// put changes a job.
func (e *engine) put(id string, change func(*generate.Job)) generate.Job {
	e.mu.Lock()
	defer e.mu.Unlock()
	j := e.jobs[id]
	change(&j)
	e.jobs[id] = j
	return j
}

func (e *engine) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.jobs)
}
