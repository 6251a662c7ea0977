// Package bolt is a kv.Engine that keeps everything in one file, for one
// process; nothing else has to be installed.
//
// All transactions that wait at the same time share one commit and its fsync.
// Reads see the last commit and never wait for a write. Jobs that are
// published and not retired stand in a bucket of their own, so that the next
// start hands them out again.
package bolt

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"ltxbot/store/kv"
)

// Engine is a kv.Engine on one file.
type Engine struct {
	*kv.Session

	db      *bbolt.DB
	local   *kv.Local
	updates *kv.Committer
	log     *slog.Logger
	now     func() time.Time
	close   func() error

	mu     sync.Mutex
	latest time.Time // that Now has returned, here or before the last restart
}

var _ kv.Engine = (*Engine)(nil)

// Options are what an Engine needs beside its file. The zero value works.
type Options struct {
	Logger *slog.Logger     // slog.Default when nil
	Now    func() time.Time // time.Now when nil
	// MaxBytes is the size of file at which writes are refused; 0 = no limit.
	MaxBytes int64
	// NoSync leaves it to the system when a commit reaches the disk. The file
	// outlives the process, but not a loss of power: it is for tests.
	NoSync bool
}

// ErrInUse says that a file can't be opened because another process has it.
var ErrInUse = errors.New("another process is using this file")

// lockWait is how long Open waits for another process to let go of the file:
// long enough for a restart to overlap, short enough not to look like a hang.
const lockWait = time.Second

// fileMode lets only the bot's own user read prompts and ids.
const fileMode os.FileMode = 0o600

// The buckets of the file, and the keys of the last one.
var (
	keysBucket = []byte("keys")
	openBucket = []byte("open") // job → its number in the order of publication
	metaBucket = []byte("meta")

	formatKey = []byte("format") // what the buckets hold
	latestKey = []byte("latest") // Engine.latest at the last commit
)

// format is the value of formatKey.
const format = "1"

// Open opens the file at path and makes it if it does not exist.
func Open(path string, opts Options) (*Engine, error) {
	e := &Engine{log: opts.Logger, now: opts.Now}
	if e.log == nil {
		e.log = slog.Default()
	}
	if e.now == nil {
		e.now = time.Now
	}
	err := guarded(func() error {
		err := checkWhole(path)
		if err != nil {
			return err
		}
		e.db, err = bbolt.Open(path, fileMode, options(opts))
		return err
	})
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return nil, fmt.Errorf("open store %s: %w; stop it, or give this bot a file of its own (store.url)", path, ErrInUse)
	case isDamage(err):
		return nil, fmt.Errorf("open store %s: this is not a store of the bot, or it is damaged; restore a backup or move it away: %w", path, err)
	case err != nil:
		return nil, fmt.Errorf("open store: %w", err)
	}
	if err := guarded(e.start); err != nil {
		if errors.Is(err, errDamaged) {
			// The transaction that broke can't be ended, nor can the file be
			// closed then: the process is about to end.
			return nil, fmt.Errorf("open store %s: %w; restore a backup or move it away", path, err)
		}
		return nil, errors.Join(fmt.Errorf("open store %s: %w", path, err), e.db.Close())
	}
	return e, nil
}

func options(opts Options) *bbolt.Options {
	return &bbolt.Options{
		Timeout:         lockWait,
		FreelistType:    bbolt.FreelistMapType,
		InitialMmapSize: initialMap(opts.MaxBytes),
		MaxSize:         int(opts.MaxBytes),
		NoStatistics:    true,
		NoSync:          opts.NoSync,
	}
}

// initialMap is how much address space is mapped at once, in bytes. A file
// that outgrows its map waits for readers to end, so a slow Backup would stop
// all writes; with room ahead that is rare. Windows would make the file itself
// that large, and a small address space can't spare it.
func initialMap(maxBytes int64) int {
	const room = 256 << 20
	if runtime.GOOS == "windows" || strconv.IntSize < 64 || maxBytes > 0 {
		return 0
	}
	return room
}

// start makes the buckets, queues the open jobs and starts the committer.
func (e *Engine) start() error {
	var open []string
	err := e.db.Update(func(tx *bbolt.Tx) error {
		if first, _ := tx.Cursor().First(); first != nil && tx.Bucket(metaBucket) == nil {
			return errors.New("it was written by another program, or by an older version of the bot")
		}
		for _, b := range [][]byte{keysBucket, openBucket, metaBucket} {
			if _, err := tx.CreateBucketIfNotExists(b); err != nil {
				return fmt.Errorf("make bucket %s: %w", b, err)
			}
		}
		meta := tx.Bucket(metaBucket)
		if have := meta.Get(formatKey); have != nil && string(have) != format {
			return fmt.Errorf("the file has format %s, this version reads %s", have, format)
		}
		if latest := meta.Get(latestKey); latest != nil {
			if err := e.latest.UnmarshalBinary(latest); err != nil {
				return fmt.Errorf("read the time of the last commit: %w", err)
			}
		}
		open = openJobs(tx)
		return meta.Put(formatKey, []byte(format))
	})
	if err != nil {
		return err
	}
	e.local = kv.NewLocal(open, e.now)
	e.Session = e.local.Session()
	e.updates = kv.NewCommitter(e.commit)
	e.close = sync.OnceValue(func() error {
		e.updates.Close()
		e.End()
		return e.db.Close()
	})
	return nil
}

