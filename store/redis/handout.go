package redis

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"ltxbot/core/generate"
)

// Take waits for an unfinished job that no live process works on and claims
// it. It outlasts a Redis that is away.
func (s *Store) Take(ctx context.Context) (generate.Claim, error) {
	for n := 0; ; n++ {
		h, err := s.work.take(ctx)
		if err != nil {
			return generate.Claim{}, err
		}
		j, standing, err := s.open(ctx, h)
		switch {
		case err == nil && standing == settling:
			s.work.push(h)
			if !pause(ctx, settlePause) {
				return generate.Claim{}, ctx.Err()
			}
		case err == nil && standing != over:
			s.work.begin(h, j.Version, standing == certain)
			c := s.claim(ctx, h, j)
			c.Doubtful = standing == doubtful
			return c, nil
		case err == nil:
			n = -1
			s.work.drop(h)
		case errors.Is(err, errDamaged):
			// It stays claimed, so that nobody tries in a circle.
			s.log.ErrorContext(ctx, "redis: unfinished job can't be handed out", slog.String("job", h.id), slog.Any("error", err))
		default:
			s.work.push(h)
			if !pause(ctx, backoff(n)) {
				return generate.Claim{}, ctx.Err()
			}
		}
	}
}

// A standing is what there is to know of an entry beside its job.
type standing string

// The standings of entries.
const (
	over     standing = "over"     // there is no work behind it
	certain  standing = ""         // the record says all
	settling standing = "settling" // somebody may still put back more
	doubtful standing = "doubtful" // more may have happened, and nobody knows
)

// settlePause is between looks at a job that somebody may know better.
const settlePause = 200 * time.Millisecond

// open reads the job of an entry.
func (s *Store) open(ctx context.Context, h *holding) (generate.Job, standing, error) {
	reply, err := s.callList(ctx, s.parts[h.partition], openScript, h.entry, h.id)
	if err != nil || len(reply) == 0 {
		return generate.Job{}, over, err
	}
	k, err := decodeJob(reply.text(2))
	if is := standing(reply.text(4)); is != certain {
		return k.job, is, err
	}
	s.memory.note(h.id, h.partition, reply.text(2), reply.text(3))
	return k.job, certain, err
}

func (s *Store) claim(ctx context.Context, h *holding, j generate.Job) generate.Claim {
	ctx = context.WithoutCancel(ctx)
	return generate.Claim{
		Job: j, Changed: h.changed, Lost: h.lost,
		Done: sync.OnceFunc(func() {
			if s.work.drop(h) {
				s.giveBack(ctx, h)
			}
		}),
	}
}

// giveBack ends the claim of an entry in Redis. Where that does not succeed,
// the job is taken over when the claim has been silent for long enough.
func (s *Store) giveBack(ctx context.Context, h *holding) {
	_, err := s.call(ctx, s.parts[h.partition], doneScript, s.consumer, h.entry, h.id)
	if err != nil && !errors.Is(err, generate.ErrClosed) {
		s.log.WarnContext(ctx, "redis: job goes to another process in a while", slog.String("job", h.id), slog.Any("error", err))
	}
}

// handouts is what was delivered to this process: the claims that it works on,
// and entries that nobody here has taken yet.
type handouts struct {
	mu      sync.Mutex
	held    map[string]*holding // by job id
	ready   []*holding          // not taken yet, oldest first
	waiters int                 // in take
	wake    chan struct{}       // has a value when ready is not empty
	wanted  chan struct{}       // closed while somebody waits
	closed  chan struct{}
}

// holding is an entry of a stream that was delivered to this process.
type holding struct {
	id        string
	partition int
	entry     string
	since     time.Time
	version   int64 // of the job, as far as its worker was told
	vouched   bool  // all that was done for the job was done here, or is recorded
	changed   chan struct{}
	lost      chan struct{}
}

func newHandouts() *handouts {
	return &handouts{
		held: map[string]*holding{}, wake: make(chan struct{}, 1),
		wanted: make(chan struct{}), closed: make(chan struct{}),
	}
}

