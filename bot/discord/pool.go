package discord

import (
	"context"
	"fmt"
	"sync"
)

// How many interactions are handled at a time, and beyond them how many are
// told to come back later.
const (
	maxWork = 256
	maxBusy = 64
)

// pool runs handlers, each in a goroutine, so many at a time.
type pool struct {
	slots chan struct{}
	spare chan struct{}

	mu     sync.Mutex
	life   context.Context //nolint:containedctx // the pool's own life, from open to close
	end    context.CancelFunc
	closed bool
	group  sync.WaitGroup
}

func newPool() pool {
	return pool{slots: make(chan struct{}, maxWork), spare: make(chan struct{}, maxBusy), closed: true}
}

// open takes work from now on, until close.
func (p *pool) open(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.life, p.end = context.WithCancel(ctx)
	p.closed = false
}

// run starts work, or busy when there is too much work, or nothing when there
// is too much of that as well; it reports whether it started either.
func (p *pool) run(work, busy func(context.Context)) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	for _, lane := range []struct {
		slots chan struct{}
		do    func(context.Context)
	}{{p.slots, work}, {p.spare, busy}} {
		select {
		case lane.slots <- struct{}{}:
			life := p.life
			p.group.Go(func() {
				defer func() { <-lane.slots }()
				lane.do(life)
			})
			return true
		default:
		}
	}
	return false
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
