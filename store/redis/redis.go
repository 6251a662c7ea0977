// Package redis is a kv.Engine on Redis: for any number of processes, on one
// server, behind sentinels or on a cluster.
//
// All keys share one hash tag, {ltx}, so that one script changes several of
// them at once, on a cluster too. Keys and their values are one hash; a sorted
// index has each key with the version of its value. A transaction reads, is
// decided in Go, and is applied by a script that checks in the index that
// nothing it has read has changed; else it runs again.
//
// Jobs are handed out by a consumer group on a stream. A process says that it
// lives every few seconds; the jobs of one that has fallen silent go to others.
//
// Every script may run twice for one call, because a reply can get lost. A
// commit knows by its token that it was applied.
//
// Redis 6.2 or later is needed, with persistence and without eviction.
package redis

import (
	"cmp"
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"ltxbot/internal/retry"
	"ltxbot/store/kv"
)

// Engine is a kv.Engine on Redis.
type Engine struct {
	client    goredis.UniversalClient
	blocking  goredis.UniversalClient // its connections wait for jobs
	encrypted bool                    // connections use TLS
	opts      Options
	log       *slog.Logger
	id        string // this process among those that share the database

	updates *kv.Committer
	writer  writer
	away    atomic.Bool // the server has not answered for a while
	claims  claims
	clock   clock
	run     serverRun

	closing chan struct{}
	leaving atomic.Bool // what is left to do is to say so
	// waitsForDisk is set if the server has an append-only file and WAITAOF.
	waitsForDisk atomic.Bool
	stop         context.CancelFunc
	tasks        sync.WaitGroup
	close        func() error
}

var _ kv.Engine = (*Engine)(nil)

// Options are what an Engine needs beside its URL. The zero value works.
type Options struct {
	Logger *slog.Logger // slog.Default when nil
	// Now is a clock in place of the server's, for tests.
	Now func() time.Time
	// Prefix is the hash tag of all keys, so that bots can share a server;
	// "ltx" when empty.
	Prefix string
	// Timeout is how long a call waits for Redis at most; 3 s when zero. While
	// Redis is known to be away, it is a tenth of that.
	Timeout time.Duration
	// AllowEviction lets the bot use a server that forgets keys when its
	// memory is full, with a warning.
	AllowEviction bool
}

const (
	defaultPrefix  = "ltx"
	defaultTimeout = 3 * time.Second
)

// Open connects to the Redis that url names and checks that it keeps what it
// is given. It waits for a server that is not there yet until ctx ends, and
// says so once.
func Open(ctx context.Context, url string, opts Options) (*Engine, error) {
	opts.Prefix = cmp.Or(opts.Prefix, defaultPrefix)
	opts.Timeout = cmp.Or(opts.Timeout, defaultTimeout)
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	if strings.ContainsAny(opts.Prefix, "{}\x00") {
		return nil, fmt.Errorf("open store: prefix %q can't begin a key", opts.Prefix)
	}
	t, err := parseURL(url)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	silenceLibrary()
	e := &Engine{
		encrypted: t.tls(), opts: opts, log: opts.Logger,
		id: strings.ToLower(rand.Text()[:12]), closing: make(chan struct{}),
	}
	e.client, e.blocking = t.client(opts.Timeout, e.run.connected), t.client(opts.Timeout, e.run.connected)
	if err := e.start(ctx); err != nil {
		return nil, fmt.Errorf("open store: %w", errors.Join(err, e.client.Close(), e.blocking.Close()))
	}
	return e, nil
}

// silenceLibrary keeps go-redis from writing each failed connection to standard
// error: callers get the error, and the engine logs what it means, once.
var silenceLibrary = sync.OnceFunc(func() { goredis.SetLogger(silent{}) })

// silent is a logger of go-redis that says nothing.
type silent struct{}

// Printf is what go-redis calls.
func (silent) Printf(context.Context, string, ...any) {}

// start waits for the server, joins the other processes and starts what runs
// beside the calls.
func (e *Engine) start(ctx context.Context) error {
	if err := e.connect(ctx); err != nil {
		return err
	}
	if err := e.check(ctx); err != nil {
		return err
	}
	if _, err := e.serverTime(ctx, ""); err != nil {
		return err
	}
	e.claims.reset(e.id)
	if err := e.beat(ctx, join, false); err != nil {
		return err
	}
	var life context.Context
	life, e.stop = context.WithCancel(context.WithoutCancel(ctx))
	changes := e.blocking.Subscribe(life, e.channel())
	e.tasks.Go(func() { e.listen(changes) })
	e.tasks.Go(func() { e.beatLoop(life) })
	e.writer = writer{engine: e, cache: map[string]entry{}}
	e.updates = kv.NewCommitter(e.writer.commit)
	e.close = sync.OnceValue(func() error {
		close(e.closing)
		e.updates.Close()
		e.stop()
		err := errors.Join(changes.Close(), e.blocking.Close()) // ends reads that wait
		e.tasks.Wait()
		e.leaving.Store(true)
		e.leave(context.WithoutCancel(life))
		e.leaving.Store(false) // later calls are refused here: a client of a cluster looks for its nodes first
		return errors.Join(err, e.client.Close())
	})
	return nil
}

