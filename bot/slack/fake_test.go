package slack_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
)

// engine stands for the real one: it keeps jobs and does nothing with them.
// Tests take a job from state to state and call the courier themselves.
type engine struct {
	accepted chan generate.Job
	wait     chan struct{} // Accept waits for it, when set

	mu     sync.Mutex
	jobs   map[string]generate.Job
	refuse *quota.LimitError
	// courier is the bot's.
	courier  atomic.Value
	prepared atomic.Int32  // jobs that could not be accepted at once
	recorded chan struct{} // Record waits for it, when set
	panics   bool
	cancel   []string
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

func (e *engine) Record(ctx context.Context, a generate.Ask) (generate.Job, error) {
	if e.recorded != nil {
		select {
		case <-e.recorded:
		case <-ctx.Done():
			return generate.Job{}, ctx.Err()
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.panics {
		panic("a bug")
	}
	id := generate.NewID(a.Event)
	if j, ok := e.jobs[id]; ok {
		return j, generate.ErrExists
	}
	j := generate.Job{
		ID: id, State: generate.Received, Event: a.Event,
		Team: a.Asker.Team, Member: a.Asker.Member, Tiers: a.Asker.Tiers, Place: a.Place, Parent: a.Parent, Until: a.Until,
		Request: a.Request, Notes: a.Notes, Estimate: 130_000, Created: time.Now(),
		Progress: generate.Progress{Position: -1},
	}
	e.jobs[id] = j
	return j, nil
}

func (e *engine) Accept(ctx context.Context, j generate.Job) (generate.Job, error) {
	if e.wait != nil {
		select {
		case <-e.wait:
		case <-ctx.Done():
			return generate.Job{}, ctx.Err()
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if old := e.jobs[j.ID]; old.State != generate.Received && old.State != generate.Preparing {
		return old, nil
	}
	if e.refuse != nil {
		j.State = generate.Failed
		j.Failure = generate.Failure{Kind: generate.FailQuota, Refusal: e.refuse}
		e.jobs[j.ID] = j
		go func() { _ = e.tell(context.WithoutCancel(ctx), j) }()
		return j, nil
	}
	j.State, j.Admitted = generate.Accepted, true
	e.jobs[j.ID] = j
	e.accepted <- j
	return j, nil
}

// tell tells the requester how a job ended.
func (e *engine) tell(ctx context.Context, j generate.Job) error {
	return e.courier.Load().(generate.Courier).Show(ctx, j, func(ctx context.Context, notes map[string]string) error {
		_, err := e.Note(ctx, j.ID, notes)
		return err
	})
}

// Prepare finds out what the real engine would ask the courier for, and goes on.
func (e *engine) Prepare(ctx context.Context, j generate.Job) (generate.Job, error) {
	e.prepared.Add(1)
	ready, err := e.courier.Load().(generate.Courier).Prepare(ctx, j)
	if refusal, ok := errors.AsType[*generate.RefusedError](err); ok {
		e.mu.Lock()
		j.State, j.Failure = generate.Failed, refusal.Failure
		e.jobs[j.ID] = j
		e.mu.Unlock()
		return j, e.tell(ctx, j)
	}
	if err != nil { // it is asked again later
		e.mu.Lock()
		defer e.mu.Unlock()
		j.State = generate.Preparing
		e.jobs[j.ID] = j
		e.accepted <- j
		return j, nil
	}
	return e.Accept(ctx, ready)
}

func (e *engine) Drop(_ context.Context, id string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.jobs, id)
	return nil
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

// count is how many jobs were not refused.
func (e *engine) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := 0
	for _, j := range e.jobs {
		if j.Failure.Kind != generate.FailQuota && j.Failure.Kind != generate.FailNotAllowed {
			n++
		}
	}
	return n
}
