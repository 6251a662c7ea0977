package redis

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"ltxbot/internal/retry"
	"ltxbot/store/kv"
)

// group is the consumer group that all processes are in.
const group = "bot"

// readBlock is how long one read waits for a job.
const readBlock = time.Second

// claims are the jobs that this process works on.
type claims struct {
	mu       sync.Mutex
	consumer string // this process in the group; another one after its jobs were lost
	resets   int
	joined   bool // Redis knows the consumer
	held     map[string]*claim
}

// claim is an entry of the stream.
type claim struct {
	consumer, entry, job string
	changed, lost        chan struct{}
}

// reset begins with another name and no claims; those of before are lost.
func (c *claims) reset(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, h := range c.held {
		close(h.lost)
	}
	c.resets++
	c.consumer, c.held, c.joined = id+"."+strconv.Itoa(c.resets), map[string]*claim{}, false
}

// known reports whether Redis knows the process by its present name.
func (c *claims) known() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.joined
}

// join notes that Redis knows a consumer.
func (c *claims) join(consumer string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.joined = c.joined || c.consumer == consumer
}

// name is the process's present name, and how many jobs it has claimed.
func (c *claims) name() (consumer string, held int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.consumer, len(c.held)
}

// add takes an entry in. It reports false if it was read under another name.
func (c *claims) add(h *claim) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if h.consumer != c.consumer {
		return false
	}
	if old := c.held[h.job]; old != nil {
		close(old.lost) // its entry is gone, else there were no other one
	}
	c.held[h.job] = h
	return true
}

// drop ends a claim and reports whether the process still had it.
func (c *claims) drop(h *claim) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held[h.job] != h {
		return false
	}
	delete(c.held, h.job)
	return true
}

// news tells who works on a job; without a job, everybody.
func (c *claims) news(jobs ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(jobs) == 0 {
		for _, h := range c.held {
			signal(h.changed)
		}
	}
	for _, job := range jobs {
		if h := c.held[job]; h != nil {
			signal(h.changed)
		}
	}
}

// signal leaves a value in c unless there is one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Claim waits for a job and claims it. It outlasts a Redis that is away.
func (e *Engine) Claim(ctx context.Context) (kv.Claim, error) {
	for n := 0; ; n++ {
		if err := ctx.Err(); err != nil {
			return kv.Claim{}, err
		}
		if err := e.err(); err != nil {
			return kv.Claim{}, err
		}
		found := make(chan *claim, 1)
		failed := make(chan error, 1)
		e.tasks.Go(func() { e.read(ctx, found, failed) })
		select {
		case h := <-found:
			if h != nil {
				return e.claim(h), nil //nolint:contextcheck // a claim outlives the call that made it
			}
			n = -1
		case err := <-failed:
			if n == 0 && e.err() == nil {
				e.log.WarnContext(ctx, "redis: no jobs are handed out", slog.Any("error", err))
			}
			retry.Wait(ctx, backoff.After(n+1))
		case <-ctx.Done():
		case <-e.closing:
		}
	}
}

// read waits for an entry and passes it to found; nil when there was none. One
// that nobody waits for any more is given back.
func (e *Engine) read(ctx context.Context, found chan<- *claim, failed chan<- error) {
	consumer, _ := e.claims.name()
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), readBlock+e.opts.Timeout)
	defer cancel()
	streams, err := e.blocking.XReadGroup(limited, &goredis.XReadGroupArgs{
		Group: group, Consumer: consumer, Streams: []string{e.keyName("jobs"), ">"}, Count: 1, Block: readBlock,
	}).Result()
	switch {
	case errors.Is(err, goredis.Nil):
		found <- nil
		return
	case err != nil:
		failed <- err
		return
	}
	h := &claim{consumer: consumer, entry: streams[0].Messages[0].ID, changed: make(chan struct{}, 1), lost: make(chan struct{})}
	h.job, _ = streams[0].Messages[0].Values["job"].(string)
	switch {
	case !e.claims.add(h):
		found <- nil
	case ctx.Err() != nil:
		e.release(h) //nolint:contextcheck // what was claimed must be given back
	default:
		found <- h
	}
}

func (e *Engine) claim(h *claim) kv.Claim {
	return kv.Claim{Job: h.job, Changed: h.changed, Lost: h.lost, Release: func() { e.release(h) }}
}

// release gives a job back. Where that does not succeed, the next comparison
// with what Redis has does it.
func (e *Engine) release(h *claim) {
	if !e.claims.drop(h) || e.err() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), e.opts.Timeout)
	defer cancel()
	if _, err := e.eval(ctx, releaseScript, e.handoutKeys(), h.consumer, h.entry, h.job); err != nil && e.err() == nil {
		e.log.WarnContext(ctx, "redis: job goes to another process in a while", slog.String("job", h.job), slog.Any("error", err))
	}
}

// Stray returns those of jobs that nothing hands out.
func (e *Engine) Stray(ctx context.Context, jobs []string) ([]string, error) {
	args := make([]any, len(jobs))
	for i, job := range jobs {
		args[i] = job
	}
	reply, err := e.eval(ctx, strayScript, e.handoutKeys(), args...)
	if err != nil {
		return nil, err
	}
	return reply.StringSlice()
}

