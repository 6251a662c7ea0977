package bench_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
	"ltxbot/provider/fal"
	"ltxbot/store"
	"ltxbot/store/bolt"
)

// BenchmarkWaiting measures what jobs cost while fal makes their videos and
// nothing happens: the engine, its store on disk and the client of fal against
// a server that answers at once. Cards are counted and not sent.
//
//	go test -run '^$' -bench Waiting -benchtime 1x ./e2e/bench
//
// The server is part of the process, so that the figures are upper bounds.
func BenchmarkWaiting(b *testing.B) {
	for _, n := range []int{100, 1_000, 10_000} {
		b.Run(fmt.Sprintf("jobs=%d", n), func(b *testing.B) {
			for b.Loop() {
				benchWaitingAtFal(b, n)
			}
		})
	}
}

const (
	settling  = time.Minute      // after the start, until it is measured
	measuring = 30 * time.Second // how long
)

func benchWaitingAtFal(b *testing.B, n int) {
	engine, err := bolt.Open(filepath.Join(b.TempDir(), "ltx.db"), bolt.Options{})
	if err != nil {
		b.Fatal(err)
	}
	s := store.New(engine, store.Options{})
	b.Cleanup(func() { _ = s.Close() })
	seedWaiting(b, s, n)
	queue := startQueue(b)
	edits := &countingCourier{}
	bot := newWaitingEngine(b, s, queue, edits)

	before := allocated()
	started := time.Now()
	if err := bot.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	rest(b, settling-time.Since(started))
	b.ReportMetric(float64(queue.most.Load()), "calls-at-a-time")
	calls, shown, cpu := queue.calls.Load(), edits.shown.Load(), cpuTime(b)
	rest(b, measuring)
	b.ReportMetric(float64(queue.calls.Load()-calls)/measuring.Seconds(), "calls/s")
	b.ReportMetric(float64(edits.shown.Load()-shown)/measuring.Seconds(), "edits/s")
	b.ReportMetric(100*(cpuTime(b)-cpu).Seconds()/measuring.Seconds(), "%core")
	b.ReportMetric(float64(allocated()-before)/float64(n), "B/job")
	b.ReportMetric(float64(queue.streams.Load()), "streams")
	b.ReportMetric(0, "ns/op")

	stop, cancel := context.WithTimeout(context.WithoutCancel(b.Context()), time.Minute)
	defer cancel()
	if err := bot.Stop(stop); err != nil {
		b.Fatal(err)
	}
}

// seedWaiting records n jobs that have just begun to run at fal.
func seedWaiting(b *testing.B, s *store.Store, n int) {
	b.Helper()
	var next atomic.Int64
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				j := benchJob(i, usualTeams)
				j.Place.Platform = "test"
				j, err := s.Accept(b.Context(), j, planFor(j, quota.Policy{}))
				if err != nil {
					b.Error(err)
					return
				}
				now := time.Now()
				j.State, j.Submitted, j.Started, j.Deadline = generate.Running, now, now, now.Add(time.Hour)
				j.Submission = generate.Submission{RequestID: j.ID, Endpoint: j.Endpoint}
				if _, err := s.Save(b.Context(), j, quota.Keep()); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	if b.Failed() {
		b.FailNow()
	}
}

// queue is a fal where all jobs run and none ends.
type queue struct {
	*httptest.Server

	calls, streams, now, most atomic.Int64
}

func startQueue(b *testing.B) *queue {
	q := &queue{}
	q.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q.calls.Add(1)
		if strings.HasSuffix(r.URL.Path, "/stream") {
			q.streams.Add(1)
			defer q.streams.Add(-1)
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, "data: {\"status\":\"IN_PROGRESS\"}\n\n")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
			return
		}
		now := q.now.Add(1)
		defer q.now.Add(-1)
		for most := q.most.Load(); now > most && !q.most.CompareAndSwap(most, now); most = q.most.Load() {
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"status":"IN_PROGRESS"}`)
	}))
	b.Cleanup(q.Close)
	return q
}

func newWaitingEngine(b *testing.B, s *store.Store, q *queue, couriers generate.Courier) *generate.Engine {
	b.Helper()
	client, err := fal.New(fal.Config{
		Key: "id:secret", QueueURL: q.URL, RESTURL: q.URL, APIURL: q.URL, Timeouts: fal.Timeouts{Idle: time.Hour},
	})
	if err != nil {
		b.Fatal(err)
	}
	return generate.New(generate.Config{
		Store: s, Ledger: s, Provider: client, Couriers: map[string]generate.Courier{"test": couriers},
		Policy:   func() quota.Policy { return quota.Policy{} },
		Price:    func(string) ltx.Price { return ltx.Price{Unit: ltx.Megapixel, USD: 0.0018} },
		Deadline: time.Hour, Grace: 3 * time.Minute, GiveUp: time.Hour, Owner: "bench",
	})
}

// countingCourier counts the edits of cards.
type countingCourier struct{ shown atomic.Int64 }

func (c *countingCourier) Show(context.Context, generate.Job, generate.Keep) error {
	c.shown.Add(1)
	return nil
}

func (*countingCourier) OpenInput(context.Context, generate.Job, ltx.Media) (generate.Media, error) {
	return generate.Media{}, generate.ErrGone
}

func (*countingCourier) Acknowledged(context.Context, generate.Job) (bool, error) { return true, nil }

func (*countingCourier) Tell(context.Context, generate.Job, generate.Keep) error { return nil }

func (*countingCourier) Prepare(_ context.Context, j generate.Job) (generate.Job, error) {
	return j, nil
}

func (*countingCourier) Deliver(context.Context, generate.Job, []generate.Video, generate.Keep) ([]generate.Receipt, error) {
	return nil, nil
}

// rest lets real time pass: that is what is measured.
func rest(b *testing.B, d time.Duration) {
	b.Helper()
	select {
	case <-time.After(d):
	case <-b.Context().Done():
	}
}

// allocated is the memory in use, in bytes: heap and stacks.
func allocated() uint64 {
	// A stack shrinks by half in a collection.
	for range 5 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// cpuTime is what this process has used.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
