package redis

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"ltxbot/core/generate"
)

const (
	// readBlock is how long one read waits for a job.
	readBlock = time.Second
	// awayAfter is how long reads must fail for the server to count as away.
	awayAfter = time.Second
	// readCount is how many jobs of a partition come with one read: a process
	// claims what it is about to work on, so that others get their share.
	readCount = 1
)

// readers are the groups of partitions that are read with one command. On a
// cluster each needs its own.
func (s *Store) readers() [][]partition {
	if !s.sharded {
		return [][]partition{s.parts[:]}
	}
	var each [][]partition
	for i := range s.parts {
		each = append(each, s.parts[i:i+1])
	}
	return each
}

// readLoop fetches jobs while somebody waits for them.
func (s *Store) readLoop(life context.Context, parts []partition) {
	number := map[string]int{}
	streams := make([]string, 0, 2*len(parts))
	for _, p := range parts {
		number[p.stream()] = p.number
		streams = append(streams, p.stream())
	}
	for range parts {
		streams = append(streams, ">") // what was delivered to nobody yet
	}
	failures, since := 0, time.Time{}
	for {
		select {
		case <-s.work.hungry():
		case <-life.Done():
			return
		}
		ctx, cancel := context.WithTimeout(life, readBlock+s.opts.Timeout)
		found, err := s.blocking.XReadGroup(ctx, &goredis.XReadGroupArgs{
			Group: group, Consumer: s.consumer, Streams: streams, Count: readCount, Block: readBlock,
		}).Result()
		cancel()
		switch {
		case err == nil || errors.Is(err, goredis.Nil):
			if failures > 0 {
				s.log.InfoContext(life, "redis: jobs are handed out again")
			}
			failures = 0
			s.away.Store(false)
		case life.Err() != nil:
			return
		default:
			if failures == 0 {
				s.log.WarnContext(life, "redis: no jobs are handed out", slog.Any("error", err))
				since = time.Now()
			}
			if time.Since(since) > awayAfter {
				s.away.Store(true) // whatever succeeds next says otherwise
			}
			if goredis.HasErrorPrefix(err, "NOGROUP") {
				if err := s.makeGroups(life, s.parts[:]...); err != nil {
					s.log.WarnContext(life, "redis: consumer group is missing", slog.Any("error", err))
				}
			}
			pause(life, backoff(failures))
			failures++
		}
		for _, stream := range found {
			for _, m := range stream.Messages {
				id, _ := m.Values["job"].(string)
				s.work.push(&holding{id: id, partition: number[stream.Stream], entry: m.ID, since: time.Now()})
			}
		}
	}
}

// listen passes on what is told about saved jobs: "id version".
func (s *Store) listen(changes *goredis.PubSub) {
	for m := range changes.Channel() {
		id, version, _ := strings.Cut(m.Payload, " ")
		s.work.saved(id, parseInt(version))
	}
}

// beatLoop keeps this process's claims, and takes over those of processes that
// no longer do.
func (s *Store) beatLoop(life context.Context) {
	every := s.opts.Silence / 3
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	var pulses [partitions]pulse
	unheard := false
	for {
		known := s.capped.Load()
		var waiting [partitions]int64
		var failed [partitions]error
		var all sync.WaitGroup
		for i := range s.parts {
			all.Go(func() { waiting[i], failed[i] = s.beat(life, i, &pulses[i]) })
		}
		all.Wait()
		was := unheard
		if unheard = errors.Join(failed[:]...) != nil; unheard && !was && life.Err() == nil {
			s.tellFailed(life, "redis: cannot tell other processes that this one is alive", failed[:])
		} else if was && !unheard {
			s.log.InfoContext(life, "redis: other processes hear this one again")
		}
		s.afterBeat(life, known, waiting)
		s.memory.prune(time.Now().Add(-remembered), func(id string) bool { _, works := s.work.where(id); return works })
		for _, h := range s.work.unwanted(time.Now().Add(-every)) {
			s.giveBack(life, h)
		}
		select {
		case <-ticker.C:
		case <-s.eras.changed:
		case <-life.Done():
			return
		}
	}
}

