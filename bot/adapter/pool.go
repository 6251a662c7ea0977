package adapter

import (
	"context"
	"fmt"
	"sync"
)

// The limits of a pool.
const (
	maxWork   = 256  // events handled at a time
	maxBusy   = 4096 // people who wait to be told that there is too much work
	maxSaying = 64   // people who are being told so
)

// A Pool runs the handlers of a platform's events, each in a goroutine, at most
// maxWork at a time. It takes no work before Open.
type Pool struct {
	platform string
	slots    chan struct{}
	spare    chan struct{}
	saying   chan struct{}

	mu     sync.Mutex
	life   context.Context //nolint:containedctx // the pool's own life, from Open to Close
	end    context.CancelFunc
	closed bool
	group  sync.WaitGroup
}

// NewPool makes the pool of a platform.
func NewPool(platform string) *Pool {
	return &Pool{
		platform: platform, closed: true,
		slots: make(chan struct{}, maxWork), spare: make(chan struct{}, maxBusy), saying: make(chan struct{}, maxSaying),
	}
}

// Open takes work from now on, until Close.
func (p *Pool) Open(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.life, p.end = context.WithCancel(ctx)
	p.closed = false
}

// Work starts do if there is room; it reports whether there was.
func (p *Pool) Work(do func(context.Context)) bool { return p.run(p.slots, do) }

// Say starts do in the room that is kept for saying that there is none, or as
// soon as fewer people are being told. It reports whether there was room.
func (p *Pool) Say(do func(context.Context)) bool {
	return p.run(p.spare, func(ctx context.Context) {
		select {
		case p.saying <- struct{}{}:
			defer func() { <-p.saying }()
			do(ctx)
		case <-ctx.Done():
		}
	})
}

func (p *Pool) run(room chan struct{}, do func(context.Context)) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	select {
	case room <- struct{}{}:
	default:
		return false
	}
	life := p.life
	p.group.Go(func() {
		defer func() { <-room }()
		do(life)
	})
	return true
}

// Closed reports whether there is no room because the pool is not open.
func (p *Pool) Closed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

// Close takes no more work and waits for what is under way. When ctx is done,
// handlers under way are cancelled; Close waits for them and returns an error.
func (p *Pool) Close(ctx context.Context) error {
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
		end()
		<-idle
		return fmt.Errorf("stop %s: %w", p.platform, context.Cause(ctx))
	}
}
