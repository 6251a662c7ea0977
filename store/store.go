package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/core/team"
	"ltxbot/store/kv"
)

// Store is a generate.Store and a quota.Store over an engine.
type Store struct {
	db     kv.Engine
	log    *slog.Logger
	limits Limits
	opened time.Time // by the process' own clock

	mu    sync.Mutex
	owned map[string]ownership // jobs that this process has claimed
}

var (
	_ generate.Store     = (*Store)(nil)
	_ generate.Records   = (*Store)(nil)
	_ generate.CopyQueue = (*Store)(nil)
	_ team.Store         = (*Store)(nil)
)

// Limits are the limits on jobs at a time of this moment: of a team's member
// in tiers, given what admins decided. Those of the team must not depend on the
// member, nor those of the bot on anything: they are asked for with empty names.
// It is called within transactions, by several goroutines. After any of its
// answers has changed, call Store.Admit.
type Limits func(team, member string, tiers []string, s quota.AdminState) quota.Line

// Options are what a Store needs beside its engine.
type Options struct {
	Logger *slog.Logger // slog.Default when nil
	Limits Limits       // no limits when nil
}

// New makes a store over db, which it closes.
func New(db kv.Engine, opts Options) *Store {
	s := &Store{db: db, log: opts.Logger, limits: opts.Limits, opened: time.Now(), owned: map[string]ownership{}}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.limits == nil {
		s.limits = func(string, string, []string, quota.AdminState) quota.Line { return quota.Line{} }
	}
	return s
}

// Backup writes a consistent copy of the store to w while it is in use, or
// returns kv.ErrNoBackup where the server does that.
func (s *Store) Backup(ctx context.Context, w io.Writer) error { return closed(s.db.Backup(ctx, w)) }

// Close ends claims, waits for transactions under way and closes the engine.
// Whoever waits in Claim gets generate.ErrClosed, and so does every later call.
// It may be called twice.
func (s *Store) Close() error { return s.db.Close() }

// Now is the time of the store: that of the server, if there is one.
func (s *Store) Now(ctx context.Context) (time.Time, error) {
	now, err := s.db.Now(ctx)
	return now, closed(err)
}

// txn is one transaction of a Store.
type txn struct {
	kv.Tx

	s    *Store
	now  time.Time
	run  string // of the server
	line *line  // nil until something of it is needed
	// wrote is the record of a job that was written last.
	wrote ownership
}

// update runs fn, which may run more than once, and writes what it did to the
// line.
func (s *Store) update(ctx context.Context, fn func(*txn) error) error {
	now, err := s.db.Now(ctx)
	if err != nil {
		return closed(err)
	}
	for {
		run, err := s.db.Incarnation(ctx)
		if err != nil {
			return closed(err)
		}
		err = s.db.Update(ctx, func(tx kv.Tx) error {
			t := &txn{Tx: tx, s: s, now: now, run: run}
			if err := fn(t); err != nil {
				return err
			}
			if t.line != nil {
				return t.line.write()
			}
			return nil
		})
		if errors.Is(err, generate.ErrNoJob) || errors.Is(err, generate.ErrConflict) {
			// If the server is another one by now, it may have lost the job.
			if after, runErr := s.db.Incarnation(ctx); runErr == nil && after != run {
				continue
			}
		}
		return closed(err)
	}
}

func (s *Store) view(ctx context.Context, fn func(*txn) error) error {
	return closed(s.db.View(ctx, func(tx kv.Tx) error { return fn(&txn{Tx: tx, s: s}) }))
}

// closed is the error of a store that is closed as callers know it.
func closed(err error) error {
	if errors.Is(err, kv.ErrClosed) {
		return generate.ErrClosed
	}
	return err
}

// stamp is the version of a value's format.
type stamp struct {
	V int `json:"v"`
}

// v1 is the format that is written.
var v1 = stamp{1}

func (s stamp) version() int { return s.V }

type versioned interface{ version() int }

// load decodes the value of key and reports whether there is one.
func load(tx kv.Tx, key string, into versioned) (bool, error) {
	data := tx.Get(key)
	if data == nil {
		return false, nil
	}
	return true, decode(key, data, into)
}

func decode(key string, data []byte, into versioned) error {
	err := json.Unmarshal(data, into)
	if err == nil && into.version() != v1.V {
		err = fmt.Errorf("its format is %d, this bot knows %d", into.version(), v1.V)
	}
	if err != nil {
		return &DamagedError{Key: key, Err: err}
	}
	return nil
}

func save(tx kv.Tx, key string, value versioned) error {
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode %s: %w", key, err)
	}
	tx.Put(key, data)
	return nil
}

// marked is the value of a key that is all there is to say.
var marked = []byte(`{"v":1}`)

func mark(tx kv.Tx, key string) { tx.Put(key, marked) }

// DamagedError says that a value is not what the bot wrote.
type DamagedError struct {
	Key string
	Err error
}

func (e *DamagedError) Error() string { return fmt.Sprintf("record %s is damaged: %v", e.Key, e.Err) }

func (e *DamagedError) Unwrap() error { return e.Err }

// outcome leaves the errors that callers act on as they are, and says of the
// others what could not be done.
func outcome(op string, err error) error {
	var limit *quota.LimitError
	if err == nil || errors.As(err, &limit) {
		return err
	}
	for _, known := range []error{
		generate.ErrExists, generate.ErrConflict, generate.ErrNoJob, generate.ErrClosed, generate.ErrNoCopy, quota.ErrNoHold, team.ErrNoMark,
	} {
		if errors.Is(err, known) {
			return err
		}
	}
	return fmt.Errorf("%s: %w", op, err)
}

// checkNames refuses what can't name anything.
func checkNames(names ...string) error {
	for _, n := range names {
		if n == "" || strings.Contains(n, "\x00") || !utf8.ValidString(n) {
			return fmt.Errorf("%q can't be a name", n)
		}
	}
	return nil
}

// pageSize is how many keys are read at a time where all are gone over.
const pageSize = 500

// pages goes over the keys with a prefix, from the first to the one before
// end ("" = the last), a page in a view of its own. visit may change what is
// stored.
func (s *Store) pages(ctx context.Context, prefix, end string, visit func(keys []string, values [][]byte) error) error {
	from := ""
	for {
		var keys []string
		var values [][]byte
		err := s.view(ctx, func(t *txn) error {
			keys, values = nil, nil
			for k, v := range t.Scan(prefix, from) {
				if end != "" && k >= end {
					break
				}
				keys, values = append(keys, k), append(values, append([]byte(nil), v...))
				if len(keys) == pageSize {
					break
				}
			}
			return nil
		})
		if err != nil || len(keys) == 0 {
			return err
		}
		if err := visit(keys, values); err != nil || len(keys) < pageSize {
			return err
		}
		from = keys[len(keys)-1] + "\x01" // after it, and before any longer one
	}
}
