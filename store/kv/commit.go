package kv

import (
	"context"
	"fmt"
	"sync"
)

// maxBatch is how many transactions are committed together. More would make
// the first of them wait for the last.
const maxBatch = 256

// A Committer runs Updates one after the other and commits all that wait at
// the same time as one batch.
type Committer struct {
	commit  func(run func(Reader) *Batch) error
	updates chan *update
	closing chan struct{}
	close   func()
}

// An update is a transaction on its way to the commit.
type update struct {
	fn       func(Tx) error
	err      error // its own
	panicked any
	done     chan error
}

// NewCommitter starts a committer. It calls commit with a function that runs
// all transactions of a batch on what a Reader reads and returns what they
// write. commit applies that, all or nothing, if what the Reader has read is
// still so, even if nothing is written; else it calls run again with a fresh
// Reader. Its error fails the whole batch. It must end in bounded time.
func NewCommitter(commit func(run func(Reader) *Batch) error) *Committer {
	c := &Committer{commit: commit, updates: make(chan *update), closing: make(chan struct{})}
	var loop sync.WaitGroup
	loop.Go(c.loop)
	c.close = sync.OnceFunc(func() {
		close(c.closing)
		loop.Wait()
	})
	return c
}

// Update is an engine's Update.
func (c *Committer) Update(ctx context.Context, fn func(Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	u := &update{fn: fn, done: make(chan error, 1)}
	select {
	case c.updates <- u:
	case <-ctx.Done():
		return ctx.Err()
	case <-c.closing:
		return ErrClosed
	}
	err := <-u.done
	if u.panicked != nil {
		panic(u.panicked)
	}
	return err
}

// Close waits for the transactions under way; later ones get ErrClosed. It may
// be called twice.
func (c *Committer) Close() { c.close() }

func (c *Committer) loop() {
	for {
		select {
		case <-c.closing:
			return
		case first := <-c.updates:
			c.run(c.gather(first))
		}
	}
}

// gather adds to first all updates that wait already.
func (c *Committer) gather(first *update) []*update {
	updates := []*update{first}
	for len(updates) < maxBatch {
		select {
		case u := <-c.updates:
			updates = append(updates, u)
		default:
			return updates
		}
	}
	return updates
}

// run commits updates as one batch. One that fails or panics is left out.
func (c *Committer) run(updates []*update) {
	err := c.commit(func(base Reader) *Batch {
		batch := NewBatch()
		for _, u := range updates {
			batch = u.run(base, batch)
		}
		return batch
	})
	for _, u := range updates {
		if err != nil {
			u.panicked = nil // it may have run on a state that never was
			u.done <- err
			continue
		}
		u.done <- u.err
	}
}

// run runs the transaction on top of batch, and returns the batch with what it
// wrote, or as it was if it failed.
func (u *update) run(base Reader, batch *Batch) (after *Batch) {
	u.err, u.panicked = nil, nil
	defer func() {
		if u.panicked = recover(); u.panicked != nil {
			u.err = fmt.Errorf("transaction panicked: %v", u.panicked)
		}
		if u.err != nil {
			after = batch
		}
	}()
	o := &overlay{base: base, batch: batch.copy(), reads: MaxReads}
	u.err = o.outcome(u.fn(o))
	return o.batch
}
