package bolt

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"ltxbot/core/generate"
)

// A write is one change of the store on its way to the committer.
type write struct {
	// change may run more than once: it must set its results anew each time.
	// An error it returns before its first write refuses only this change.
	change func(*txn) error
	done   chan error
}

// maxBatch is how many writes share a transaction. More would make the first
// of them wait for the last.
const maxBatch = 256

// write runs change in a transaction that is durable when it returns nil. A
// ctx that ends before the transaction has begun leaves the store untouched;
// from then on the few milliseconds of the commit are waited for, so that the
// outcome is always known.
func (s *Store) write(ctx context.Context, change func(*txn) error) error {
	w := &write{change: change, done: make(chan error, 1)}
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s.writes <- w:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.closing:
		return generate.ErrClosed
	}
	err := <-w.done
	if p := (*panicError)(nil); errors.As(err, &p) {
		panic(p.value)
	}
	return err
}

// commitLoop is the committer.
func (s *Store) commitLoop() {
	for {
		select {
		case <-s.closing:
			return
		case first := <-s.writes:
			s.commit(s.gather(first))
		}
	}
}

// gather adds to first all writes that wait already.
func (s *Store) gather(first *write) []*write {
	batch := []*write{first}
	for len(batch) < maxBatch {
		select {
		case w := <-s.writes:
			batch = append(batch, w)
		default:
			return batch
		}
	}
	return batch
}

// commit brings batch to the disk. A change that breaks in the middle takes
// the transaction with it: the others are run again without it.
func (s *Store) commit(batch []*write) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(batch) > 0 {
		if s.line == nil {
			if _, err := s.load(); err != nil {
				finish(batch, slices.Repeat([]error{err}, len(batch)))
				return
			}
		}
		t := &txn{line: s.line, log: s.log, now: s.now()}
		results := make([]error, len(batch))
		broken := -1
		err := s.db.Update(func(tx *bbolt.Tx) error {
			t.view = view{tx}
			for i, w := range batch {
				t.dirty = false
				results[i] = t.run(w.change)
				if results[i] != nil && t.dirty {
					broken = i
					return results[i]
				}
				t.changed = t.changed || t.dirty
			}
			if !t.changed {
				return errUnchanged
			}
			return nil
		})
		if err == nil || errors.Is(err, errUnchanged) {
			for _, j := range t.saved {
				s.work.saved(j.id, j.unfinished)
			}
			finish(batch, results)
			return
		}
		// The mirror has seen changes that may not have happened. What did
		// happen is in the file, even if only the last fsync failed.
		s.line = nil
		if _, loadErr := s.load(); loadErr != nil {
			s.log.Error("bolt: mirror could not be read after a failed commit", slog.Any("error", loadErr))
		}
		if broken < 0 {
			for _, j := range t.saved {
				s.work.perhaps(j.id)
			}
			finish(batch, slices.Repeat([]error{commitError(err)}, len(batch)))
			return
		}
		batch[broken].done <- err
		batch = slices.Delete(batch, broken, broken+1)
	}
}

func finish(batch []*write, results []error) {
	for i, w := range batch {
		w.done <- results[i]
	}
}

// errUnchanged spares the fsync of a transaction without a change.
var errUnchanged = errors.New("nothing changed")

func commitError(err error) error {
	if errors.Is(err, berrors.ErrMaxSizeReached) {
		return fmt.Errorf("commit: the store's file has reached its largest allowed size: %w", err)
	}
	return fmt.Errorf("commit: %w", err)
}

// txn is a transaction of the committer. All its writes go through put and
// remove.
type txn struct {
	view
	line    *line
	log     *slog.Logger
	now     time.Time
	dirty   bool // the change that runs has written something
	changed bool // some change has
	saved   []savedJob
}

// savedJob is a job of which somebody must hear after the commit.
type savedJob struct {
	id         string
	unfinished bool
}

// run calls change and turns a panic of it into an error, which panics again
// in the goroutine that asked for the change.
func (t *txn) run(change func(*txn) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicError{v}
		}
	}()
	return change(t)
}

type panicError struct{ value any }

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

func (t *txn) put(b bucket, key string, value []byte) error {
	t.dirty = true
	if err := t.tx.Bucket([]byte(b)).Put([]byte(key), value); err != nil {
		return fmt.Errorf("put into %s: %w", b, err)
	}
	return nil
}

func (t *txn) putRecord(b bucket, key string, record any) error {
	data, err := json.Marshal(record)
	if err != nil {
		return fmt.Errorf("encode record of %s: %w", b, err)
	}
	return t.put(b, key, data)
}

func (t *txn) remove(b bucket, key string) error {
	t.dirty = true
	if err := t.tx.Bucket([]byte(b)).Delete([]byte(key)); err != nil {
		return fmt.Errorf("remove from %s: %w", b, err)
	}
	return nil
}