// openJobs are the jobs to hand out, in the order of publication.
func openJobs(tx *bbolt.Tx) []string {
	type job struct {
		id string
		n  uint64
	}
	var jobs []job
	c := tx.Bucket(openBucket).Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		jobs = append(jobs, job{string(k), binary.BigEndian.Uint64(v)})
	}
	slices.SortFunc(jobs, func(a, b job) int { return int(int64(a.n) - int64(b.n)) }) //nolint:gosec // counts jobs
	ids := make([]string, len(jobs))
	for i, j := range jobs {
		ids[i] = j.id
	}
	return ids
}

// Close waits for the transactions under way and closes the file.
func (e *Engine) Close() error { return e.close() }

// Update runs a transaction. It is on the disk when Update returns.
func (e *Engine) Update(ctx context.Context, fn func(kv.Tx) error) error {
	return e.updates.Update(ctx, fn)
}

// View runs a transaction that only reads, on the last commit.
func (e *Engine) View(ctx context.Context, fn func(kv.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := e.db.View(func(tx *bbolt.Tx) error { return kv.View(reader{tx.Bucket(keysBucket)}, fn) })
	if errors.Is(err, berrors.ErrDatabaseNotOpen) {
		return kv.ErrClosed
	}
	return err
}

// Sync has nothing to wait for: each Update does.
func (e *Engine) Sync(context.Context) error { return e.Err() }

// Incarnation is empty: a file loses nothing.
func (e *Engine) Incarnation(context.Context) (string, error) { return "", e.Err() }

// Now is the latest time that the clock has shown.
func (e *Engine) Now(context.Context) (time.Time, error) {
	return e.time(), e.Err()
}

func (e *Engine) time() time.Time {
	now := e.now()
	e.mu.Lock()
	defer e.mu.Unlock()
	if now.After(e.latest) {
		e.latest = now
	}
	return e.latest
}

// Clock is what the clock of this machine shows.
func (e *Engine) Clock(context.Context) (time.Time, error) { return e.now(), e.Err() }

// ResetClock makes Now what the clock of this machine shows.
func (e *Engine) ResetClock(context.Context) error {
	if err := e.Err(); err != nil {
		return err
	}
	now := e.now()
	err := e.db.Update(func(tx *bbolt.Tx) error {
		e.mu.Lock()
		e.latest = now
		e.mu.Unlock()
		latest, err := now.MarshalBinary()
		if err != nil {
			return err
		}
		return tx.Bucket(metaBucket).Put(latestKey, latest)
	})
	if err != nil {
		return fmt.Errorf("reset clock: %w", err)
	}
	return nil
}

// errEmpty spares the fsync of a transaction that changes nothing.
var errEmpty = errors.New("nothing to commit")

// commit brings a batch to the disk.
func (e *Engine) commit(run func(kv.Reader) *kv.Batch) error {
	var batch *kv.Batch
	err := e.db.Update(func(tx *bbolt.Tx) error {
		keys := tx.Bucket(keysBucket)
		if batch = run(reader{keys}); batch.Empty() {
			return errEmpty
		}
		for key, value := range batch.Writes() {
			if err := write(keys, key, value); err != nil {
				return err
			}
		}
		if err := announce(tx.Bucket(openBucket), batch.News()); err != nil {
			return err
		}
		latest, err := e.time().MarshalBinary()
		if err != nil {
			return err
		}
		return tx.Bucket(metaBucket).Put(latestKey, latest)
	})
	switch {
	case errors.Is(err, errEmpty):
		return nil
	case err == nil:
		e.local.Apply(batch.News())
		return nil
	}
	e.recover(batch)
	if errors.Is(err, berrors.ErrMaxSizeReached) {
		return fmt.Errorf("commit: the store's file has reached its largest allowed size: %w", err)
	}
	return fmt.Errorf("commit: %w", err)
}

// recover announces what a commit that failed has published all the same: if
// only its last fsync failed, what it wrote is in the file.
func (e *Engine) recover(batch *kv.Batch) {
	var news []kv.News
	err := e.db.View(func(tx *bbolt.Tx) error {
		open := tx.Bucket(openBucket)
		for _, n := range batch.News() {
			news = append(news, kv.News{Job: n.Job, Retired: open.Get([]byte(n.Job)) == nil})
		}
		return nil
	})
	if err != nil {
		e.log.Error("store: cannot read the file after a commit that failed", "error", err)
		return
	}
	e.local.Apply(news)
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

// Backup writes a consistent copy of the file to w while it is in use. Writes
// go on meanwhile; only a file that outgrows its memory map has to wait for
// the end of a backup.
func (e *Engine) Backup(ctx context.Context, w io.Writer) error {
	err := e.db.View(func(tx *bbolt.Tx) error {
		_, err := tx.WriteTo(&contextWriter{w: w, err: ctx.Err})
		return err
	})
	switch {
	case errors.Is(err, berrors.ErrDatabaseNotOpen):
		return kv.ErrClosed
	case err != nil: // bbolt does not wrap what the writer returned
		return fmt.Errorf("back up store: %w", cmp.Or(ctx.Err(), err))
	}
	return nil
}

// contextWriter writes until err says otherwise.
type contextWriter struct {
	w   io.Writer
	err func() error
}

func (c *contextWriter) Write(p []byte) (int, error) {
	if err := c.err(); err != nil {
		return 0, err
	}
	return c.w.Write(p)
}
