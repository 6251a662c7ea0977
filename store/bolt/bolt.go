// Package bolt keeps everything the bot must remember in one file: jobs, the
// waiting line, the quota ledger and small settings. It is the store for one
// process; nothing else has to be installed.
//
// All writes go through one committer, which puts those that wait for it at
// the same time into one transaction and one fsync. Reads see the last commit
// and never wait for a write. What must be found fast is mirrored in memory
// (who waits, who holds a slot, which jobs are handed out), changed only by
// the committer, and read from the file again at Open.
//
// Records are JSON. Keys that are ordered hold big-endian numbers.
package bolt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
)

// Store is a generate.Store and a quota.Ledger on one file.
type Store struct {
	db  *bbolt.DB
	log *slog.Logger
	now func() time.Time

	writes  chan *write
	closing chan struct{}
	// committer is done when the goroutine that writes has ended.
	committer sync.WaitGroup
	close     func() error

	// mu guards line. The committer holds it for a whole batch, so that
	// nobody sees what is not committed yet.
	mu   sync.Mutex
	line *line

	work *handouts
}

var (
	_ generate.Store = (*Store)(nil)
	_ quota.Ledger   = (*Store)(nil)
)

// Options are what a Store needs beside its file. The zero value works.
type Options struct {
	Logger *slog.Logger     // slog.Default when nil
	Now    func() time.Time // time.Now when nil
	// MaxBytes is the size of file at which writes are refused; 0 = no limit.
	MaxBytes int64
}

// ErrInUse says that a store can't be opened because another process has it.
var ErrInUse = errors.New("another process is using this file")

// lockWait is how long Open waits for another process to let go of the file:
// long enough for a restart to overlap, short enough not to look like a hang.
const lockWait = time.Second

// fileMode lets only the bot's own user read prompts and ids.
const fileMode os.FileMode = 0o600

// Open opens the store at path and makes it if it does not exist. Every
// unfinished job in it is queued to be handed out by Take. A job that can't be
// read is logged and set aside, so that it does not keep the others from
// being finished.
func Open(path string, opts Options) (*Store, error) {
	s := &Store{
		log:     opts.Logger,
		now:     opts.Now,
		writes:  make(chan *write),
		closing: make(chan struct{}),
		work:    newHandouts(),
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.now == nil {
		s.now = time.Now
	}
	err := guarded(func() error {
		err := checkWhole(path)
		if err != nil {
			return err
		}
		s.db, err = bbolt.Open(path, fileMode, &bbolt.Options{
			Timeout:         lockWait,
			FreelistType:    bbolt.FreelistMapType,
			InitialMmapSize: initialMap(opts.MaxBytes),
			MaxSize:         int(opts.MaxBytes),
			NoStatistics:    true,
		})
		return err
	})
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return nil, fmt.Errorf("open store %s: %w; stop it, or give this bot a file of its own (store.url)", path, ErrInUse)
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrVersionMismatch), errors.Is(err, berrors.ErrChecksum), errors.Is(err, errDamaged):
		return nil, fmt.Errorf("open store %s: this is not a store of the bot, or it is damaged; restore a backup or move it away: %w", path, err)
	case err != nil:
		return nil, fmt.Errorf("open store: %w", err)
	}
	if err := guarded(s.start); err != nil {
		if errors.Is(err, errDamaged) {
			// The transaction that broke can't be ended, nor can the file be
			// closed then: the process is about to end.
			return nil, fmt.Errorf("open store %s: %w; restore a backup or move it away", path, err)
		}
		return nil, errors.Join(fmt.Errorf("open store %s: %w", path, err), s.db.Close())
	}
	return s, nil
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

// start makes the buckets, reads the mirror and starts the committer.
func (s *Store) start() error {
	err := s.db.Update(func(tx *bbolt.Tx) error {
		for _, b := range buckets {
			if _, err := tx.CreateBucketIfNotExists([]byte(b)); err != nil {
				return fmt.Errorf("make bucket %s: %w", b, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	damaged, err := s.load()
	if err != nil {
		return err
	}
	if len(damaged) > 0 {
		if err := s.db.Update(func(tx *bbolt.Tx) error { return setAside(tx, damaged) }); err != nil {
			return fmt.Errorf("set damaged jobs aside: %w", err)
		}
	}
	s.committer.Go(s.commitLoop)
	s.close = sync.OnceValue(func() error {
		close(s.closing)
		s.work.close()
		s.committer.Wait()
		return s.db.Close()
	})
	return nil
}

// Close lets the writes under way finish and closes the file. Whoever waits
// in Take gets generate.ErrClosed, and so does every later call. It may be
// called more than once.
func (s *Store) Close() error { return s.close() }

// view runs read on the last commit.
func (s *Store) view(ctx context.Context, read func(view) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := s.db.View(func(tx *bbolt.Tx) error { return read(view{tx}) })
	if errors.Is(err, berrors.ErrDatabaseNotOpen) {
		return generate.ErrClosed
	}
	return err
}
