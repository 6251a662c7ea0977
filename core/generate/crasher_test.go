package generate_test

import (
	"context"
	"io"
	"sync"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
)

// crasher kills the process at the n-th boundary between it and the world.
// Each boundary is there twice: before the effect, and after it with the
// answer lost.
type crasher struct {
	mu    sync.Mutex
	left  int // boundaries until the crash; 0 = none
	at    string
	dead  chan struct{}
	count int
	// gentle lets everything pass: dead only says that the boundary was
	// reached, for a process that is stopped there and not killed.
	gentle bool
}

func crashAt(n int) *crasher { return &crasher{left: n, dead: make(chan struct{})} }

func stopAt(n int) *crasher { return &crasher{left: n, dead: make(chan struct{}), gentle: true} }

// pass is called at each boundary. Once the process is dead, nothing passes.
func (c *crasher) pass(ctx context.Context, name string) error {
	c.mu.Lock()
	select {
	case <-c.dead:
		return c.block(ctx)
	default:
	}
	c.count++
	if c.left > 0 {
		if c.left--; c.left == 0 {
			c.at = name
			close(c.dead)
			return c.block(ctx)
		}
	}
	c.mu.Unlock()
	return nil
}

// block holds a dead process until it is buried. The caller holds mu.
func (c *crasher) block(ctx context.Context) error {
	c.mu.Unlock()
	if c.gentle {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

// around runs do between two boundaries.
func around[T any](ctx context.Context, c *crasher, name string, do func() (T, error)) (T, error) {
	var zero T
	if err := c.pass(ctx, "before "+name); err != nil {
		return zero, err
	}
	v, err := do()
	if err := c.pass(ctx, "after "+name); err != nil {
		return zero, err
	}
	return v, err
}

type crashStore struct {
	generate.Store
	c *crasher
}

func (s crashStore) Record(ctx context.Context, j generate.Job) (generate.Job, error) {
	return around(ctx, s.c, "record", func() (generate.Job, error) { return s.Store.Record(ctx, j) })
}

func (s crashStore) Accept(ctx context.Context, j generate.Job, plan quota.Plan) (generate.Job, error) {
	return around(ctx, s.c, "accept", func() (generate.Job, error) { return s.Store.Accept(ctx, j, plan) })
}

func (s crashStore) AcceptAll(ctx context.Context, batch []generate.Asked) ([]generate.Job, error) {
	return around(ctx, s.c, "accept all", func() ([]generate.Job, error) { return s.Store.AcceptAll(ctx, batch) })
}

func (s crashStore) Save(ctx context.Context, j generate.Job, b quota.Billing) (generate.Job, error) {
	return around(ctx, s.c, "save "+string(j.State), func() (generate.Job, error) { return s.Store.Save(ctx, j, b) })
}

type crashProvider struct {
	generate.Provider
	c *crasher
}

func (p crashProvider) Submit(ctx context.Context, o generate.JobRequest) (generate.Submission, error) {
	return around(ctx, p.c, "submit", func() (generate.Submission, error) { return p.Provider.Submit(ctx, o) })
}

func (p crashProvider) Result(ctx context.Context, s generate.Submission) (generate.Result, error) {
	return around(ctx, p.c, "result", func() (generate.Result, error) { return p.Provider.Result(ctx, s) })
}

func (p crashProvider) Cancel(ctx context.Context, s generate.Submission) (generate.CancelOutcome, error) {
	return around(ctx, p.c, "cancel", func() (generate.CancelOutcome, error) { return p.Provider.Cancel(ctx, s) })
}

func (p crashProvider) Upload(ctx context.Context, name, contentType string, body io.ReaderAt, size int64) (string, error) {
	return around(ctx, p.c, "upload", func() (string, error) { return p.Provider.Upload(ctx, name, contentType, body, size) })
}

type crashLinks struct {
	generate.Links
	c *crasher
}

func (l crashLinks) Open(ctx context.Context, link string, most int64) (generate.Media, error) {
	return around(ctx, l.c, "open", func() (generate.Media, error) { return l.Links.Open(ctx, link, most) })
}

type crashCourier struct {
	generate.Courier
	c *crasher
}

func (k crashCourier) Show(ctx context.Context, j generate.Job, keep generate.Keep) error {
	_, err := around(ctx, k.c, "show "+string(j.State), func() (struct{}, error) {
		return struct{}{}, k.Courier.Show(ctx, j, keep)
	})
	return err
}

func (k crashCourier) Tell(ctx context.Context, j generate.Job, keep generate.Keep) error {
	_, err := around(ctx, k.c, "tell", func() (struct{}, error) { return struct{}{}, k.Courier.Tell(ctx, j, keep) })
	return err
}

func (k crashCourier) OpenInput(ctx context.Context, j generate.Job, m ltx.Media) (generate.Media, error) {
	return around(ctx, k.c, "open", func() (generate.Media, error) { return k.Courier.OpenInput(ctx, j, m) })
}

func (k crashCourier) Deliver(ctx context.Context, j generate.Job, videos []generate.Video, keep generate.Keep) ([]generate.Receipt, error) {
	return around(ctx, k.c, "deliver", func() ([]generate.Receipt, error) { return k.Courier.Deliver(ctx, j, videos, keep) })
}

type crashArchive struct {
	generate.CopyFiles
	c *crasher
}

func (a crashArchive) Put(ctx context.Context, name, contentType string, body io.ReadSeeker, size int64) error {
	_, err := around(ctx, a.c, "put", func() (struct{}, error) { return struct{}{}, a.CopyFiles.Put(ctx, name, contentType, body, size) })
	return err
}

func (a crashArchive) Open(ctx context.Context, name string, offset int64) (io.ReadCloser, error) {
	return around(ctx, a.c, "open", func() (io.ReadCloser, error) { return a.CopyFiles.Open(ctx, name, offset) })
}

func (a crashArchive) Delete(ctx context.Context, name string) error {
	_, err := around(ctx, a.c, "delete", func() (struct{}, error) { return struct{}{}, a.CopyFiles.Delete(ctx, name) })
	return err
}

type crashQueue struct {
	generate.CopyQueue
	c *crasher
}

func (q crashQueue) ClaimCopy(ctx context.Context, lease time.Duration) (generate.CopyTask, error) {
	return around(ctx, q.c, "claim a copy", func() (generate.CopyTask, error) { return q.CopyQueue.ClaimCopy(ctx, lease) })
}

func (q crashQueue) DelayCopy(ctx context.Context, t generate.CopyTask, d time.Duration) error {
	_, err := around(ctx, q.c, "delay a copy", func() (struct{}, error) { return struct{}{}, q.CopyQueue.DelayCopy(ctx, t, d) })
	return err
}

func (q crashQueue) DropCopy(ctx context.Context, t generate.CopyTask) error {
	_, err := around(ctx, q.c, "drop a copy", func() (struct{}, error) { return struct{}{}, q.CopyQueue.DropCopy(ctx, t) })
	return err
}
