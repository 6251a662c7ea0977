package discord

import (
	"context"
	"fmt"
	"sync"
)

// How many interactions are handled at a time, how many beyond them are told
// to come back later, and to how many of those that is said at a time.
const (
	maxWork   = 256
	maxBusy   = 4096
	maxSaying = 64
)

// pool runs handlers, each in a goroutine, so many at a time.
type pool struct {
	slots  chan struct{}
	spare  chan struct{}
	saying chan struct{}

	mu     sync.Mutex
	life   context.Context //nolint:containedctx // the pool's own life, from open to close
	end    context.CancelFunc
	closed bool
	group  sync.WaitGroup
}

func newPool() pool {
	return pool{
		slots: make(chan struct{}, maxWork), spare: make(chan struct{}, maxBusy), saying: make(chan struct{}, maxSaying),
		closed: true,
	}
}

// open takes work from now on, until close.
func (p *pool) open(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.life, p.end = context.WithCancel(ctx)
	p.closed = false
}

// A room is what a pool has left for an interaction.
type room int

const (
	roomClosed room = iota // the pool is not open
	roomNone               // not even to say so
	roomToSay              // that there is none
	roomToWork
)

// run starts work, or busy when there is too much work, or nothing when there
// is too much of that as well.
func (p *pool) run(work, busy func(context.Context)) room {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return roomClosed
	}
	life := p.life
	select {
	case p.slots <- struct{}{}:
		p.group.Go(func() {
			defer func() { <-p.slots }()
			work(life)
		})
		return roomToWork
	default:
	}
	select {
	case p.spare <- struct{}{}:
		p.group.Go(func() {
			defer func() { <-p.spare }()
			select {
			case p.saying <- struct{}{}:
				defer func() { <-p.saying }()
				busy(life)
			case <-life.Done():
			}
		})
		return roomToSay
	default:
		return roomNone
	}
}

// close takes no more work and waits for what is under way. When ctx is done
// that is told to give up.
func (p *pool) close(ctx context.Context) error {
	p.mu.Lock()
	p.closed = true
	end := p.end
	p.mu.Unlock()
	if end == nil {
		return nil
	}
	idle := make(chan struct{})
	go func() {
		p.group.Wait()
		close(idle)
	}()
	select {
	case <-idle:
		end()
		return nil
	case <-ctx.Done():
		end()
		<-idle
		return fmt.Errorf("stop discord: %w", context.Cause(ctx))
	}
}
