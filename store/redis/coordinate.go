package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"ltxbot/store/kv"
)

// clock is the server's time between two looks at it.
type clock struct {
	mu     sync.Mutex
	server time.Time // at the last look; the latest that was told to anybody
	shown  time.Time // what the server's clock showed then
	seen   time.Time // when that was
	latest time.Time // that Now has returned
}

// serverTime looks at the time of the database, and returns what the clock
// shows. how is empty, or "reset".
func (e *Engine) serverTime(ctx context.Context, how string) (time.Time, error) {
	given := ""
	if e.opts.Now != nil {
		given = strconv.FormatInt(e.opts.Now().UnixMicro(), 10)
	}
	began := time.Now()
	reply, err := e.eval(ctx, nowScript, []string{e.keyName("now")}, given, how)
	if err != nil {
		return time.Time{}, err
	}
	micros, err := reply.Int64Slice()
	if err != nil {
		return time.Time{}, err
	}
	if len(micros) != 2 {
		return time.Time{}, fmt.Errorf("the time is %v", micros)
	}
	c := &e.clock
	c.mu.Lock()
	defer c.mu.Unlock()
	c.server, c.shown, c.seen = time.UnixMicro(micros[0]).UTC(), time.UnixMicro(micros[1]).UTC(), began
	if how != "" {
		c.latest = c.server
	}
	return c.shown, nil
}

// Clock is what the server's clock shows.
func (e *Engine) Clock(ctx context.Context) (time.Time, error) { return e.serverTime(ctx, "") }

// ResetClock makes Now what the server's clock shows.
func (e *Engine) ResetClock(ctx context.Context) error {
	_, err := e.serverTime(ctx, "reset")
	return err
}

// Now is the server's time, as far as it went on since the last look.
func (e *Engine) Now(ctx context.Context) (time.Time, error) {
	if err := e.err(); err != nil {
		return time.Time{}, err
	}
	c := &e.clock
	if e.opts.Now != nil {
		_, err := e.serverTime(ctx, "")
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.server, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.server.Add(time.Since(c.seen)); now.After(c.latest) {
		c.latest = now
	}
	return c.latest, nil
}

// infoScript asks the server that has the keys of the bot.
var infoScript = goredis.NewScript(`return redis.call('INFO', ARGV[1])`)

// info reads the fields of a section of INFO; none if that is not allowed, of
// which check warns.
func (e *Engine) info(ctx context.Context, section string) (map[string]string, error) {
	reply, err := e.eval(ctx, infoScript, []string{e.keyName("now")}, section)
	if refused := goredis.Error(nil); errors.As(err, &refused) && !temporary(err) {
		return map[string]string{}, nil
	}
	if err != nil {
		return nil, err
	}
	text, err := reply.Text()
	return parseInfo(text), err
}

func parseInfo(text string) map[string]string {
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			fields[name] = value
		}
	}
	return fields
}

// serverRun is the id of the server's run, as long as no connection was made
// since it was asked for: another run needs new ones.
type serverRun struct {
	mu          sync.Mutex
	id          string
	connections int // that were made
}

// connected forgets the id.
func (r *serverRun) connected() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.id = ""
	r.connections++
}

func (r *serverRun) known() (id string, connections int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.id, r.connections
}

// learn keeps an id that was asked for after so many connections were made.
func (r *serverRun) learn(id string, connections int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.connections == connections {
		r.id = id
	}
}

// Incarnation is the id of the server's run. That of a server which has just
// ended is told until the first call that finds it gone.
func (e *Engine) Incarnation(ctx context.Context) (string, error) {
	if err := e.err(); err != nil {
		return "", err
	}
	if id, _ := e.run.known(); id != "" {
		return id, nil
	}
	return e.askRun(ctx)
}

// askRun asks for the id of the server's run.
// https://redis.io/docs/latest/commands/info/
func (e *Engine) askRun(ctx context.Context) (string, error) {
	_, connections := e.run.known()
	fields, err := e.info(ctx, "server")
	if err != nil {
		return "", err
	}
	e.run.learn(fields["run_id"], connections)
	return fields["run_id"], nil
}

// Processes is how many processes have given a sign of life.
func (e *Engine) Processes(ctx context.Context) (int, error) {
	e.clock.mu.Lock()
	now := e.clock.shown.Add(time.Since(e.clock.seen))
	e.clock.mu.Unlock()
	if e.opts.Now != nil {
		now = time.Now()
	}
	var n int64
	err := e.try(ctx, func(ctx context.Context) error {
		var err error
		n, err = e.client.ZCount(ctx, e.keyName("processes"), strconv.FormatInt(now.Add(-kv.TakeoverAfter).UnixMilli(), 10), "+inf").Result()
		return err
	})
	return int(n), err
}

