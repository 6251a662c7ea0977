// Package redis keeps everything the bot must remember in Redis: jobs, the
// waiting line, the quota ledger, leases and small settings. It is the store
// for any number of processes, on one server, behind sentinels or on a cluster.
//
// A team lives in one of 16 partitions. All keys of a partition share a hash
// tag, {ltx:7}, so that one Lua script changes several of them at once, on a
// cluster too: accepting a job is its hold, its record, its place in the line
// and its entry in the stream, or nothing. The bot's own counters are kept in
// parts, one in each partition; only a limit on the whole bot makes processes
// wait for each other, at a turnstile.
//
// Jobs are handed out by a consumer group on each partition's stream. Who holds
// a job says so every few seconds; the jobs of a process that has fallen silent
// go to others, and its saves conflict from then on.
//
// Every script may run twice for one call, because a reply can get lost: it
// knows what it has done by the job's id, version, or the call's own token.
//
// Redis 6.2 or later is needed, with persistence and without eviction.
package redis

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
)

// Store is a generate.Store and a quota.Store on Redis.
type Store struct {
	client   goredis.UniversalClient
	blocking goredis.UniversalClient // its connections wait for jobs
	sharded  bool                    // partitions may be on different servers
	// encrypted says that connections use TLS.
	encrypted bool
	opts      Options
	log       *slog.Logger
	now       func() time.Time

	prefix   string
	consumer string // this process among those that share the store
	parts    [partitions]partition

	standings *standings
	reserved  *recent // jobs that this process has reserved for
	turn      chan struct{}
	capped    capped
	away      atomic.Bool // the server has not answered for a while
	work      *handouts
	memory    *memory
	eras      *eras

	stop  context.CancelFunc
	tasks sync.WaitGroup
	close func() error
}

var (
	_ generate.Store = (*Store)(nil)
	_ quota.Store    = (*Store)(nil)
)

// Options are what a Store needs beside its URL. The zero value works.
type Options struct {
	Logger *slog.Logger     // slog.Default when nil
	Now    func() time.Time // time.Now when nil
	// Prefix begins the names of all keys, so that bots can share a server;
	// "ltx" when empty.
	Prefix string
	// Timeout is how long a call waits for Redis at most; 3 s when zero. While
	// Redis is known to be away, it is a tenth of that.
	Timeout time.Duration
	// Silence is how long a process must not have been heard of before its
	// jobs go to others; 10 s when zero.
	Silence time.Duration
	// AllowEviction lets the store use a server that forgets keys when its
	// memory is full, with a warning.
	AllowEviction bool
}

const (
	defaultPrefix  = "ltx"
	defaultTimeout = 3 * time.Second
	// defaultSilence and a third of it for the next look make a takeover
	// happen within 15 s.
	defaultSilence = 10 * time.Second
)

// Open connects to the Redis that url names and checks that it keeps what it
// is given. It waits for a server that is not there yet until ctx ends, and
// says so once.
func Open(ctx context.Context, url string, opts Options) (*Store, error) {
	opts.Prefix = cmp.Or(opts.Prefix, defaultPrefix)
	opts.Timeout = cmp.Or(opts.Timeout, defaultTimeout)
	opts.Silence = cmp.Or(opts.Silence, defaultSilence)
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if err := checkNames(opts.Prefix); err != nil || strings.ContainsAny(opts.Prefix, "{}") {
		return nil, fmt.Errorf("open store: prefix %q can't begin a key", opts.Prefix)
	}
	t, err := parseURL(url)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	silenceLibrary()
	s := &Store{
		sharded: t.cluster != nil, encrypted: t.tls(),
		opts: opts, log: opts.Logger, now: opts.Now,
		prefix: opts.Prefix, consumer: strings.ToLower(rand.Text()[:12]),
		standings: newStandings(), reserved: newRecent(), turn: make(chan struct{}, 1), work: newHandouts(),
		memory: newMemory(), eras: newEras(),
	}
	for i := range s.parts {
		s.parts[i] = newPartition(s.prefix, i)
	}
	s.client, s.blocking = t.client(opts.Timeout, s.greet), t.client(opts.Timeout, s.greet)
	if err := s.start(ctx); err != nil {
		return nil, fmt.Errorf("open store: %w", errors.Join(err, s.client.Close(), s.blocking.Close()))
	}
	return s, nil
}

// silenceLibrary keeps go-redis from writing each failed connection to standard
// error: callers get the error, and the store logs what it means, once.
var silenceLibrary = sync.OnceFunc(func() { goredis.SetLogger(silent{}) })

// silent is a logger of go-redis that says nothing.
type silent struct{}

// Printf is what go-redis calls.
func (silent) Printf(context.Context, string, ...any) {}

// start waits for the server, makes the consumer groups and starts what runs
// beside the calls.
func (s *Store) start(ctx context.Context) error {
	if err := s.connect(ctx); err != nil {
		return err
	}
	if err := s.check(ctx); err != nil {
		return err
	}
	s.eras.begin()
	if err := s.makeGroups(ctx, s.parts[:]...); err != nil {
		return err
	}
	if err := s.countCapped(ctx); err != nil {
		return err
	}
	var life context.Context
	life, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	changes := s.blocking.Subscribe(life, s.channel())
	s.tasks.Go(func() { s.listen(changes) })
	s.tasks.Go(func() { s.beatLoop(life) })
	for _, streams := range s.readers() {
		s.tasks.Go(func() { s.readLoop(life, streams) })
	}
	s.close = sync.OnceValue(func() error {
		s.work.close()
		s.stop()
		err := errors.Join(changes.Close(), s.blocking.Close()) // ends reads that wait
		s.tasks.Wait()
		s.leave(context.WithoutCancel(life))
		return errors.Join(err, s.client.Close())
	})
	return nil
}

// Close hands this process's jobs out again and ends the connections. Whoever
// waits in Take gets generate.ErrClosed, and so does every later call. It may
// be called more than once.
func (s *Store) Close() error { return s.close() }

// connect waits until the server answers.
func (s *Store) connect(ctx context.Context) error {
	for n := 0; ; n++ {
		err := s.try(ctx, func(ctx context.Context) error { return untrusted(s.client.Ping(ctx).Err()) })
		if !errors.Is(err, ErrUnavailable) {
			return err
		}
		if n == 0 {
			s.log.WarnContext(ctx, "redis: server does not answer, waiting for it", append([]any{slog.Any("error", err)}, s.hint(err)...)...)
		}
		if !pause(ctx, backoff(n)) {
			return err
		}
	}
}

// makeGroups makes the stream and the consumer group of partitions.
func (s *Store) makeGroups(ctx context.Context, parts ...partition) error {
	return s.try(ctx, func(ctx context.Context) error {
		cmds, err := s.client.Pipelined(ctx, func(p goredis.Pipeliner) error {
			for _, part := range parts {
				p.XGroupCreateMkStream(ctx, part.stream(), group, "0")
			}
			return nil
		})
		for _, c := range cmds {
			if e := c.Err(); e != nil && !goredis.HasErrorPrefix(e, "BUSYGROUP") {
				return fmt.Errorf("make consumer group: %w", e)
			}
		}
		if len(cmds) == 0 {
			return err
		}
		return nil
	})
}

// group is the consumer group that all processes are in.
const group = "bot"

// channel carries the ids and versions of jobs that were saved.
func (s *Store) channel() string { return s.prefix + ":changed" }
