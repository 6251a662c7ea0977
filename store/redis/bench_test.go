package redis_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/core/usd"
	"ltxbot/internal/flaky"
	"ltxbot/internal/redistest"
	"ltxbot/store/redis"
)

// limits are those of an ordinary bot.
var limits = quota.Policy{
	Waiting: 5,
	Member:  quota.Limits{JobsAtATime: 2, Windows: []quota.WindowLimit{{Window: quota.Day, Videos: 1 << 40}, {Window: quota.Month, USD: 1 << 50}}},
	Team:    quota.Limits{JobsAtATime: 10, Windows: []quota.WindowLimit{{Window: quota.Month, USD: 1 << 50}}},
}

// budget adds a limit that all teams share.
var budget = quota.Policy{Member: limits.Member, Team: limits.Team, Bot: quota.Limits{Windows: []quota.WindowLimit{{Window: quota.Month, USD: 1 << 50}}}}

func TestReserveIsOneRoundTrip(t *testing.T) {
	proxy := flaky.New(t, redistest.Start(t).Addr())
	s := open(t, "redis://"+proxy.Addr(), redis.Options{Silence: time.Hour})
	defer s.Close()
	waitFor(t, "the store to be quiet", func() bool {
		n := proxy.Exchanges()
		<-time.After(100 * time.Millisecond)
		return n == proxy.Exchanges()
	})
	warm, j := newJob("warm", "discord:1"), newJob("job1", "discord:1")
	if _, err := s.Reserve(t.Context(), key(warm), plan(warm, limits)); err != nil {
		t.Fatal(err)
	}
	before := proxy.Exchanges()
	if _, err := s.Reserve(t.Context(), key(j), plan(j, limits)); err != nil {
		t.Fatal(err)
	}
	if n := proxy.Exchanges() - before; n != 1 {
		t.Errorf("reserve took %d round trips, want 1", n)
	}
}

func BenchmarkReserve(b *testing.B) {
	for _, test := range []struct {
		name   string
		policy quota.Policy
	}{{"under limits of member and team", limits}, {"under a budget of the bot", budget}} {
		b.Run(test.name, func(b *testing.B) {
			s := open(b, redistest.Start(b).URL(), redis.Options{})
			defer s.Close()
			var n atomic.Int64
			b.SetParallelism(8)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					i := n.Add(1)
					j := newJob(fmt.Sprintf("job%d", i), fmt.Sprintf("discord:%d", i%100))
					j.Team = fmt.Sprintf("team%d", i%10)
					if _, err := s.Reserve(b.Context(), key(j), plan(j, test.policy)); err != nil {
						b.Error(err)
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "reserves/s")
		})
	}
}

func BenchmarkAcceptToDelivered(b *testing.B) {
	s := open(b, redistest.Start(b).URL(), redis.Options{})
	defer s.Close()
	var n atomic.Int64
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := n.Add(1)
			j := newJob(fmt.Sprintf("job%d", i), fmt.Sprintf("discord:%d", i))
			j.Team = fmt.Sprintf("team%d", i)
			j, err := s.Accept(b.Context(), j, plan(j, limits))
			if err != nil {
				b.Error(err)
				return
			}
			j.State, j.Shown = generate.Delivered, generate.Delivered
			if _, err := s.Save(b.Context(), j, quota.Settle(usd.Micros(1))); err != nil {
				b.Error(err)
			}
		}
	})
}
