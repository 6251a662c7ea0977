package kv

import (
	"context"
	"sync"
	"time"
)

// Local is the hand-out, the leases and the limiters of a database whose
// clients all live in this process.
type Local struct {
	mu       sync.Mutex
	jobs     map[string]*job
	queue    []string // jobs to hand out, oldest first; some may be outdated
	ready    chan struct{}
	sessions map[*Session]bool
	leases   map[string]lease
	buckets  map[string]*bucket
	now      func() time.Time // for the buckets
}

// job is one that is open (published and not retired), claimed, or both.
type job struct {
	open   bool
	queued bool // it stands in the queue
	claim  *localClaim
}

type localClaim struct {
	by      *Session
	changed chan struct{}
	lost    chan struct{}
}

type lease struct {
	by    *Session
	until time.Time
}

// bucket is a limiter.
type bucket struct {
	full  time.Time // when it will be
	users map[*Session]demand
}

// demand is how many want tokens, until that is forgotten.
type demand struct {
	n     int
	until time.Time
}

// NewLocal hands out the jobs that are open already, in their order. Limiters
// follow the time of now.
func NewLocal(open []string, now func() time.Time) *Local {
	l := &Local{
		jobs: map[string]*job{}, ready: make(chan struct{}, 1), sessions: map[*Session]bool{},
		leases: map[string]lease{}, buckets: map[string]*bucket{}, now: now,
	}
	for _, id := range open {
		l.publish(id)
	}
	return l
}

// Apply carries out what transactions that were committed announced.
func (l *Local) Apply(news []News) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range news {
		j := l.jobs[n.Job]
		if j != nil && j.claim != nil {
			signal(j.claim.changed)
		}
		switch {
		case !n.Retired:
			l.publish(n.Job)
		case j != nil:
			j.open = false
			l.drop(n.Job, j)
		}
	}
}

// publish makes a job open, and queues it if nobody has claimed it.
func (l *Local) publish(id string) {
	j := l.jobs[id]
	if j == nil {
		j = &job{}
		l.jobs[id] = j
	}
	j.open = true
	if j.claim == nil && !j.queued {
		j.queued = true
		l.queue = append(l.queue, id)
		signal(l.ready)
	}
}

// drop forgets a job that is neither open nor claimed.
func (l *Local) drop(id string, j *job) {
	if !j.open && j.claim == nil {
		delete(l.jobs, id) // its place in the queue is outdated
	}
}

// A Session is the part of one client.
type Session struct {
	local *Local
	ended chan struct{}
}

// Session makes a client known.
func (l *Local) Session() *Session {
	s := &Session{local: l, ended: make(chan struct{})}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sessions[s] = true
	return s
}

// End gives back what the client has claimed and leased. It may be called
// twice.
func (s *Session) End() {
	l := s.local
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.sessions[s] {
		return
	}
	delete(l.sessions, s)
	close(s.ended)
	for id, j := range l.jobs {
		if j.claim != nil && j.claim.by == s {
			close(j.claim.lost)
			l.release(id, j)
		}
	}
	for name, held := range l.leases {
		if held.by == s {
			delete(l.leases, name)
		}
	}
}

// Processes is how many clients there are.
func (s *Session) Processes(context.Context) (int, error) {
	s.local.mu.Lock()
	defer s.local.mu.Unlock()
	return len(s.local.sessions), s.Err()
}

// Err is ErrClosed after End.
func (s *Session) Err() error {
	select {
	case <-s.ended:
		return ErrClosed
	default:
		return nil
	}
}

// Claim waits for a job and claims it.
func (s *Session) Claim(ctx context.Context) (Claim, error) {
	for {
		if err := ctx.Err(); err != nil {
			return Claim{}, err
		}
		if c, ok, err := s.claim(); ok || err != nil {
			return c, err
		}
		select {
		case <-s.local.ready:
		case <-s.ended:
		case <-ctx.Done():
		}
	}
}

// claim claims the first job of the queue and reports whether there is one.
func (s *Session) claim() (Claim, bool, error) {
	l := s.local
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := s.Err(); err != nil {
		signal(l.ready) // another client may wait for it
		return Claim{}, false, err
	}
	for len(l.queue) > 0 {
		id := l.queue[0]
		l.queue = l.queue[1:]
		j := l.jobs[id]
		if j == nil || !j.queued {
			continue
		}
		j.queued = false
		if !j.open || j.claim != nil {
			continue
		}
		c := &localClaim{by: s, changed: make(chan struct{}, 1), lost: make(chan struct{})}
		j.claim = c
		if len(l.queue) > 0 {
			signal(l.ready)
		}
		return Claim{Job: id, Changed: c.changed, Lost: c.lost, Release: func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			if j := l.jobs[id]; j != nil && j.claim == c {
				l.release(id, j)
			}
		}}, true, nil
	}
	return Claim{}, false, nil
}

// release ends the claim of a job.
func (l *Local) release(id string, j *job) {
	j.claim = nil
	if j.open {
		l.publish(id)
	}
	l.drop(id, j)
}

// Stray returns those of jobs that are neither claimed nor queued.
func (s *Session) Stray(_ context.Context, jobs []string) ([]string, error) {
	l := s.local
	l.mu.Lock()
	defer l.mu.Unlock()
	var stray []string
	for _, id := range jobs {
		if l.jobs[id] == nil {
			stray = append(stray, id)
		}
	}
	return stray, s.Err()
}

// Lease makes this client the holder of name, if it is free.
func (s *Session) Lease(_ context.Context, name string, ttl time.Duration) (bool, error) {
	l, now := s.local, time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if held := l.leases[name]; held.by != nil && held.by != s && now.Before(held.until) {
		return false, s.Err()
	}
	if err := s.Err(); err != nil {
		return false, err
	}
	l.leases[name] = lease{s, now.Add(ttl)}
	return true, nil
}

// EndLease gives a lease back.
func (s *Session) EndLease(_ context.Context, name string) error {
	s.local.mu.Lock()
	defer s.local.mu.Unlock()
	if s.local.leases[name].by == s {
		delete(s.local.leases, name)
	}
	return s.Err()
}

// Spend takes a token from a bucket.
func (s *Session) Spend(_ context.Context, name string, every time.Duration, burst, users int) (wait time.Duration, total int, err error) {
	err = s.bucket(name, func(b *bucket, now time.Time) {
		b.users[s] = demand{users, now.Add(UsersFor)}
		for who, d := range b.users {
			if d.n == 0 || !now.Before(d.until) {
				delete(b.users, who)
			}
			total += b.users[who].n
		}
		if wait = b.full.Add(every).Sub(now.Add(time.Duration(burst) * every)); wait <= 0 {
			wait = 0
			b.full = b.full.Add(every)
		}
	})
	return wait, total, err
}

// HoldBack empties a bucket for a while.
func (s *Session) HoldBack(_ context.Context, name string, every time.Duration, burst int, d time.Duration) error {
	return s.bucket(name, func(b *bucket, now time.Time) {
		if full := now.Add(d + time.Duration(burst-1)*every); full.After(b.full) {
			b.full = full
		}
	})
}

// bucket changes a bucket.
func (s *Session) bucket(name string, change func(b *bucket, now time.Time)) error {
	l := s.local
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := s.Err(); err != nil {
		return err
	}
	b := l.buckets[name]
	if b == nil {
		b = &bucket{users: map[*Session]demand{}}
		l.buckets[name] = b
	}
	now := l.now()
	if b.full.Before(now) {
		b.full = now
	}
	change(b, now)
	return nil
}

// signal leaves a value in c unless there is one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
