package adapter_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/bot/adapter"
)

func TestAPoolHasRoomForWorkAndToSayThatThereIsNone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := adapter.NewPool("slack")
		p.Open(t.Context())
		var working, saying atomic.Int64
		done := make(chan struct{})
		for _, room := range []struct {
			name  string
			start func(func(context.Context)) bool
			count *atomic.Int64
			takes int   // before it is full
			runs  int64 // of those, at a time
		}{
			{"work", p.Work, &working, 256, 256},
			{"say", p.Say, &saying, 4096, 64},
		} {
			started := 0
			for room.start(func(context.Context) { room.count.Add(1); <-done }) {
				started++
			}
			synctest.Wait()
			if running := room.count.Load(); started != room.takes || running != room.runs {
				t.Errorf("%s: %d started and %d run, want %d and %d", room.name, started, running, room.takes, room.runs)
			}
		}
		if p.Closed() {
			t.Error("a full pool is closed")
		}
		close(done)
		synctest.Wait()
		if got := saying.Load(); got != 4096 {
			t.Errorf("%d are told, want all 4096", got)
		}
		if !p.Work(func(context.Context) {}) || !p.Say(func(context.Context) {}) {
			t.Error("there is no room after all is done")
		}
		if err := p.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestAPoolIsOpenFromOpenToClose(t *testing.T) {
	t.Parallel()
	p := adapter.NewPool("slack")
	takes := func() bool { return p.Work(func(context.Context) {}) || p.Say(func(context.Context) {}) || !p.Closed() }
	if err := p.Close(t.Context()); err != nil {
		t.Errorf("closed before it is open: %v", err)
	}
	if takes() {
		t.Error("a pool takes work before it is open")
	}
	p.Open(t.Context())
	for range 2 {
		if err := p.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if takes() {
			t.Error("a closed pool takes work")
		}
	}
}

func TestCloseWaitsForWorkUnderWayEvenAfterItIsCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := adapter.NewPool("slack")
		p.Open(t.Context())
		var ended atomic.Bool
		p.Work(func(ctx context.Context) {
			<-time.After(time.Second)
			if ctx.Err() != nil {
				t.Error("work is cancelled while Close has time")
			}
			<-ctx.Done()
			<-time.After(time.Minute) // what it does before it gives up
			ended.Store(true)
		})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		err := p.Close(ctx)
		if !ended.Load() {
			t.Error("Close returned before the work")
		}
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "stop slack") {
			t.Errorf("Close returned %v", err)
		}
	})
}