// listen passes news on.
func (e *Engine) listen(changes *goredis.PubSub) {
	for m := range changes.ChannelWithSubscriptions() {
		switch m := m.(type) {
		case *goredis.Message:
			e.claims.news(strings.Split(m.Payload, "\n")...)
		case *goredis.Subscription: // again, after a connection was lost: something may have been missed
			e.claims.news()
		}
	}
}

// beatEvery is between two signs of life.
const beatEvery = kv.TakeoverAfter / 4

// compareEvery is between two signs of life with which the claims are compared
// one by one. With the others their number is enough.
const compareEvery = 3

// What a process says with a sign of life.
const (
	join  = "join"
	stay  = "stay"
	leave = "leave"
)

// handOutMost is how many jobs of silent processes one call hands out: the
// server does nothing else meanwhile.
const handOutMost = 1000

// beatLoop says that this process lives. When it could not for as long as
// others wait before they take its jobs over, it gives them up.
func (e *Engine) beatLoop(life context.Context) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	silent := time.AfterFunc(kv.TakeoverAfter, func() {
		e.log.WarnContext(life, "redis: no sign of life for long; others may take the jobs of this process over")
		e.claims.reset(e.id)
	})
	defer silent.Stop()
	for n := 1; ; n++ {
		select {
		case <-life.Done():
			return
		case <-tick.C:
		}
		began := time.Now()
		say := stay
		if !e.claims.known() {
			say = join
		}
		switch err := e.beat(life, say, n%compareEvery == 0); {
		case errors.Is(err, errTakenOver):
			e.log.WarnContext(life, "redis: others have taken the jobs of this process over")
			e.claims.reset(e.id)
		case err == nil:
			silent.Reset(kv.TakeoverAfter - time.Since(began))
		}
	}
}

// errTakenOver says that this process has been silent for too long.
var errTakenOver = errors.New("others have taken over")

// beat is one sign of life. It hands out what silent processes have claimed,
// and compares what this one has claimed with what Redis says: its number, or
// each claim.
func (e *Engine) beat(ctx context.Context, say string, each bool) error {
	for {
		consumer, held := e.claims.name()
		reply, err := e.eval(ctx, beatScript, e.handoutKeys("processes"), consumer, say, kv.TakeoverAfter.Milliseconds(), handOutMost)
		if err != nil {
			return err
		}
		numbers, err := reply.Int64Slice()
		switch {
		case err != nil:
			return err
		case numbers[0] < 0:
			return errTakenOver
		case numbers[1] > 0:
			continue // there is more to hand out
		}
		e.claims.join(consumer)
		if say != leave && (each || int(numbers[0]) != held) {
			e.compare(ctx, consumer)
		}
		_, timeErr := e.serverTime(ctx, "")
		_, runErr := e.askRun(ctx) // a master that gave its role away and has it back
		return errors.Join(timeErr, runErr)
	}
}

// unseenAfter is how long after its delivery an entry that this process does
// not know was lost on its way here.
const unseenAfter = 2 * time.Second

// compare gives back what Redis believes to be claimed here and is not, and
// gives up what Redis does not know to be claimed.
func (e *Engine) compare(ctx context.Context, consumer string) {
	e.claims.mu.Lock()
	before := make(map[string]*claim, len(e.claims.held))
	for _, h := range e.claims.held {
		before[h.entry] = h
	}
	e.claims.mu.Unlock()
	var pending []goredis.XPendingExt
	err := e.try(ctx, func(ctx context.Context) error {
		var err error
		pending, err = e.client.XPendingExt(ctx, &goredis.XPendingExtArgs{
			Stream: e.keyName("jobs"), Group: group, Start: "-", End: "+", Count: 1 << 20, Consumer: consumer,
		}).Result()
		return err
	})
	if err != nil {
		return // at the next sign of life
	}
	for _, p := range pending {
		if before[p.ID] == nil && p.Idle > unseenAfter {
			e.giveBackUnseen(ctx, consumer, p.ID)
		}
		delete(before, p.ID)
	}
	for _, h := range before {
		if e.claims.drop(h) {
			close(h.lost)
		}
	}
}

// giveBackUnseen gives back an entry that was delivered and never arrived.
func (e *Engine) giveBackUnseen(ctx context.Context, consumer, id string) {
	err := e.try(ctx, func(ctx context.Context) error {
		found, err := e.client.XRange(ctx, e.keyName("jobs"), id, id).Result()
		if err != nil {
			return err
		}
		job := ""
		if len(found) > 0 {
			job, _ = found[0].Values["job"].(string)
		}
		return releaseScript.Run(ctx, e.client, e.handoutKeys(), consumer, id, job).Err()
	})
	if err != nil {
		e.log.WarnContext(ctx, "redis: job was delivered and not received", slog.String("entry", id), slog.Any("error", err))
	}
}

// leave hands out what this process has claimed.
func (e *Engine) leave(ctx context.Context) {
	if err := e.beat(ctx, leave, false); err != nil {
		e.log.WarnContext(ctx, "redis: jobs go to another process in a while", slog.Any("error", err))
	}
	e.claims.reset(e.id)
}