// connect waits until the server answers. It says so once, and once more when a later
// try shows what may be wrong.
func (e *Engine) connect(ctx context.Context) error {
	hinted := false
	for n := 0; ; n++ {
		err := e.try(ctx, func(ctx context.Context) error { return untrusted(e.client.Ping(ctx).Err()) })
		if !errors.Is(err, ErrUnavailable) {
			return err
		}
		hint := e.hint(err)
		if n == 0 || len(hint) > 0 && !hinted {
			hinted = len(hint) > 0
			e.log.WarnContext(ctx, "redis: server does not answer, waiting for it", append([]any{slog.Any("error", err)}, hint...)...)
		}
		if !retry.Wait(ctx, backoff.After(n+1)) {
			return err
		}
	}
}

// Backup is made by the server.
func (e *Engine) Backup(context.Context, io.Writer) error { return kv.ErrNoBackup }

// Close gives this process's jobs back and ends the connections.
func (e *Engine) Close() error { return e.close() }

// err is kv.ErrClosed after Close.
func (e *Engine) err() error {
	select {
	case <-e.closing:
		return kv.ErrClosed
	default:
		return nil
	}
}

// Update runs a transaction.
func (e *Engine) Update(ctx context.Context, fn func(kv.Tx) error) error {
	return e.updates.Update(ctx, fn)
}

// View runs a transaction that only reads. When something it has read changed
// meanwhile, it runs again and reads that anew; after a few times it makes
// writers wait.
func (e *Engine) View(ctx context.Context, fn func(kv.Tx) error) error {
	if err := errors.Join(ctx.Err(), e.err()); err != nil {
		return err
	}
	const viewTries = 5 // before writers wait
	cache, reading := map[string]entry{}, "view "+e.id
	for n := 0; ctx.Err() == nil; n++ {
		if n >= viewTries {
			// The more there is to read, the longer writers wait, within bounds.
			if err := e.leaseWrites(ctx, reading, min(time.Duration(n-viewTries+1)*leaseFor, mostLease)); err != nil {
				return err
			}
		}
		r := &reader{engine: e, ctx: ctx, cache: cache}
		err := kv.View(r, fn)
		stale := r.torn
		if !stale && len(r.checks) > 1 { // one read is one state
			failed, checkErr := e.apply(ctx, batch{checks: r.checks})
			if checkErr != nil {
				return checkErr
			}
			stale = len(failed) > 0
			learn(cache, r.checks, failed)
		}
		if !stale {
			if n >= viewTries {
				_ = e.leaseWrites(ctx, reading, 0) // else it ends by itself
			}
			return err
		}
	}
	return stopped(ctx.Err())
}

// keyName is the name of a key in Redis.
func (e *Engine) keyName(name string) string { return "{" + e.opts.Prefix + "}:" + name }

// channel carries the ids of jobs of which there is news.
func (e *Engine) channel() string { return e.keyName("news") }

// handoutKeys are those of handout.lua.
func (e *Engine) handoutKeys(more ...string) []string {
	names := append([]string{"jobs", "entries", "retired"}, more...)
	for i, name := range names {
		names[i] = e.keyName(name)
	}
	return names
}

//go:embed lua/*.lua
var sources embed.FS

// newScript makes a script of files in lua/, one after the other.
func newScript(files ...string) *goredis.Script {
	var text strings.Builder
	for _, file := range files {
		source, err := sources.ReadFile("lua/" + file + ".lua")
		if err != nil {
			panic(err) // the files are part of the program
		}
		text.Write(source)
	}
	return goredis.NewScript(text.String())
}

// The scripts. What they get and return is at the head of their files.
var (
	commitScript  = newScript("handout", "commit")
	beatScript    = newScript("handout", "beat")
	releaseScript = newScript("handout", "release")
	strayScript   = newScript("handout", "stray")
	nowScript     = newScript("now")
	leaseScript   = newScript("lease")
	spendScript   = newScript("spend")
)

// eval runs a script. One that the server does not know yet is sent to it.
func (e *Engine) eval(ctx context.Context, s *goredis.Script, keys []string, args ...any) (*goredis.Cmd, error) {
	var reply *goredis.Cmd
	err := e.try(ctx, func(ctx context.Context) error {
		reply = s.Run(ctx, e.client, keys, args...)
		return reply.Err()
	})
	return reply, err
}
