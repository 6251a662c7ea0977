package bolt

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"ltxbot/core/generate"
)

// Take waits for an unfinished job that nobody works on and claims it. Lost is
// never closed: there is no other process. Changed also gets a value for the
// saves of the claim's own holder, who tells them by their version.
func (s *Store) Take(ctx context.Context) (generate.Claim, error) {
	for {
		id, changed, err := s.work.take(ctx)
		if err != nil {
			return generate.Claim{}, err
		}
		j, err := s.Job(ctx, id)
		var damaged *damagedError
		switch {
		case errors.As(err, &damaged), errors.Is(err, generate.ErrNoJob):
			s.log.ErrorContext(ctx, "bolt: unfinished job can't be handed out", slog.String("job", id), slog.Any("error", err))
			s.work.forget(id)
			continue
		case err != nil:
			s.work.done(id)
			return generate.Claim{}, err
		}
		return generate.Claim{
			Job:     j,
			Changed: changed,
			Done:    sync.OnceFunc(func() { s.work.done(id) }),
		}, nil
	}
}

// handouts is who works on which unfinished job. It holds unfinished jobs
// only, and finished ones until their claim ends.
type handouts struct {
	mu     sync.Mutex
	jobs   map[string]*handout
	queue  []string      // ids to hand out, oldest first; some may be outdated
	ready  chan struct{} // has a value when the queue is not empty
	closed chan struct{}
}

// handout is one job: either queued or claimed.
type handout struct {
	claim      chan struct{} // Changed of the claim; nil while queued
	unfinished bool
}

func newHandouts() *handouts {
	return &handouts{
		jobs:   map[string]*handout{},
		ready:  make(chan struct{}, 1),
		closed: make(chan struct{}),
	}
}

// saved tells who works on a job that it was saved, and queues an unfinished
// one on which nobody works.
func (h *handouts) saved(id string, unfinished bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	o := h.jobs[id]
	switch {
	case o == nil && unfinished:
		h.enqueue(id)
	case o == nil:
	case o.claim != nil:
		o.unfinished = unfinished
		signal(o.claim)
	case !unfinished:
		delete(h.jobs, id) // its place in the queue is outdated
	}
}

// perhaps tells who works on a job that it may have been saved.
func (h *handouts) perhaps(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if o := h.jobs[id]; o != nil && o.claim != nil {
		signal(o.claim)
	}
}

// reset makes h know exactly the jobs that are unfinished, oldest first. Claims
// stay claims, and hear nothing: of ten thousand jobs each would be read again.
func (h *handouts) reset(unfinished []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	known := make(map[string]bool, len(unfinished))
	for _, id := range unfinished {
		known[id] = true
		if h.jobs[id] == nil {
			h.enqueue(id)
		}
	}
	for id, o := range h.jobs {
		switch {
		case o.claim != nil:
			o.unfinished = known[id]
		case !known[id]:
			delete(h.jobs, id)
		}
	}
}

// take waits for a queued job and claims it.
func (h *handouts) take(ctx context.Context) (id string, changed chan struct{}, err error) {
	for {
		select {
		case <-h.closed:
			return "", nil, generate.ErrClosed
		case <-ctx.Done():
			return "", nil, ctx.Err()
		default:
		}
		if id, changed = h.claim(); id != "" {
			return id, changed, nil
		}
		select {
		case <-h.ready:
		case <-h.closed:
		case <-ctx.Done():
		}
	}
}

// claim takes the first queued job; the empty id means that there is none.
func (h *handouts) claim() (id string, changed chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.queue) > 0 {
		id, h.queue = h.queue[0], h.queue[1:]
		o := h.jobs[id]
		if o == nil || o.claim != nil {
			continue
		}
		o.claim = make(chan struct{}, 1)
		if len(h.queue) > 0 {
			signal(h.ready)
		}
		return id, o.claim
	}
	return "", nil
}

// done ends a claim.
func (h *handouts) done(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	o := h.jobs[id]
	if o == nil {
		return
	}
	delete(h.jobs, id)
	if o.unfinished {
		h.enqueue(id)
	}
}

// forget ends a claim of a job that can't be worked on.
func (h *handouts) forget(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.jobs, id)
}

func (h *handouts) enqueue(id string) {
	h.jobs[id] = &handout{unfinished: true}
	h.queue = append(h.queue, id)
	signal(h.ready)
}

// close wakes all who wait in take.
func (h *handouts) close() { close(h.closed) }

// signal leaves a value in c unless there is one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