// afterBeat admits jobs whose slot was left to the turnstile by a process that
// could not, knowing how many wait there.
func (s *Store) afterBeat(life context.Context, known int64, waiting [partitions]int64) {
	total := int64(0)
	for _, n := range waiting {
		if n < 0 {
			return // not known
		}
		total += n
	}
	if total == 0 {
		s.capped.CompareAndSwap(known, 0)
		return
	}
	s.capped.Add(1)
	if err := s.admitAll(life); err != nil && life.Err() == nil {
		s.log.WarnContext(life, "redis: free slots are not given out", slog.Any("error", err))
	}
}

// pulse is how regularly this process was heard of in a partition. A process
// that was cut off, or stopped, does not know who else was: it lets others
// speak up before it takes their jobs over.
type pulse struct{ last, since time.Time }

// feel notes a beat and reports whether this process may judge others.
func (p *pulse) feel(now time.Time, silence time.Duration) bool {
	if !p.last.IsZero() && now.Sub(p.last) >= silence {
		p.since = now
	}
	p.last = now
	return now.Sub(p.since) >= silence
}

// takeover is how many jobs a process takes over from a partition at a time.
const takeover = 100

// tellFailed logs together what went wrong in each partition.
func (s *Store) tellFailed(ctx context.Context, what string, failed []error) {
	var first error
	count := 0
	for _, err := range failed {
		if err != nil && !errors.Is(err, generate.ErrClosed) {
			first = cmp.Or(first, err)
			count++
		}
	}
	if count > 0 {
		s.log.WarnContext(ctx, what, slog.Int("partitions", count), slog.Any("error", first)) //nolint:sloglint // one of two constants
	}
}

// beat is heard in one partition. It returns how many capped jobs wait there;
// -1 when that is not known.
func (s *Store) beat(life context.Context, n int, p *pulse) (int64, error) {
	if err := s.putBack(life, n); err != nil {
		return -1, err
	}
	_, reported := s.eras.of(n)
	mine := s.work.of(n)
	silent := time.Duration(0)
	select {
	case <-s.work.hungry():
		if judge := *p; judge.feel(time.Now(), s.opts.Silence) {
			silent = s.opts.Silence
		}
	default:
	}
	args := make([]any, 0, 4+3*len(mine))
	args = append(args, s.consumer, silent.Milliseconds(), takeover, reported.number)
	entries := make(map[string]string, len(mine))
	for _, h := range mine {
		args = append(args, h.entry, h.id, h.version)
		entries[h.id] = h.entry
	}
	reply, err := s.callList(life, s.parts[n], beatScript, args...)
	if err != nil {
		return -1, err
	}
	p.feel(time.Now(), s.opts.Silence)
	s.eras.hear()
	s.eras.find(n, era{number: reply.number(4)})
	for _, id := range reply.list(0) {
		name, _ := id.(string)
		s.log.WarnContext(life, "redis: job was taken over by another process", slog.String("job", name))
		s.work.lose(name, entries[name])
	}
	changed := reply.list(1)
	for i := range len(changed) / 2 {
		s.work.saved(changed.text(2*i), changed.number(2*i+1))
	}
	taken := reply.list(2)
	for i := range len(taken) / 2 {
		s.work.push(&holding{entry: taken.text(2 * i), id: taken.text(2*i + 1), partition: n, since: time.Now()})
	}
	if len(taken) > 0 {
		s.log.InfoContext(life, "redis: jobs of a process that stopped answering were taken over", slog.Int("partition", n), slog.Int("jobs", len(taken)/2))
	}
	return reply.number(3), nil
}

// leave hands out again what was delivered to this process.
func (s *Store) leave(ctx context.Context) {
	ctx, cancel := s.limit(ctx)
	defer cancel()
	var all sync.WaitGroup
	var failed [partitions]error
	for i, p := range s.parts {
		all.Go(func() {
			if failed[i] = s.putBack(ctx, i); failed[i] != nil {
				return
			}
			_, reported := s.eras.of(i)
			_, failed[i] = s.call(ctx, p, leaveScript, s.consumer, reported.number)
		})
	}
	all.Wait()
	s.tellFailed(ctx, "redis: jobs of this process go to others in a while", failed[:])
}