// take waits for an entry.
func (w *handouts) take(ctx context.Context) (*holding, error) {
	w.enter()
	defer w.leave()
	for {
		select {
		case <-w.closed:
			return nil, generate.ErrClosed
		case <-ctx.Done():
			return nil, ctx.Err()
		default:
		}
		if h := w.pop(); h != nil {
			return h, nil
		}
		select {
		case <-w.wake:
		case <-w.closed:
		case <-ctx.Done():
		}
	}
}

// enter and leave count who waits.
func (w *handouts) enter() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waiters++; w.waiters == 1 {
		close(w.wanted)
	}
}

func (w *handouts) leave() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waiters--; w.waiters == 0 {
		w.wanted = make(chan struct{})
	}
}

// hungry returns a channel that is closed while somebody waits.
func (w *handouts) hungry() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.wanted
}

// pop takes the oldest entry; nil means that there is none.
func (w *handouts) pop() *holding {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.ready) == 0 {
		return nil
	}
	h := w.ready[0]
	w.ready = w.ready[1:]
	if len(w.ready) > 0 {
		signal(w.wake)
	}
	return h
}

// push adds an entry to those to be taken, unless this process has it already.
// A claim by an older entry of the same job has ended.
func (w *handouts) push(h *holding) {
	w.mu.Lock()
	defer w.mu.Unlock()
	old := w.held[h.id]
	if old != nil && old != h {
		if old.entry == h.entry {
			return
		}
		w.end(old)
	}
	w.held[h.id] = h
	w.ready = append(w.ready, h)
	signal(w.wake)
}

// begin notes that somebody works on an entry from now on. It vouches for the
// job unless more may have been done for it than is recorded.
func (w *handouts) begin(h *holding, version int64, certain bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	h.version, h.vouched = version, certain
	h.changed, h.lost = make(chan struct{}, 1), make(chan struct{})
	if w.held[h.id] != h { // lost while it was read
		close(h.lost)
	}
}

// drop forgets an entry and reports whether this process still had it.
func (w *handouts) drop(h *holding) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.held[h.id] != h {
		return false
	}
	delete(w.held, h.id)
	select {
	case <-w.closed:
		return false // Close hands everything out again
	default:
		return true
	}
}

// end tells the worker of an entry that somebody else has it. w is locked.
func (w *handouts) end(h *holding) {
	delete(w.held, h.id)
	if h.lost != nil {
		close(h.lost)
		return
	}
	for i, r := range w.ready {
		if r == h {
			w.ready = append(w.ready[:i:i], w.ready[i+1:]...)
			return
		}
	}
}

// lose ends the claims of jobs, by the entry they were claimed with.
func (w *handouts) lose(id, entry string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if h := w.held[id]; h != nil && h.entry == entry {
		w.end(h)
	}
}

// saved tells who works on a job that a version of it was saved.
func (w *handouts) saved(id string, version int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if h := w.held[id]; h != nil && h.changed != nil && version > h.version {
		h.version = version
		signal(h.changed)
	}
}

// of lists what this process holds in a partition.
func (w *handouts) of(partition int) []holding {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []holding
	for _, h := range w.held {
		if h.partition == partition {
			all = append(all, *h)
		}
	}
	return all
}

// where is the partition of a job that this process holds.
func (w *handouts) where(id string) (partition int, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := w.held[id]
	if h == nil {
		return 0, false
	}
	return h.partition, true
}

// vouches reports whether what this process knows of a job is all there is. It
// is when doubts are part of it.
func (w *handouts) vouches(id string, doubted bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := w.held[id]
	return h != nil && h.changed != nil && (h.vouched || doubted)
}

// vouch notes that a doubt is recorded with a job that is worked on here.
func (w *handouts) vouch(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if h := w.held[id]; h != nil && h.changed != nil {
		h.vouched = true
	}
}

// unwanted removes the entries that nobody has taken since a time, while
// nobody waits for one.
func (w *handouts) unwanted(since time.Time) []*holding {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waiters > 0 {
		return nil
	}
	var out, keep []*holding
	for _, h := range w.ready {
		if h.since.After(since) {
			keep = append(keep, h)
			continue
		}
		out = append(out, h)
		delete(w.held, h.id)
	}
	w.ready = keep
	return out
}

// close wakes all who wait in take.
func (w *handouts) close() { close(w.closed) }

// signal leaves a value in c unless there is one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
