// Package bolt is a kv.Engine that keeps everything in one file, for one
// process; nothing else has to be installed.
//
// All transactions that wait at the same time share one commit, and wait for the
// disk once. A commit goes to the end of a write-ahead log, and many of them
// together go from there into the file a little later: bbolt writes a dozen pages
// for a change of a few bytes. What is not in the file yet is in memory, too.
// Closing an engine brings everything into the file and removes the logs.
//
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
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"ltxbot/store/kv"
)

// Engine is a kv.Engine on one file.
type Engine struct {
	*kv.Session

	db      *bbolt.DB
	opts    Options
	local   *kv.Local
	updates *kv.Committer
	log     *slog.Logger
	now     func() time.Time
	stop    func() error  // all but closing db
	full    chan struct{} // has a value when the log is to be brought into db
	failed  atomic.Bool   // that was tried, and failed

	flushMu sync.Mutex // is held by a flush
	writeMu sync.Mutex // is held by a commit, and protects wal and spare
	wal     *wal       // where commits are written
	spare   *wal       // the other log: what it has is in db, or on its way there
	due     *time.Timer

	batchMu   sync.Mutex
	unflushed *committed // what is in wal
	flushing  *kv.Batch  // what is in spare and on its way into db; nil when that is done

	mu     sync.Mutex
	latest time.Time // that Now has returned, here or before the last restart
}

var _ kv.Engine = (*Engine)(nil)

// committed is what commits have written. While somebody reads it, it does not
// change: the next commit goes on with a successor.
type committed struct {
	*kv.Batch
	readers int
}

func newCommitted() *committed { return &committed{Batch: kv.NewBatch()} }

// Options are what an Engine needs beside its file. The zero value works.
type Options struct {
	Logger *slog.Logger     // slog.Default when nil
	Now    func() time.Time // time.Now when nil
	// MaxBytes is the size of file at which writes are refused; 0 = no limit.
	MaxBytes int64
	// FlushSize is the size of a log, in bytes, at which its commits are brought
	// into the file; 4 MiB when 0.
	FlushSize int64
	// NoSync leaves it to the system when a commit reaches the disk. The file
	// outlives the process, but not a loss of power: it is for tests.
	NoSync bool

	openLog func(path string) (logFile, error) // openDiskFile when nil
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
	latestKey = []byte("latest") // Engine.latest when the file was last written
	walKey    = []byte("wal")    // the id of the last log that is in the file
)

// The values of formatKey. A version of the bot that knows no logs must not write
// a file that has some: they would be read when this one comes back.
const (
	formatWhole = "1" // everything is in the file
	formatLogs  = "2" // there may be logs beside it
)

// Open opens the file at path and makes it if it does not exist.
func Open(path string, opts Options) (*Engine, error) {
	e := &Engine{log: opts.Logger, now: opts.Now, opts: opts, full: make(chan struct{}, 1)}
	if e.log == nil {
		e.log = slog.Default()
	}
	if e.now == nil {
		e.now = time.Now
	}
	if e.opts.FlushSize == 0 {
		e.opts.FlushSize = flushSize
	}
	if e.opts.openLog == nil {
		e.opts.openLog = openDiskFile
	}
	err := guarded(func() error {
		err := checkWhole(path)
		if err != nil {
			return err
		}
		e.db, err = openLocked(path, options(opts))
		return err
	})
	switch {
	case errors.Is(err, berrors.ErrTimeout), errors.Is(err, errReplaced):
		return nil, fmt.Errorf("open store %s: %w; stop it, or give this bot a file of its own (store.url)", path, ErrInUse)
	case isDamage(err):
		return nil, fmt.Errorf("open store %s: this is not a store of the bot, or it is damaged; restore a backup or move it away: %w", path, err)
	case err != nil:
		return nil, fmt.Errorf("open store: %w", err)
	}
	if err := guarded(func() error { return e.start(path) }); err != nil {
		if errors.Is(err, errDamaged) {
			// The transaction that broke can't be ended, nor can the file be
			// closed then: the process is about to end.
			return nil, fmt.Errorf("open store %s: %w; restore a backup or move it away", path, err)
		}
		return nil, errors.Join(fmt.Errorf("open store %s: %w", path, err), e.db.Close())
	}
	return e, nil
}

// errReplaced says that a file was compacted while it was opened.
var errReplaced = errors.New("the file was replaced")

