package demo

import (
	"context"
	"encoding/json"
	"sync"
	"time"
)

// pace is the least time between two looks at the world: what changes more
// often is shown together.
const pace = 100 * time.Millisecond

// A change is what must be done to a page that shows an earlier version.
type change struct {
	Put  []put    `json:"put,omitempty"`
	Drop []string `json:"drop,omitempty"`
	// Only means that the page is to keep nothing but what is put. It is so for
	// a page that has just connected, which may show anything.
	Only bool `json:"only,omitempty"`
}

// A put places a fragment, or replaces the one with its id.
type put struct {
	fragment

	After string `json:"after,omitempty"` // the fragment before it in its list; empty = it is the first
}

// between is what makes now of before.
func between(before, now []fragment) change {
	var c change
	old := make(map[string]string, len(before))
	for _, f := range before {
		old[f.ID] = f.HTML
	}
	last := map[string]string{} // of each list
	for _, f := range now {
		if html, there := old[f.ID]; !there || html != f.HTML {
			c.Put = append(c.Put, put{f, last[f.In]})
		}
		delete(old, f.ID)
		if f.In != "" {
			last[f.In] = f.ID
		}
	}
	for _, f := range before {
		if _, gone := old[f.ID]; gone {
			c.Drop = append(c.Drop, f.ID)
		}
	}
	return c
}

func (c change) empty() bool { return len(c.Put) == 0 && len(c.Drop) == 0 }

// live keeps what each person sees while a page shows it.
type live struct {
	world World

	mu    sync.Mutex
	views map[string]*view
}

func newLive(w World) *live { return &live{world: w, views: map[string]*view{}} }

// A view is what one person sees. One goroutine looks at the world for all
// pages that show it.
type view struct {
	stop  context.CancelFunc
	pages int // guarded by live.mu

	mu      sync.Mutex
	parts   []fragment
	version int
	delta   []byte // from the version before to this one, as JSON
	changed chan struct{}
}

// join returns the view of a person. The caller calls leave once.
func (l *live) join(ctx context.Context, person string) (v *view, leave func(), err error) {
	before := written{}
	first, err := l.look(ctx, person, before)
	if err != nil {
		return nil, nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	v = l.views[person]
	if v == nil {
		ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
		v = &view{stop: stop, parts: first, changed: make(chan struct{})}
		l.views[person] = v
		go l.follow(ctx, person, v, before)
	}
	v.pages++
	return v, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if v.pages--; v.pages == 0 {
			v.stop()
			delete(l.views, person)
		}
	}, nil
}

func (l *live) look(ctx context.Context, person string, before written) ([]fragment, error) {
	s, err := l.world.Scene(ctx, person)
	if err != nil {
		return nil, err
	}
	return fragments(person, s, before)
}

// follow looks again after each change, until nobody watches any more.
func (l *live) follow(ctx context.Context, person string, v *view, before written) {
	for {
		changed := l.world.Changed()
		if now, err := l.look(ctx, person, before); err == nil {
			v.show(now)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
		select {
		case <-time.After(pace):
		case <-ctx.Done():
			return
		}
	}
}

// show takes over what there is now.
func (v *view) show(now []fragment) {
	v.mu.Lock()
	defer v.mu.Unlock()
	c := between(v.parts, now)
	if c.empty() {
		return
	}
	v.parts, v.delta = now, encode(c)
	v.version++
	close(v.changed)
	v.changed = make(chan struct{})
}

// shownVersion is what a page shows.
type shownVersion struct {
	connected bool
	version   int
	parts     []fragment
}

// since is what a page must do to show what there is now, nil for nothing, and
// takes it as done. changed is closed at the next version.
func (v *view) since(page *shownVersion) (delta []byte, changed <-chan struct{}) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case !page.connected:
		c := between(nil, v.parts)
		c.Only = true
		delta = encode(c)
	case page.version == v.version:
	case page.version == v.version-1:
		delta = v.delta
	default:
		if c := between(page.parts, v.parts); !c.empty() {
			delta = encode(c)
		}
	}
	*page = shownVersion{true, v.version, v.parts}
	return delta, v.changed
}

func encode(c change) []byte {
	raw, err := json.Marshal(c)
	if err != nil {
		return []byte("{}") // there is nothing in it that can't be written
	}
	return raw
}
