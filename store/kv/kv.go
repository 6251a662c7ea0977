// Package kv is what a store needs of a database: ordered keys changed by
// transactions, and jobs handed out to processes. The rules of jobs and quota
// are written once, in package store, over these interfaces; an engine
// (kv/mem, store/bolt, store/redis) implements them and passes the suite of
// kvtest.
//
// Keys are non-empty UTF-8 strings without a zero byte, ordered by their
// bytes. Values are not empty.
package kv

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"
)

// An Engine is a database with everything that a store needs of it. All
// methods may be called from many goroutines.
type Engine interface {
	DB
	Queue
	Coordinator

	// Backup writes a consistent copy of the database to w while it is in use,
	// or returns ErrNoBackup where that is done by the means of a server.
	Backup(ctx context.Context, w io.Writer) error

	// Close ends all claims and waits for transactions under way. Later calls
	// return ErrClosed. It may be called twice.
	Close() error
}

// A DB runs transactions.
type DB interface {
	// Update runs fn and applies what it wrote, all or nothing, as if no other
	// transaction ran meanwhile. fn may run more than once, in another
	// goroutine, and must have no other effects than to set its results anew.
	// If fn returns an error, nothing is written and Update returns that error;
	// so does the first error that the transaction met. If fn panics, nothing
	// is written and Update panics with the same value.
	//
	// A ctx that ends before fn has run ends Update; from then on it waits for
	// the outcome. Any error of the engine itself means that the outcome is
	// unknown: read again. After a nil error, later transactions of every
	// process see what was written. It survives a crash of this process; Sync
	// says when it survives more.
	Update(ctx context.Context, fn func(Tx) error) error

	// View runs fn, which must not write, on one consistent state that
	// includes every Update of this process that has returned. fn may run more
	// than once, as in Update, in the caller's goroutine.
	View(ctx context.Context, fn func(Tx) error) error

	// Sync returns when everything this process has written is as safe as the
	// engine is configured to make it: on the disk, on the replicas.
	Sync(ctx context.Context) error
}

// A Tx reads and writes keys within a transaction. It is for one goroutine and
// ends with the function it was given to. It sees its own writes. A call that
// fails reads as nothing, and its error fails the transaction.
type Tx interface {
	// Get returns the value of key, or nil if there is no such key. The value
	// must not be changed, nor used after the transaction.
	Get(key string) []byte
	// Fetch says that keys are read next, each by a Get: an engine on another
	// machine gets them at once.
	Fetch(keys []string)
	// Put writes value, which the caller must not change any more.
	Put(key string, value []byte)
	Delete(key string)

	// Scan goes over the keys that begin with prefix, in order, beginning with
	// the first key that is not less than from ("" = the first of the prefix).
	// What is written during a scan is not seen by it. Values are as Get's.
	Scan(prefix, from string) iter.Seq2[string, []byte]

	// ScanReverse is Scan from the other end: it begins with the last key
	// that is less than before ("" = the last of the prefix).
	ScanReverse(prefix, before string) iter.Seq2[string, []byte]

	// Publish announces news of a job when the transaction commits. A job
	// that no live process has claimed is handed out, once; the process that
	// has claimed it gets a value on its claim's Changed. Publishing a job that
	// waits to be claimed changes nothing.
	Publish(job string)

	// Retire announces news of a job, too, and ends its hand-out when the
	// transaction commits: it is not handed out again unless it is published
	// again. Of several calls for one job, the last one counts.
	Retire(job string)
}

// MaxReads is how many keys an Update may read, each Get and each key of a
// scan; a View may read any number.
const MaxReads = 1000

// A Queue hands published jobs out to processes.
type Queue interface {
	// Claim waits for a published job that no live process has claimed, and
	// claims it. Jobs of a process that has died, or that has not shown a
	// heartbeat for TakeoverAfter, are handed out again.
	Claim(ctx context.Context) (Claim, error)

	// Stray returns those of jobs that are neither claimed nor waiting to be
	// claimed: their hand-out was lost.
	Stray(ctx context.Context, jobs []string) ([]string, error)
}

// TakeoverAfter is how long a process may be silent before others take over
// its jobs.
const TakeoverAfter = 10 * time.Second

// A Claim is a job that this process works on, and no other one.
type Claim struct {
	Job string
	// Changed has a value after somebody published or retired the job. Values
	// are not queued: one stands for any number of calls.
	Changed <-chan struct{}
	// Lost is closed when this process loses the claim without a Release, since
	// it was silent for too long or is closed: before another process can claim
	// the job.
	Lost <-chan struct{}
	// Release ends the claim. A job that was not retired is handed out again,
	// to this process or another one. It may be called twice.
	Release func()
}

// A Coordinator has what processes that share a database must agree on, besides
// the keys: the time, leases and rate limits.
type Coordinator interface {
	// Now is the time of the database. It never goes back, not even after a
	// restart; only ResetClock sets it back.
	Now(ctx context.Context) (time.Time, error)

	// Clock is the clock of the database itself. It is behind Now if it was ahead
	// before and has been corrected.
	Clock(ctx context.Context) (time.Time, error)
	// ResetClock sets Now back to Clock. Other processes follow when they start.
	ResetClock(ctx context.Context) error

	// Incarnation names the run of the database server: another value means
	// that writes before it may be lost. Engines that lose nothing return "".
	Incarnation(ctx context.Context) (string, error)

	// Processes is how many live processes use the database, this one included.
	Processes(ctx context.Context) (int, error)

	// Lease makes this process the only holder of name for ttl, or renews its
	// lease, and reports whether it holds it. The lease of a process that has
	// died ends after its ttl.
	Lease(ctx context.Context, name string, ttl time.Duration) (bool, error)
	// EndLease gives a lease back, if this process holds it.
	EndLease(ctx context.Context, name string) error

	// Spend takes one token from the bucket name, which all processes share. It
	// holds burst tokens at most and gains one after each every. It returns a
	// wait of zero if there was one; else nothing was taken, and it returns how
	// long to wait before another try. users is how many in this process want
	// tokens, and total how many in all processes, as each said within the last
	// UsersFor. A call whose outcome is not known may have taken a token.
	Spend(ctx context.Context, name string, every time.Duration, burst, users int) (wait time.Duration, total int, err error)
	// HoldBack lets no process take a token for d. After that there is one token.
	HoldBack(ctx context.Context, name string, every time.Duration, burst int, d time.Duration) error
}

// UsersFor is how long after its last Spend a process still counts as a user of
// the bucket.
const UsersFor = time.Minute

// The errors of engines that callers act on.
var (
	ErrClosed = errors.New("store is closed")
	// ErrReads says that an Update has read more than MaxReads keys.
	ErrReads = errors.New("transaction reads too many keys")
	// ErrNoBackup says that the server of the database makes its backups.
	ErrNoBackup = errors.New("this store is copied by its own means: on Redis, copy its append-only file or use BGSAVE")
)