// openLocked opens the file that has this name when it has the lock: a compaction
// may have put another one in its place until then.
func openLocked(path string, opts *bbolt.Options) (*bbolt.DB, error) {
	var opened os.FileInfo
	opts.OpenFile = func(name string, flag int, mode os.FileMode) (*os.File, error) {
		f, err := os.OpenFile(name, flag, mode) //nolint:gosec // the operator chose it
		if err == nil {
			opened, err = f.Stat()
		}
		return f, err
	}
	db, err := bbolt.Open(path, fileMode, opts)
	if err != nil {
		return nil, err
	}
	now, err := os.Stat(path)
	if err == nil && !os.SameFile(opened, now) {
		err = errReplaced
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
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

// start makes the buckets, brings what the logs have into the file, queues the
// open jobs and starts the committer.
func (e *Engine) start(path string) error {
	path, err := filepath.EvalSymlinks(path) // the logs belong to the file, whatever it is called
	if err != nil {
		return err
	}
	var open []string
	first := newWALID() // of a log that never was: the next one follows it
	err = e.db.Update(func(tx *bbolt.Tx) error {
		if k, _ := tx.Cursor().First(); k != nil && tx.Bucket(metaBucket) == nil {
			return errors.New("it was written by another program, or by an older version of the bot")
		}
		for _, b := range [][]byte{keysBucket, openBucket, metaBucket} {
			if _, err := tx.CreateBucketIfNotExists(b); err != nil {
				return fmt.Errorf("make bucket %s: %w", b, err)
			}
		}
		meta := tx.Bucket(metaBucket)
		if have := meta.Get(formatKey); have != nil && string(have) != formatWhole && string(have) != formatLogs {
			return fmt.Errorf("the file has format %s, this version reads %s and %s", have, formatWhole, formatLogs)
		}
		if latest := meta.Get(latestKey); latest != nil {
			if err := e.latest.UnmarshalBinary(latest); err != nil {
				return fmt.Errorf("read the time of the last commit: %w", err)
			}
		}
		var err error
		if e.wal, e.spare, err = openWALs(path, e.opts); err != nil {
			return err
		}
		if err := e.replay(tx); err != nil {
			return fmt.Errorf("read the commits of the log: %w", err)
		}
		open = openJobs(tx)
		return errors.Join(meta.Put(formatKey, []byte(formatLogs)), e.mark(tx, first))
	})
	if err != nil {
		return errors.Join(err, e.wal.close(), e.spare.close())
	}
	e.wal.before, e.unflushed = first, newCommitted()
	e.local = kv.NewLocal(open, e.now)
	e.Session = e.local.Session()
	e.updates = kv.NewCommitter(e.commit)
	stop := make(chan struct{})
	var flusher sync.WaitGroup
	e.due = time.NewTimer(flushEvery)
	flusher.Go(func() { e.flushes(stop) })
	e.stop = sync.OnceValue(func() error {
		e.updates.Close()
		close(stop)
		flusher.Wait()
		e.due.Stop()
		e.End()
		err := e.flush()
		if err == nil {
			err = e.whole()
		}
		if err != nil {
			e.log.Error("store: cannot write the file; the next start writes what is in the logs beside it", "error", err)
			return errors.Join(e.wal.close(), e.spare.close())
		}
		return errors.Join(e.wal.remove(), e.spare.remove())
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
func (e *Engine) Close() error { return errors.Join(e.stop(), e.db.Close()) }

// whole says in the file that it has everything.
func (e *Engine) whole() error {
	return e.db.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket(metaBucket).Put(formatKey, []byte(formatWhole))
	})
}

// Update runs a transaction. It is on the disk when Update returns.
func (e *Engine) Update(ctx context.Context, fn func(kv.Tx) error) error {
	return e.updates.Update(ctx, fn)
}

// View runs a transaction that only reads, on the last commit.
func (e *Engine) View(ctx context.Context, fn func(kv.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return e.read(func(r kv.Reader) error { return kv.View(r, fn) })
}

// read calls fn with what was committed so far. fn must not write.
func (e *Engine) read(fn func(kv.Reader) error) error {
	e.batchMu.Lock()
	tx, err := e.db.Begin(false)
	unflushed, flushing := e.unflushed, e.flushing
	if err == nil {
		unflushed.readers++
	}
	e.batchMu.Unlock()
	if errors.Is(err, berrors.ErrDatabaseNotOpen) {
		return kv.ErrClosed
	}
	if err != nil {
		return err
	}
	defer func() {
		_ = tx.Rollback()
		e.batchMu.Lock()
		unflushed.readers--
		e.batchMu.Unlock()
	}()
	var committed kv.Reader = reader{tx.Bucket(keysBucket)}
	if flushing != nil { // if it is in db already, that changes nothing
		committed = kv.Over(committed, flushing)
	}
	return fn(kv.Over(committed, unflushed.Batch))
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
	e.mu.Lock()
	e.latest = now
	e.mu.Unlock()
	if err := e.record(encodeCommit(now, kv.NewBatch())); err != nil {
		return fmt.Errorf("reset clock: %w", err)
	}
	return nil
}

// commit brings a batch to the disk.
func (e *Engine) commit(run func(kv.Reader) *kv.Batch) error {
	if err := e.room(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	var batch *kv.Batch
	var commit []byte
	err := e.read(func(r kv.Reader) error {
		if batch = run(r); !batch.Empty() {
			commit = encodeCommit(e.time(), batch)
		}
		return nil
	})
	if err != nil || commit == nil {
		return err
	}
	if err := e.record(commit); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	e.local.Apply(batch.News())
	return nil
}

// record appends a commit to the log, and shows it to those who read from now on.
func (e *Engine) record(commit []byte) error {
	if err := e.add(commit); err != nil {
		// The log may have it all the same. A flush ends that log: the next start
		// does not read it. Until one works, nothing more is taken.
		return errors.Join(err, e.flush())
	}
	return nil
}

func (e *Engine) add(commit []byte) error {
	e.writeMu.Lock()
	defer e.writeMu.Unlock()
	if !e.wal.begun {
		if err := e.wal.begin(); err != nil {
			return err
		}
		e.due.Reset(flushEvery)
	}
	if err := e.wal.append(commit); err != nil {
		return err
	}
	if e.wal.end >= e.opts.FlushSize {
		select {
		case e.full <- struct{}{}:
		default:
		}
	}
	e.batchMu.Lock()
	defer e.batchMu.Unlock()
	if e.unflushed.readers > 0 {
		e.unflushed = &committed{Batch: e.unflushed.Successor()}
	}
	// The values of the transaction's own batch may be gone with it.
	_, err := decodeCommit(commit, e.unflushed.Batch)
	return err
}

// Backup writes a consistent copy of the file to w while it is in use, with all
// that was committed before. Writes go on meanwhile; only a file that outgrows its
// memory map has to wait for the end of a backup.
func (e *Engine) Backup(ctx context.Context, w io.Writer) error {
	if err := e.flush(); err != nil && !errors.Is(err, berrors.ErrDatabaseNotOpen) {
		return fmt.Errorf("back up store: %w", err)
	}
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
