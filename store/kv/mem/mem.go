// Package mem is a kv.Engine in memory, for tests: what every engine does, in
// the simplest way. Several clients may share one database.
package mem

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/tidwall/btree"

	"ltxbot/store/kv"
)

// A Database is what clients share. It outlives them.
type Database struct {
	now   func() time.Time
	local *kv.Local

	mu          sync.Mutex
	keys        *btree.Map[string, []byte] // never changed: replaced
	latest      time.Time
	incarnation string
}

// New makes an empty database whose time is now's; time.Now when nil.
func New(now func() time.Time) *Database {
	if now == nil {
		now = time.Now
	}
	return &Database{now: now, local: kv.NewLocal(nil, now), keys: new(btree.Map[string, []byte])}
}

// Restart makes the database one that came back under another name, as a
// server does that has lost its last writes.
func (d *Database) Restart(incarnation string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.incarnation = incarnation
}

// Save returns a function that makes the keys what they are now: what was
// written in between is lost.
func (d *Database) Save() (restore func()) {
	keys := d.state()
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.keys = keys
	}
}

// state is the keys as they are now.
func (d *Database) state() *btree.Map[string, []byte] {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.keys
}

// commit runs a batch and applies it.
func (d *Database) commit(run func(kv.Reader) *kv.Batch) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	b := run(reader{d.keys})
	keys := d.keys.Copy()
	for key, value := range b.Writes() {
		if value == nil {
			keys.Delete(key)
		} else {
			keys.Set(key, value)
		}
	}
	d.keys = keys
	d.local.Apply(b.News())
	return nil
}

// reader is a kv.Reader of keys that do not change.
type reader struct{ keys *btree.Map[string, []byte] }

func (r reader) Get(key string) ([]byte, error) {
	value, _ := r.keys.Get(key)
	return value, nil
}

func (reader) Fetch([]string) error { return nil }

func (r reader) Range(from, end string, reverse bool, yield func(string, []byte) bool) error {
	switch {
	case !reverse:
		r.keys.Ascend(from, func(key string, value []byte) bool {
			return (end == "" || key < end) && yield(key, value)
		})
	case end == "":
		r.keys.Reverse(func(key string, value []byte) bool { return key >= from && yield(key, value) })
	default:
		r.keys.Descend(end, func(key string, value []byte) bool {
			return key == end || key >= from && yield(key, value)
		})
	}
	return nil
}

// Engine is a client of a Database.
type Engine struct {
	*kv.Session

	db      *Database
	updates *kv.Committer
}

var _ kv.Engine = (*Engine)(nil)

// Open makes a client.
func (d *Database) Open() *Engine {
	return &Engine{Session: d.local.Session(), db: d, updates: kv.NewCommitter(d.commit)}
}

// Update runs a transaction.
func (e *Engine) Update(ctx context.Context, fn func(kv.Tx) error) error {
	return e.updates.Update(ctx, fn)
}

// View runs a transaction that only reads.
func (e *Engine) View(ctx context.Context, fn func(kv.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := e.Err(); err != nil {
		return err
	}
	return kv.View(reader{e.db.state()}, fn)
}

// Sync has nothing to wait for.
func (e *Engine) Sync(context.Context) error { return e.Err() }

// Now is the latest time that the clock has shown.
func (e *Engine) Now(context.Context) (time.Time, error) {
	now := e.db.now()
	e.db.mu.Lock()
	defer e.db.mu.Unlock()
	if now.After(e.db.latest) {
		e.db.latest = now
	}
	return e.db.latest, e.Err()
}

// Clock is what the clock shows.
func (e *Engine) Clock(context.Context) (time.Time, error) { return e.db.now(), e.Err() }

// ResetClock makes Now what the clock shows.
func (e *Engine) ResetClock(context.Context) error {
	e.db.mu.Lock()
	defer e.db.mu.Unlock()
	e.db.latest = e.db.now()
	return e.Err()
}

// Incarnation is what Restart was called with.
func (e *Engine) Incarnation(context.Context) (string, error) {
	e.db.mu.Lock()
	defer e.db.mu.Unlock()
	return e.db.incarnation, e.Err()
}

// Backup has nothing to write.
func (e *Engine) Backup(context.Context, io.Writer) error { return kv.ErrNoBackup }

// Close ends the client.
func (e *Engine) Close() error {
	e.updates.Close()
	e.End()
	return nil
}
