package demo_test

import (
	"bytes"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"ltxbot/web/demo"
)

// fake is a world that shows what a test tells it.
type fake struct {
	mu      sync.Mutex
	scene   demo.Scene
	changed chan struct{}
	looks   atomic.Int64
	actions []demo.Action
	until   time.Time // by when an action must be done
	refuse  error
	files   map[string]demo.Media
}

func newFake(s demo.Scene) *fake { return &fake{scene: s, changed: make(chan struct{})} }

func (f *fake) Scene(_ context.Context, person string) (demo.Scene, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.looks.Add(1)
	if person != "ben" {
		return demo.Scene{}, demo.ErrNoPerson
	}
	return f.scene, nil
}

func (f *fake) Changed() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.changed
}

// show shows another scene.
func (f *fake) show(s demo.Scene) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.scene = s
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *fake) Do(ctx context.Context, person string, d demo.Action) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if person != "ben" {
		return demo.ErrNoPerson
	}
	f.until, _ = ctx.Deadline()
	f.actions = append(f.actions, d)
	return f.refuse
}

func (f *fake) Suggest(_ context.Context, _ string, q demo.Question) []demo.Suggestion {
	return []demo.Suggestion{{Label: q.Line, Note: q.On, Line: q.Line}}
}

func (f *fake) Open(_, id string) (demo.Media, error) {
	m, ok := f.files[id]
	if !ok {
		return demo.Media{}, demo.ErrNoFile
	}
	return m, nil
}

// content is a file in memory.
type content struct{ *bytes.Reader }

func (content) Close() error { return nil }

func media(name, kind, text string) demo.Media {
	return demo.Media{ReadSeekCloser: content{bytes.NewReader([]byte(text))}, Name: name, Type: kind}
}
