package demo_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/internal/need"
	"ltxbot/web/demo"
)

func TestAChangeHoldsWhatIsNew(t *testing.T) {
	type list = [][2]string
	for name, test := range map[string]struct {
		before, now list
		want        string
	}{
		"nothing":         {list{{"a", "1"}}, list{{"a", "1"}}, `{}`},
		"the first":       {nil, list{{"a", "1"}}, `{"put":[{"id":"a","in":"log","html":"1"}]}`},
		"one at the end":  {list{{"a", "1"}}, list{{"a", "1"}, {"b", "2"}}, `{"put":[{"id":"b","in":"log","html":"2","after":"a"}]}`},
		"one in between":  {list{{"a", "1"}, {"c", "3"}}, list{{"a", "1"}, {"b", "2"}, {"c", "3"}}, `{"put":[{"id":"b","in":"log","html":"2","after":"a"}]}`},
		"one that is new": {list{{"a", "1"}, {"b", "2"}}, list{{"a", "1"}, {"b", "9"}}, `{"put":[{"id":"b","in":"log","html":"9","after":"a"}]}`},
		"one that went":   {list{{"a", "1"}, {"b", "2"}}, list{{"b", "2"}}, `{"drop":["a"]}`},
		"all of them":     {list{{"a", "1"}}, nil, `{"drop":["a"]}`},
	} {
		if got := demo.Between(test.before, test.now); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

// sleep lets time pass in a bubble of synctest.
func sleep(d time.Duration) { <-time.After(d) }

// said is a scene with messages on Discord.
func said(texts ...string) demo.Scene {
	c := demo.Channel{Platform: "discord"}
	for n, text := range texts {
		c.Messages = append(c.Messages, demo.Message{
			ID: strconv.Itoa(n), Author: "ltx",
			Parts: []demo.Part{{Text: []demo.Text{{Spans: []demo.Span{{Text: text}}}}}, {Buttons: []demo.Button{{Label: "Again", Key: "k"}}}},
		})
	}
	return demo.Scene{Channels: []demo.Channel{c}}
}

func TestWhatChangesOftenIsShownTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(said("one"))
		h := newPage(f)
		ctx, leave := context.WithCancel(t.Context())
		var changes []string
		done := make(chan error, 1)
		go func() { done <- h.Watch(ctx, "ben", func(d []byte) { changes = append(changes, string(d)) }) }()
		synctest.Wait()
		sleep(demo.Pace) // the first look is over
		for n := range 10 {
			f.show(said(fmt.Sprintf("text %d", n)))
			synctest.Wait()
		}
		before := f.looks.Load()
		sleep(demo.Pace - time.Millisecond)
		synctest.Wait()
		if f.looks.Load() != before {
			t.Error("the world was looked at sooner than the pace allows")
		}
		sleep(time.Millisecond)
		synctest.Wait()
		if f.looks.Load() > before+1 || !strings.Contains(changes[len(changes)-1], "text 9") {
			t.Errorf("%d looks more, and the last change is %s", f.looks.Load()-before, changes[len(changes)-1])
		}
		quiet := f.looks.Load()
		sleep(time.Hour)
		if f.looks.Load() != quiet {
			t.Errorf("where nothing changes it was looked at %d times", f.looks.Load()-quiet)
		}
		leave()
		if err := <-done; err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if n := h.Watching(); n != 0 {
			t.Errorf("%d views are kept for nobody", n)
		}
	})
}

// stream is a response that can be flushed, and read while it is written.
type stream struct {
	*httptest.ResponseRecorder

	mu sync.Mutex
}

func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ResponseRecorder.Write(p)
}

func (s *stream) WriteString(text string) (int, error) { return s.Write([]byte(text)) }

func (s *stream) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Body.String()
}

func TestAnOpenPageIsToldWhatChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(said("one"))
		h := newPage(f)
		ctx, leave := context.WithCancel(t.Context())
		r := httptest.NewRequest(http.MethodGet, "/live?as=ben", nil).WithContext(ctx)
		r.Host = "127.0.0.1"
		w := &stream{ResponseRecorder: httptest.NewRecorder()}
		over := make(chan struct{})
		go func() { defer close(over); h.ServeHTTP(w, r) }()
		synctest.Wait()
		if got := w.text(); !strings.HasPrefix(got, "data: {") || !strings.Contains(got, `"only":true`) || !strings.Contains(got, "one") {
			t.Errorf("at first it is told %q", got)
		}
		told := len(w.text())
		f.show(said("one", "two"))
		sleep(demo.Pace)
		synctest.Wait()
		if got := w.text()[told:]; !strings.Contains(got, "discord-1") || strings.Contains(got, `"id":"discord-0"`) {
			t.Errorf("then it is told %q", got)
		}
		told = len(w.text())
		sleep(demo.KeepAlive)
		synctest.Wait()
		if got := w.text()[told:]; got != ":\n\n" {
			t.Errorf("after a while it is told %q", got)
		}
		leave()
		<-over
	})
}

// mostOfACore is what 50 open pages may take of one, with ten changes a second.
const mostOfACore = 0.05

func TestFiftyOpenPagesCostLittle(t *testing.T) {
	need.Speed(t)
	part := 1.0
	for range 3 { // the least: other programs take a processor's memory
		part = min(part, costOfPages(t))
	}
	t.Logf("50 pages take %.1f %% of a processor while there are 10 changes a second", 100*part)
	if part > mostOfACore {
		t.Errorf("it is %.1f %%, more than %.0f %%", 100*part, 100*mostOfACore)
	}
}

// costOfPages is the part of a processor that 50 open pages take while there
// are ten changes a second.
func costOfPages(t *testing.T) float64 {
	t.Helper()
	const pages, changes, aSecond = 50, 40, 10
	texts := make([]string, 60)
	for n := range texts {
		texts[n] = strings.Repeat(fmt.Sprintf("message %d ", n), 20)
	}
	var used time.Duration
	var told atomic.Int64
	synctest.Test(t, func(t *testing.T) { // where pauses take no time, and work does
		f := newFake(said(texts...))
		h := newPage(f)
		ctx, leave := context.WithCancel(t.Context())
		var open sync.WaitGroup
		for range pages {
			open.Go(func() {
				_ = h.Watch(ctx, "ben", func([]byte) { told.Add(1) })
			})
		}
		synctest.Wait()
		before := processorTime(t)
		for n := range changes {
			texts[len(texts)-1] = fmt.Sprintf("%d %%", n)
			f.show(said(texts...))
			sleep(time.Second / aSecond)
			synctest.Wait()
		}
		used = processorTime(t) - before
		leave()
		open.Wait()
	})
	if want := int64(pages * (changes + 1)); told.Load() != want {
		t.Errorf("the pages were told %d changes, want %d", told.Load(), want)
	}
	return used.Seconds() / changes * aSecond
}

// processorTime is what the process has used.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
