package generate

import (
	"context"
	"sync"
	"time"
)

const (
	// maxStreams bounds the open status streams of a process; other jobs are
	// polled. A stream costs a connection with its buffers.
	maxStreams = 64
	// streamMargin is how much nearer to its end a job must be than one that
	// has a stream, to get it in its place.
	streamMargin = 10 * time.Second
)

// streams lends the status streams of a process to the jobs that are nearest
// to their expected end, be it before or after it.
type streams struct {
	mu  sync.Mutex
	all map[*stream]struct{}
}

// A stream is one status stream that is open, or about to be.
type stream struct {
	end    time.Time // when the job is expected to end
	cancel context.CancelFunc
}

func newStreams() *streams { return &streams{all: map[*stream]struct{}{}} }

// lend gives a stream to a job that is expected to end at end, or nil if all
// are with jobs that need them as much. The job gives it back.
func (s *streams) lend(end time.Time, cancel context.CancelFunc) *stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.all) >= maxStreams {
		var far *stream
		for held := range s.all {
			if far == nil || distance(held.end) > distance(far.end) {
				far = held
			}
		}
		if distance(far.end) < distance(end)+streamMargin {
			return nil
		}
		delete(s.all, far)
		far.cancel()
	}
	lent := &stream{end: end, cancel: cancel}
	s.all[lent] = struct{}{}
	return lent
}

// giveBack takes a stream back from a job that has ended it, and reports
// whether the job still had it.
func (s *streams) giveBack(lent *stream) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, held := s.all[lent]
	delete(s.all, lent)
	return held
}

// distance is how far away a moment is, before or after.
func distance(t time.Time) time.Duration { return time.Until(t).Abs() }
