package redis

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
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

// eras is which era each partition is in, and the last one in which this
// process has put back what it knew.
type eras struct {
	mu       sync.Mutex
	seen     int64 // the last one of any partition; -1 until this process has begun
	found    [partitions]int64
	reported [partitions]int64
	begun    chan struct{} // has a value when there is something to report
}

func newEras() *eras { return &eras{seen: -1, begun: make(chan struct{}, 1)} }

// find notes the era of a partition.
func (e *eras) find(n int, number int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if number > e.found[n] {
		e.found[n] = number
		signal(e.begun)
	}
	if e.seen >= 0 {
		e.seen = max(e.seen, number)
	}
}

// begin notes eras as reported: this process knew nothing before them.
func (e *eras) begin() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.reported, e.seen = e.found, slices.Max(e.found[:])
}

// last is the last era of any partition; -1 until this process has begun.
func (e *eras) last() int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.seen
}

// of returns the era of a partition and the last one that was reported in.
func (e *eras) of(n int) (found, reported int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.found[n], e.reported[n]
}

func (e *eras) report(n int, number int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.reported[n] = max(e.reported[n], number)
}

// settleTime is how long reports are waited for: processes that live beat
// within it, also those that must find the new server first.
func (s *Store) settleTime() time.Duration { return s.opts.Silence * 3 / 2 }

// greet looks, on a new connection, which server it leads to, and begins an era
// in its partitions if it is another one than before. On a cluster, each
// partition is asked about by itself, and those of other servers don't answer.
func (s *Store) greet(ctx context.Context, conn *goredis.Conn) error {
	silence, settle, last := s.opts.Silence.Microseconds(), s.settleTime().Microseconds(), s.eras.last()
	var replies []*goredis.Cmd
	_, err := conn.Pipelined(ctx, func(pipe goredis.Pipeliner) error {
		for _, parts := range s.readers() {
			var keys []string
			for _, p := range parts {
				keys = append(keys, p.keys[eraKey:absentKey+1]...)
			}
			replies = append(replies, adoptScript.run.Eval(ctx, pipe, keys, silence, settle, last))
		}
		return nil
	})
	if err != nil && temporary(err) {
		return fmt.Errorf("find era: %w", err)
	}
	for i, parts := range s.readers() {
		numbers, err := replies[i].Int64Slice()
		if err != nil && temporary(err) {
			return fmt.Errorf("find era: %w", err)
		}
		// This may be a sentinel, or the server may refuse scripts: then the
		// next command says so.
		for n, number := range numbers {
			s.eras.find(parts[n].number, number)
		}
	}
	return nil
}

// putBack restores what this process knows of the jobs of a partition, if it
// has not done so in this era.
func (s *Store) putBack(ctx context.Context, n int) error {
	found, reported := s.eras.of(n)
	if found <= reported {
		return nil
	}
	if err := s.makeGroups(ctx); err != nil { // they may be gone too
		return err
	}
	restored := 0
	for id, known := range s.memory.of(n) {
		_, works := s.work.where(id)
		reply, err := s.call(ctx, s.parts[n], restoreScript, id, known.job, known.hold, flagText(works), s.channel())
		if err != nil {
			return err
		}
		if reply == "restored" {
			restored++
		}
	}
	s.eras.report(n, found)
	if restored > 0 {
		s.log.WarnContext(ctx, "redis: server had lost the last writes, they are put back", slog.Int("partition", n), slog.Int("jobs", restored))
	}
	return nil
}