// Lease gets or renews a lease.
func (e *Engine) Lease(ctx context.Context, name string, ttl time.Duration) (bool, error) {
	reply, err := e.eval(ctx, leaseScript, []string{e.keyName("lease:" + name)}, e.id, max(1, ttl.Milliseconds()))
	if err != nil {
		return false, fmt.Errorf("lease %s: %w", name, err)
	}
	return reply.Bool()
}

// EndLease gives a lease back.
func (e *Engine) EndLease(ctx context.Context, name string) error {
	if _, err := e.eval(ctx, leaseScript, []string{e.keyName("lease:" + name)}, e.id, 0); err != nil {
		return fmt.Errorf("end lease %s: %w", name, err)
	}
	return nil
}

// Spend takes a token from a bucket.
func (e *Engine) Spend(ctx context.Context, name string, every time.Duration, burst, users int) (wait time.Duration, total int, err error) {
	got, err := e.bucket(ctx, name, every, burst, 0, users)
	if err != nil {
		return 0, 0, fmt.Errorf("spend of %s: %w", name, err)
	}
	return time.Duration(got[0]) * time.Microsecond, int(got[1]), nil
}

// HoldBack empties a bucket for a while.
func (e *Engine) HoldBack(ctx context.Context, name string, every time.Duration, burst int, d time.Duration) error {
	if _, err := e.bucket(ctx, name, every, burst, max(time.Microsecond, d), 0); err != nil {
		return fmt.Errorf("hold %s back: %w", name, err)
	}
	return nil
}

func (e *Engine) bucket(ctx context.Context, name string, every time.Duration, burst int, hold time.Duration, users int) ([]int64, error) {
	reply, err := e.eval(ctx, spendScript, []string{e.keyName("bucket:" + name)},
		max(1, every.Microseconds()), max(1, burst), hold.Microseconds(), e.id, users, kv.UsersFor.Microseconds())
	if err != nil {
		return nil, err
	}
	got, err := reply.Int64Slice()
	if err == nil && len(got) != 2 {
		err = fmt.Errorf("bucket %s: the script returned %v", name, got)
	}
	return got, err
}

// errNotSafe says that what was written is on one server only.
var errNotSafe = errors.New("redis: no replica, or no disk, has confirmed the last writes in time")

// Sync waits until what was written is on a replica, if there is one, else on
// the disk, if the server can tell. The order of writes is that of the server:
// what is confirmed for a write holds for all before it.
// https://redis.io/docs/latest/commands/wait/
// https://redis.io/docs/latest/commands/waitaof/
func (e *Engine) Sync(ctx context.Context) error {
	replication, err := e.info(ctx, "replication")
	if err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	var wait []any
	limit := e.opts.Timeout.Milliseconds() / 2
	switch replicas, _ := strconv.Atoi(replication["connected_slaves"]); {
	case replicas > 0:
		wait = []any{"WAIT", 1, limit}
	case e.waitsForDisk.Load():
		wait = []any{"WAITAOF", 1, 0, limit}
	default:
		return nil // as the server's appendfsync says
	}
	return e.try(ctx, func(ctx context.Context) error { return e.confirm(ctx, wait) })
}

// confirm writes something and waits, on one connection to the server that has
// the keys of the bot.
func (e *Engine) confirm(ctx context.Context, wait []any) error {
	server, ok := e.client.(*goredis.Client)
	if cluster, sharded := e.client.(*goredis.ClusterClient); sharded {
		var err error
		if server, err = cluster.MasterForKey(ctx, e.keyName("sync")); err != nil {
			return err
		}
	} else if !ok {
		return fmt.Errorf("client is a %T", e.client)
	}
	var confirmed *goredis.Cmd
	_, err := server.Pipelined(ctx, func(p goredis.Pipeliner) error {
		p.Set(ctx, e.keyName("sync"), e.id, 0)
		confirmed = p.Do(ctx, wait...)
		return nil
	})
	if err != nil {
		return err
	}
	n, err := confirmed.Int64()
	if err != nil { // WAITAOF counts both kinds
		var both []int64
		if both, err = confirmed.Int64Slice(); err == nil {
			n = both[0]
		}
	}
	if err == nil && n < 1 {
		return errNotSafe
	}
	return err
}
