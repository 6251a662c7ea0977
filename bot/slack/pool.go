package slack

import (
	"context"
	"fmt"
	"sync"
)

// How many events are handled at a time, and beyond them how many are told to
// come back later.
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

// work starts do if there is room; it reports whether there was.
func (p *pool) work(do func(context.Context)) bool { return p.run(p.slots, do) }

// apologize starts do in the room that is kept for saying that there is none.
func (p *pool) apologize(do func(context.Context)) bool { return p.run(p.spare, do) }

func (p *pool) run(slots chan struct{}, do func(context.Context)) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	select {
	case slots <- struct{}{}:
	default:
		return false
	}
	life := p.life
	p.group.Go(func() {
		defer func() { <-slots }()
		do(life)
	})
	return true
}

// close takes no more work and waits for what is under way until ctx is done;
// then it is told to give up.
func (p *pool) close(ctx context.Context) error {
	p.mu.Lock()
	p.closed = true
	end := p.end
	p.mu.Unlock()
	if end == nil {
		return nil
	}
	defer end()
	idle := make(chan struct{})
	go func() {
		p.group.Wait()
		close(idle)
	}()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop slack: %w", context.Cause(ctx))
	}
}

// wait returns when nothing is under way.
func (p *pool) wait() { p.group.Wait() }
