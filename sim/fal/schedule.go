package fal

import (
	"context"
	"math"
	"slices"
	"time"
)

// schedule moves jobs on when their time has come, and calls the webhooks of
// those that are complete, until ctx is done.
func (s *Server) schedule(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		s.mu.Lock()
		now := s.now()
		s.advance(now)
		pause := time.Hour
		if !s.wakeAt.IsZero() {
			pause = s.wakeAt.Sub(now)
		}
		calls := s.calls
		s.calls = nil
		s.mu.Unlock()
		for _, c := range calls {
			s.routines.Go(func() { s.callBack(ctx, c) })
		}
		timer.Reset(pause)
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-s.kick:
		}
	}
}

// now is the simulator's time.
func (s *Server) now() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) }

// Advance lets so much time pass at once, of all that the simulator does: a job
// moves on by one state at most.
func (s *Server) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ahead.Add(int64(d))
	s.advance(s.now())
	s.tell()
	s.wake()
}

// enqueue takes a job in. The caller holds mu.
func (s *Server) enqueue(j *job) {
	s.jobs[j.id] = j
	s.order = append(s.order, j)
	s.queue = append(s.queue, j)
	s.nudge()
}

// nudge makes the scheduler look again. The caller holds mu.
func (s *Server) nudge() {
	s.wakeAt = s.now()
	s.wake()
}

// wake makes the scheduler run.
func (s *Server) wake() {
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

// advance does all that is due by now and sets wakeAt. The caller holds mu.
func (s *Server) advance(now time.Time) {
	if s.wakeAt.IsZero() || s.wakeAt.After(now) {
		return
	}
	moved := s.endRunning(now)
	moved = s.startQueued(now) || moved
	s.wakeAt = s.due()
	if moved {
		s.tell()
	}
}

// tell wakes everything that watches jobs. The caller holds mu.
func (s *Server) tell() {
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *Server) endRunning(now time.Time) (moved bool) {
	s.running = slices.DeleteFunc(s.running, func(j *job) bool {
		if j.ends.After(now) {
			return false
		}
		moved = true
		if j.outcome == GoesBack && !j.fellBack && !j.cancelled {
			j.fellBack, j.state, j.started = true, inQueue, time.Time{}
			j.eligible, j.ahead = now.Add(s.scaled(s.o.Timing.Queue)/2), 0
			s.queue = append(s.queue, j)
			return true
		}
		s.finish(j, now)
		return true
	})
	return moved
}

func (s *Server) startQueued(now time.Time) (moved bool) {
	s.queue = slices.DeleteFunc(s.queue, func(j *job) bool {
		switch {
		case j.cancelled, len(j.wrong) > 0 && !j.eligible.After(now):
			moved = true
			s.finish(j, now) // a bad input needs no machine
			return true
		case !j.startBy.IsZero() && !j.startBy.After(now):
			moved = true
			j.outcome = StartTimeout
			s.finish(j, now)
			return true
		case len(s.running) >= s.o.Concurrency, j.eligible.After(now), j.outcome == StaysQueued:
			return false
		}
		moved = true
		j.state, j.started, j.ends = inProgress, now, now.Add(j.run)
		switch {
		case j.outcome == StaysRunning:
			j.ends = now.Add(math.MaxInt64 / 2)
		case j.outcome == GoesBack && !j.fellBack:
			j.ends = now.Add(j.run / 2)
		}
		s.running = append(s.running, j)
		return true
	})
	return moved
}

// due is when advance has something to do next, zero for never.
func (s *Server) due() (at time.Time) {
	consider := func(t time.Time) {
		if at.IsZero() || t.Before(at) {
			at = t
		}
	}
	for _, j := range s.running {
		consider(j.ends)
	}
	free := len(s.running) < s.o.Concurrency
	for _, j := range s.queue {
		if j.outcome != StaysQueued && (free || len(j.wrong) > 0) {
			consider(j.eligible)
		}
		if !j.startBy.IsZero() {
			consider(j.startBy)
		}
	}
	return at
}

// position is how many jobs are ahead of j: others of this account, and
// strangers' that fade away until it may start.
func (s *Server) position(j *job, now time.Time) int {
	if j.outcome == StaysQueued {
		return 0
	}
	strangers := 0
	if left, whole := j.eligible.Sub(now), j.eligible.Sub(j.sent); left > 0 && whole > 0 {
		strangers = int(math.Ceil(float64(j.ahead) * float64(left) / float64(whole)))
	}
	return strangers + max(0, slices.Index(s.queue, j))
}

// cancel asks j to stop. It reports whether it was not too late. The caller
// holds mu.
func (s *Server) cancel(j *job, now time.Time) bool {
	switch j.state {
	case completed:
		return false
	case inProgress:
		j.cancelled = true
		if j.outcome != IgnoresCancel {
			j.ends = now.Add(min(j.step(), time.Second))
		}
	default:
		j.cancelled = true
		j.outcome = Cancelled
	}
	s.nudge()
	s.advance(now)
	return true
}
