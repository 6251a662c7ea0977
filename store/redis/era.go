package redis

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// Redis answers before its replicas and its disk have what it did: a server that
// is promoted, or starts again after a crash, may lack the last second of
// writes. So each server that comes up begins an era, and every connection finds
// out which one it is before it carries a command. Processes that were there
// before put back what they know and the server does not; while one of them may
// still do so, nothing from before is changed or handed out. Of one that never
// comes back nobody knows what it did in that second: the jobs that it may have
// submitted are handed out as doubtful.

// An era is a number, and the run of the server that began it.
type era struct {
	run    string
	number int64
}

// eras is which era each partition is in, and the last one in which this
// process has put back what it knew.
type eras struct {
	mu       sync.Mutex
	begun    bool // this process has
	heard    time.Time
	found    [partitions]era
	reported [partitions]era
	changed  chan struct{} // has a value when there is something to report
}

func newEras() *eras { return &eras{heard: time.Now(), changed: make(chan struct{}, 1)} }

// find notes the era of a partition.
func (e *eras) find(n int, now era) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if now.number > e.found[n].number || now.number == e.found[n].number && now.run != "" {
		e.found[n] = now
	}
	if e.found[n] != e.reported[n] {
		signal(e.changed)
	}
}

// begin notes eras as reported: this process knew nothing before them.
func (e *eras) begin() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.begun, e.reported = true, e.found
}

// of returns the era of a partition and the last one that was reported in.
func (e *eras) of(n int) (found, reported era) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.found[n], e.reported[n]
}

// report notes that this process has put back what it knew in an era.
func (e *eras) report(n int, now era) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.reported[n] = now
}

// hear notes that this process was heard.
func (e *eras) hear() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard = time.Now()
}

// known is what a server is told: for how long this process was not heard, and
// what it last was in these partitions.
func (e *eras) known(parts []partition) (silent time.Duration, args []any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, p := range parts {
		if e.begun {
			args = append(args, e.reported[p.number].run, e.reported[p.number].number)
		} else {
			args = append(args, "", -1)
		}
	}
	return time.Since(e.heard), args
}

// settleTime is how long reports are waited for: processes that live beat
// within it, also those that must find the new server first.
func (s *Store) settleTime() time.Duration { return s.opts.Silence * 3 / 2 }

// greet looks, on a new connection, which server it leads to, and begins an era
// in its partitions if it is another one than before. On a cluster, each
// partition is asked about by itself, and those of other servers don't answer.
func (s *Store) greet(ctx context.Context, conn *goredis.Conn) error {
	var replies []*goredis.Cmd
	var ping *goredis.StatusCmd
	_, err := conn.Pipelined(ctx, func(pipe goredis.Pipeliner) error {
		ping = pipe.Ping(ctx)
		for _, parts := range s.readers() {
			var keys []string
			for _, p := range parts {
				keys = append(keys, p.keys[eraKey:absentKey+1]...)
			}
			silent, known := s.eras.known(parts)
			args := append([]any{
				s.opts.Silence.Microseconds(), s.settleTime().Microseconds(),
				s.consumer, silent.Microseconds(), remembered.Microseconds(),
			}, known...)
			replies = append(replies, adoptScript.run.Eval(ctx, pipe, keys, args...))
		}
		return nil
	})
	if goredis.HasErrorPrefix(ping.Err(), "NOAUTH") { // of longer commands it says less
		return errNoPassword
	}
	if err != nil && temporary(err) {
		return fmt.Errorf("find era: %w", err)
	}
	for i, parts := range s.readers() {
		reply, err := replies[i].Slice()
		if err != nil && temporary(err) {
			return fmt.Errorf("find era: %w", err)
		}
		// This may be a sentinel, or the server may refuse scripts: then the
		// next command says so.
		if err != nil || len(reply) != 1+len(parts) {
			continue
		}
		for n, p := range parts {
			s.eras.find(p.number, era{list(reply).text(0), list(reply).number(1 + n)})
		}
	}
	return nil
}

var errNoPassword = &unfitError{"server wants a password: put it into the store's url, redis://:PASSWORD@HOST:6379/0"}

// putBack restores what this process knows of the jobs of a partition, if it
// has not done so in this era.
func (s *Store) putBack(ctx context.Context, n int) error {
	found, reported := s.eras.of(n)
	if found == reported {
		return nil
	}
	if err := s.makeGroups(ctx, s.parts[n]); err != nil { // it may be gone too
		return err
	}
	restored := 0
	for id, known := range s.memory.of(n) {
		reply, err := s.call(ctx, s.parts[n], restoreScript,
			id, known.job, known.hold, flagText(s.work.vouches(id, false)), s.channel(), found.number)
		switch {
		case err != nil:
			return err
		case reply == "restored":
			restored++
		case reply == "elsewhere":
			return errElsewhere
		}
	}
	s.eras.report(n, found)
	if restored > 0 {
		s.log.WarnContext(ctx, "redis: server had lost the last writes, they are put back", slog.Int("partition", n), slog.Int("jobs", restored))
	}
	return nil
}

// errElsewhere says that connections lead to different servers, for now.
var errElsewhere = fmt.Errorf("%w: some connections still lead to the old server", ErrUnavailable)
