package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"ltxbot/store/kv"
)

// When the commits of a log are brought into the database.
const (
	flushEvery = 10 * time.Second // after the first of them
	flushSize  = 4 << 20          // bytes of a log
	// mostUnflushed: commits wait for it when a log is so many times as large.
	mostUnflushed = 4
)

// flushes brings commits into the database from time to time.
func (e *Engine) flushes(stop <-chan struct{}) {
	for {
		select {
		case <-e.due.C:
		case <-e.full:
		case <-stop:
			return
		}
		if err := e.flush(); err != nil {
			e.log.Error("store: cannot write the file; nothing more is taken until that works", "error", err)
			e.due.Reset(flushEvery)
		}
	}
}

// room returns when a commit may be added to the log, or why it may not: what the
// log has can't be brought into the database.
func (e *Engine) room() error {
	e.writeMu.Lock()
	size := e.wal.end
	e.writeMu.Unlock()
	if size < mostUnflushed*e.opts.FlushSize && !e.failed.Load() && e.opts.MaxBytes == 0 {
		return nil
	}
	return e.flush()
}

// flush brings everything into the database that was committed before the call.
func (e *Engine) flush() error {
	e.flushMu.Lock()
	defer e.flushMu.Unlock()
	if err := e.flushSpare(); err != nil { // left by a flush that failed
		return err
	}
	e.writeMu.Lock()
	if e.wal.begun {
		e.wal, e.spare = e.spare, e.wal
		e.wal.follow(e.spare)
		e.batchMu.Lock()
		e.flushing, e.unflushed = e.unflushed.Batch, newCommitted()
		e.batchMu.Unlock()
	}
	e.writeMu.Unlock()
	return e.flushSpare()
}

// flushSpare brings what the spare log has into the database. The caller holds
// flushMu, so nobody else changes flushing.
func (e *Engine) flushSpare() error {
	if e.flushing == nil {
		return nil
	}
	err := e.db.Update(func(tx *bbolt.Tx) error {
		return errors.Join(apply(tx, e.flushing), e.mark(tx, e.spare.id))
	})
	e.failed.Store(err != nil)
	if errors.Is(err, berrors.ErrMaxSizeReached) {
		err = fmt.Errorf("the store's file has reached its largest allowed size: %w", err)
	}
	if err != nil {
		return err
	}
	e.batchMu.Lock()
	defer e.batchMu.Unlock()
	e.flushing = nil
	return nil
}

// mark keeps the latest time in the database, and which log is the last one in it.
func (e *Engine) mark(tx *bbolt.Tx, log walID) error {
	e.mu.Lock()
	latest, err := e.latest.MarshalBinary()
	e.mu.Unlock()
	if err != nil {
		return err
	}
	meta := tx.Bucket(metaBucket)
	return errors.Join(meta.Put(latestKey, latest), meta.Put(walKey, log[:]))
}

// apply writes a batch into the database.
func apply(tx *bbolt.Tx, b *kv.Batch) error {
	keys := tx.Bucket(keysBucket)
	for key, value := range b.Writes() {
		if err := write(keys, key, value); err != nil {
			return err
		}
	}
	return announce(tx.Bucket(openBucket), b.News())
}

func write(keys *bbolt.Bucket, key string, value []byte) error {
	if value == nil {
		return keys.Delete([]byte(key))
	}
	return keys.Put([]byte(key), value)
}

// announce keeps which jobs are open.
func announce(open *bbolt.Bucket, news []kv.News) error {
	for _, n := range news {
		key := []byte(n.Job)
		switch known := open.Get(key) != nil; {
		case n.Retired && known:
			if err := open.Delete(key); err != nil {
				return err
			}
		case !n.Retired && !known:
			number, err := open.NextSequence()
			if err != nil {
				return err
			}
			if err := open.Put(key, binary.BigEndian.AppendUint64(nil, number)); err != nil {
				return err
			}
		}
	}
	return nil
}

// reader is a kv.Reader of the keys in a transaction.
type reader struct{ keys *bbolt.Bucket }

func (r reader) Get(key string) ([]byte, error) { return r.keys.Get([]byte(key)), nil }

func (reader) Fetch([]string) error { return nil }

func (r reader) Range(from, end string, reverse bool, yield func(string, []byte) bool) error {
	c := r.keys.Cursor()
	if !reverse {
		for k, v := c.Seek([]byte(from)); k != nil && (end == "" || string(k) < end); k, v = c.Next() {
			if !yield(string(k), v) {
				break
			}
		}
		return nil
	}
	k, v := c.Last()
	if end != "" {
		if k, _ = c.Seek([]byte(end)); k == nil {
			k, v = c.Last()
		} else {
			k, v = c.Prev()
		}
	}
	for ; k != nil && string(k) >= from; k, v = c.Prev() {
		if !yield(string(k), v) {
			break
		}
	}
	return nil
}

// replay writes the commits of the logs into the database that are not in it, in
// their order: a log is read if it follows the last one that is in the database.
func (e *Engine) replay(tx *bbolt.Tx) error {
	last := tx.Bucket(metaBucket).Get(walKey)
	for range 2 { // they may follow each other either way round
		for _, w := range []*wal{e.wal, e.spare} {
			id, before, ok, err := w.header()
			if err != nil {
				return err
			}
			if !ok || !bytes.Equal(before[:], last) {
				continue
			}
			err = w.commits(id, func(commit []byte) error {
				batch := kv.NewBatch()
				at, err := decodeCommit(commit, batch)
				if err != nil {
					return err
				}
				e.latest = at
				return apply(tx, batch)
			})
			if err != nil {
				return err
			}
			last = id[:]
		}
	}
	return nil
}
