// Package adaptertest is what the tests of both platforms' adapters share.
package adaptertest

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

// An Engine stands for the real one: it keeps jobs and does nothing with them.
// Tests take a job from state to state and call the courier themselves.
type Engine struct {
	Accepted   chan generate.Job // jobs that were accepted, or refused without a courier
	Wait       chan struct{}     // Accept waits for it, when set
	WaitRecord chan struct{}     // Record waits for it, when set
	Prepared   atomic.Int32      // jobs that could not be accepted at once
	// Courier is asked before a job is accepted, and told of a refusal, when
	// set. It is set before the first job.
	Courier generate.Courier

	sync.Mutex // of what follows

	Known      map[string]generate.Job
	Refuse     *quota.LimitError
	Panics     bool // in Quote and Record
	PanicsLate bool // in Accept
	Cancelled  []string
}

// NewEngine makes an engine without jobs.
func NewEngine() *Engine {
	return &Engine{Known: map[string]generate.Job{}, Accepted: make(chan generate.Job, 1000)}
}

// Quote implements the generator of the bot: every video costs the same.
func (e *Engine) Quote(context.Context, generate.Ask) (generate.Quote, error) {
	e.Lock()
	defer e.Unlock()
	if e.Panics {
		panic("a bug")
	}
	return generate.Quote{Estimate: 130_000}, nil
}

// Record records a job.
func (e *Engine) Record(ctx context.Context, a generate.Ask) (generate.Job, error) {
	if e.WaitRecord != nil {
		select {
		case <-e.WaitRecord:
		case <-ctx.Done():
			return generate.Job{}, ctx.Err()
		}
	}
	e.Lock()
	defer e.Unlock()
	if e.Panics {
		panic("a bug")
	}
	id := generate.NewID(a.Event)
	if j, ok := e.Known[id]; ok {
		j.Notes = maps.Clone(j.Notes) // as a store does, which the caller may change
		return j, generate.ErrExists
	}
	j := generate.Job{
		ID: id, State: generate.Received, Event: a.Event,
		Team: a.Asker.Team, Member: a.Asker.Member, Tiers: a.Asker.Tiers, Place: a.Place, Parent: a.Parent, Until: a.Until,
		Request: a.Request, Notes: a.Notes, Estimate: 130_000, Created: time.Now(),
		Progress: generate.Progress{Position: -1},
	}
	e.Known[id] = j
	j.Notes = maps.Clone(j.Notes)
	return j, nil
}

// Accept accepts a job that was recorded.
func (e *Engine) Accept(ctx context.Context, j generate.Job) (generate.Job, error) {
	if e.Wait != nil {
		select {
		case <-e.Wait:
		case <-ctx.Done():
			return generate.Job{}, ctx.Err()
		}
	}
	e.Lock()
	defer e.Unlock()
	if e.PanicsLate {
		panic("a late bug")
	}
	if old := e.Known[j.ID]; old.State != generate.Received && old.State != generate.Preparing {
		return old, nil
	}
	j.State, j.Admitted = generate.Accepted, true
	if e.Refuse != nil {
		j.State, j.Admitted = generate.Failed, false
		j.Failure = generate.Failure{Kind: generate.FailQuota, Refusal: e.Refuse}
	}
	e.Known[j.ID] = j
	if e.Refuse != nil && e.Courier != nil {
		go func() { _ = e.tell(context.WithoutCancel(ctx), j) }()
		return j, nil
	}
	e.Accepted <- j
	return j, nil
}

// tell tells the requester how a job ended.
func (e *Engine) tell(ctx context.Context, j generate.Job) error {
	return e.Courier.Show(ctx, j, func(ctx context.Context, notes map[string]string) error {
		_, err := e.Note(ctx, j.ID, notes)
		return err
	})
}

// Prepare finds out what the real engine would ask the courier for, and goes on.
func (e *Engine) Prepare(ctx context.Context, j generate.Job) (generate.Job, error) {
	if e.Courier == nil {
		return j, nil
	}
	e.Prepared.Add(1)
	ready, err := e.Courier.Prepare(ctx, j)
	if refusal, ok := errors.AsType[*generate.RefusedError](err); ok {
		e.Lock()
		j.State, j.Failure = generate.Failed, refusal.Failure
		e.Known[j.ID] = j
		e.Unlock()
		return j, e.tell(ctx, j)
	}
	if err != nil { // it is asked again later
		e.Lock()
		defer e.Unlock()
		j.State = generate.Preparing
		e.Known[j.ID] = j
		e.Accepted <- j
		return j, nil
	}
	return e.Accept(ctx, ready)
}

// Drop removes a job.
func (e *Engine) Drop(_ context.Context, id string) error {
	e.Lock()
	defer e.Unlock()
	delete(e.Known, id)
	return nil
}

// Cancel remembers who cancelled a job.
func (e *Engine) Cancel(_ context.Context, id, by string) (generate.Job, error) {
	e.Lock()
	defer e.Unlock()
	e.Cancelled = append(e.Cancelled, id+" "+by)
	j := e.Known[id]
	j.Cancel = &generate.CancelRequest{By: by, At: time.Now()}
	e.Known[id] = j
	return j, nil
}

// Note changes notes of a job; an empty one is removed.
func (e *Engine) Note(_ context.Context, id string, notes map[string]string) (generate.Job, error) {
	e.Lock()
	defer e.Unlock()
	j, ok := e.Known[id]
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
	e.Known[id] = j
	return j, nil
}

// Discard is Note, for a video that somebody deletes.
func (e *Engine) Discard(ctx context.Context, id string, notes map[string]string) (generate.Job, error) {
	return e.Note(ctx, id, notes)
}

// Restore is Note, for a video that was not deleted.
func (e *Engine) Restore(ctx context.Context, id string, notes map[string]string) (generate.Job, error) {
	return e.Note(ctx, id, notes)
}

// Job returns a job.
func (e *Engine) Job(_ context.Context, id string) (generate.Job, error) {
	e.Lock()
	defer e.Unlock()
	j, ok := e.Known[id]
	if !ok {
		return generate.Job{}, generate.ErrNoJob
	}
	return j, nil
}

// Jobs returns all jobs, in any order.
func (e *Engine) Jobs(context.Context, generate.Query) ([]generate.Job, error) {
	e.Lock()
	defer e.Unlock()
	return slices.Collect(maps.Values(e.Known)), nil
}

// Put changes a job.
func (e *Engine) Put(id string, change func(*generate.Job)) generate.Job {
	e.Lock()
	defer e.Unlock()
	j := e.Known[id]
	change(&j)
	e.Known[id] = j
	return j
}

// Keep is generate.Keep for a job.
func (e *Engine) Keep(id string) generate.Keep {
	return func(ctx context.Context, notes map[string]string) error {
		_, err := e.Note(ctx, id, notes)
		return err
	}
}

// Count is how many jobs were not refused.
func (e *Engine) Count() int {
	e.Lock()
	defer e.Unlock()
	n := 0
	for _, j := range e.Known {
		if !slices.Contains([]generate.FailureKind{generate.FailQuota, generate.FailNotAllowed, generate.FailModel}, j.Failure.Kind) {
			n++
		}
	}
	return n
}
