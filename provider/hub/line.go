package hub

import (
	"context"
	"sync"
)

// A line lets so many looks begin at a time, and fewer at one host: one that is
// slow does not keep looks at others waiting.
type line struct {
	all chan struct{} // with room for each look

	mu    sync.Mutex
	hosts map[string]*hostLine
}

type hostLine struct {
	looks chan struct{}
	users int // looks that are under way or wait
}

func newLine() *line {
	return &line{all: make(chan struct{}, atATime), hosts: map[string]*hostLine{}}
}

// enter waits for a turn at a host. Its error is the cause of ctx.
func (l *line) enter(ctx context.Context, host string) (leave func(), err error) {
	h := l.at(host)
	for i, places := range []chan struct{}{h.looks, l.all} {
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			if i > 0 {
				<-h.looks
			}
			l.left(host, h)
			return nil, context.Cause(ctx)
		}
	}
	return func() {
		<-l.all
		<-h.looks
		l.left(host, h)
	}, nil
}

// at is the line at a host, with one more in it.
func (l *line) at(host string) *hostLine {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.hosts[host]
	if h == nil {
		h = &hostLine{looks: make(chan struct{}, atAHost)}
		l.hosts[host] = h
	}
	h.users++
	return h
}

// left forgets the line at a host when nobody is in it.
func (l *line) left(host string, h *hostLine) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if h.users--; h.users == 0 {
		delete(l.hosts, host)
	}
}
