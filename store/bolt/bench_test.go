package bolt_test

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/store/bolt"
)

// BenchmarkAccept measures durable accepts; each is fsynced, those in parallel
// share an fsync.
func BenchmarkAccept(b *testing.B) {
	for _, parallel := range []int{1, 16, 200} {
		b.Run(strconv.Itoa(parallel)+" at a time", func(b *testing.B) {
			f := openNew(b)
			var n atomic.Int64
			b.SetParallelism((parallel + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0))
			if parallel == 1 {
				b.SetParallelism(1)
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
			}
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					i := n.Add(1)
					accept(b, f.Store, job(fmt.Sprintf("job%d", i), "acme", fmt.Sprintf("discord:%d", i%500)))
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "accepts/s")
		})
	}
}

// fill accepts n jobs of n/10 members with one slot each: a tenth of the jobs
// runs, the others wait.
func fill(tb testing.TB, s *bolt.Store, n int) {
	tb.Helper()
	const parallel = 200
	errs := make(chan error, parallel)
	for worker := range parallel {
		go func() {
			var err error
			for i := worker; i < n && err == nil; i += parallel {
				j := job(fmt.Sprintf("job%d", i), fmt.Sprintf("team%d", i%20), fmt.Sprintf("discord:%d", i%max(1, n/10)))
				_, err = s.Accept(context.Background(), j, plan(j, 1))
			}
			errs <- err
		}()
	}
	for range parallel {
		if err := <-errs; err != nil {
			tb.Fatal(err)
		}
	}
}

// BenchmarkSave measures a save that frees a slot and admits the next job,
// with many in flight.
func BenchmarkSave(b *testing.B) {
	for _, jobs := range []int{100, 10_000} {
		b.Run(strconv.Itoa(jobs)+" in flight", func(b *testing.B) {
			f := openNew(b)
			fill(b, f.Store, jobs)
			j, err := f.Job(b.Context(), "job0")
			if err != nil {
				b.Fatal(err)
			}
			// job0 gives its slot up and, found again, takes it back.
			for i := 0; b.Loop(); i++ {
				j.State = []generate.State{generate.Failed, generate.Queued}[i%2]
				if j, err = f.Save(b.Context(), j, quota.Keep()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkOpen measures a start with many jobs in flight, and what they take
// in memory.
func BenchmarkOpen(b *testing.B) {
	const jobs = 10_000
	path := filepath.Join(b.TempDir(), "ltx.db")
	f := open(b, path, time.Now)
	fill(b, f.Store, jobs)
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	var grown uint64
	for b.Loop() {
		before := heap()
		f = open(b, path, time.Now)
		claims := make([]generate.Claim, 0, jobs)
		for range jobs {
			c, err := f.Take(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			c.Job = generate.Job{} // the engine's, not the store's
			claims = append(claims, c)
		}
		grown = heap() - before
		runtime.KeepAlive(claims)
		if err := f.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(grown)/jobs, "B/job")
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
