package store

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
)

// ownership is what this process last wrote or read of a job that it has
// claimed: the record, and the incarnation of the server.
type ownership struct {
	run    string
	record jobRecord
	data   []byte // of the record, as it is stored
}

// is reports whether data is the record that this process knows already: then
// it need not be decoded.
func (o ownership) is(data []byte) bool { return len(data) > 0 && bytes.Equal(o.data, data) }

func (s *Store) ownership(id string) ownership {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.owned[id]
}

// saved notes what was written of a job, if it is claimed.
func (s *Store) saved(o ownership) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.owned[o.record.ID]; ok {
		s.owned[o.record.ID] = o
	}
}

// Claim waits for an unfinished job that nobody works on and claims it. Changed
// also gets a value for the saves of the claim's own holder, who tells them by
// their version.
func (s *Store) Claim(ctx context.Context) (generate.Claim, error) {
	for {
		c, err := s.db.Claim(ctx)
		if err != nil {
			return generate.Claim{}, closed(err)
		}
		r, err := s.claimed(ctx, c.Job)
		if err != nil {
			c.Release()
			return generate.Claim{}, outcome("claim job "+c.Job, err)
		}
		if r.ID == "" {
			c.Release()
			continue
		}
		run, err := s.db.Incarnation(ctx)
		if err != nil {
			c.Release()
			return generate.Claim{}, closed(err)
		}
		s.mu.Lock()
		s.owned[c.Job] = ownership{run: run, record: r}
		s.mu.Unlock()
		return generate.Claim{
			Job: r.Job, Changed: c.Changed, Lost: c.Lost,
			Doubtful: run != "" && r.Run != "" && r.Run != run,
			Done: sync.OnceFunc(func() { //nolint:contextcheck // a claim outlives the call that made it
				s.mu.Lock()
				own := s.owned[c.Job]
				delete(s.owned, c.Job)
				s.mu.Unlock()
				select {
				case <-c.Lost:
					s.restore(own)
				default:
				}
				c.Release()
			}),
		}, nil
	}
}

// rewriteLimit is how long it may take to write a job again.
const rewriteLimit = 30 * time.Second

// restore writes the record of a job again, which this process had when it lost
// its claim, if the server was replaced and has lost the record. Then the job is
// handed out.
func (s *Store) restore(own ownership) {
	ctx, cancel := context.WithTimeout(context.Background(), rewriteLimit)
	defer cancel()
	if own.run == "" {
		return
	}
	err := s.update(ctx, func(t *txn) error {
		j := own.record.Job
		stored, err := headOr(t, j.ID, own)
		if !t.lost(own, j, stored, err) {
			return nil
		}
		_, err = t.save(j, quota.Keep(), own)
		return err
	})
	if err != nil && !errors.Is(err, generate.ErrClosed) {
		s.log.Error("store: cannot write again what this process knew of a job", slog.String("job", own.record.ID), slog.Any("error", err))
	}
}

// lost reports whether the server was replaced and has lost the last record that
// the owner of a job wrote: it has an older record, or none.
func (t *txn) lost(own ownership, j generate.Job, stored headRecord, err error) bool {
	return t.run != "" && own.run != "" && own.run != t.run && own.record.Version == j.Version &&
		(errors.Is(err, generate.ErrNoJob) || err == nil && stored.Version < j.Version)
}

// claimed reads a job that was claimed. What is not to be worked on is retired
// and returned as nothing.
func (s *Store) claimed(ctx context.Context, id string) (jobRecord, error) {
	var r jobRecord
	var damaged *DamagedError
	var at seat
	err := s.view(ctx, func(t *txn) error {
		var err error
		if r, err = job(t, id); errors.As(err, &damaged) {
			at = t.findSeat(id)
		}
		return err
	})
	switch {
	case err == nil && handedOut(r.Job):
		return r, nil
	case err != nil && !errors.Is(err, generate.ErrNoJob) && !errors.As(err, &damaged):
		return r, err
	case err != nil:
		s.log.ErrorContext(ctx, "store: unfinished job can't be handed out", slog.String("job", id), slog.Any("error", err))
	}
	return jobRecord{}, s.updateLine(ctx, func(t *txn) error {
		r, err := job(t, id)
		switch {
		case errors.As(err, &damaged):
			if err := t.discard(id, at); err != nil || t.line == nil {
				return err
			}
			return t.line.admit()
		case err == nil && handedOut(r.Job):
			return nil // it is alive again
		case err != nil && !errors.Is(err, generate.ErrNoJob):
			return err
		}
		t.Retire(id)
		return nil
	})
}
