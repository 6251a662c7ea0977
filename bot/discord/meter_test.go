package discord_test

import (
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ltxbot/bot/discord"
	"ltxbot/internal/redistest"
	sim "ltxbot/sim/discord"
	"ltxbot/store/kv/mem"
	"ltxbot/store/redis"
)

// openEngine opens the database at url as one more process.
func openEngine(t *testing.T, url string) *redis.Engine {
	t.Helper()
	s, err := redis.Open(t.Context(), url, redis.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// openMeter opens a database in memory as one more process.
func openMeter(t *testing.T, db *mem.Database) *mem.Engine {
	e := db.Open()
	t.Cleanup(func() { _ = e.Close() })
	return e
}

func TestProcessesShareTheRequestsOfTheBot(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	var limiters []discord.Limiter
	for range 3 {
		limiters = append(limiters, discord.NewLimiter(openEngine(t, server.URL())))
	}
	const enough = 80 // requests
	var sent atomic.Int64
	var all sync.WaitGroup
	began := time.Now()
	for _, l := range limiters {
		for range 10 {
			all.Go(func() {
				for sent.Load() < enough {
					if err := l.Take(t.Context()); err != nil {
						t.Error(err)
						return
					}
					sent.Add(1)
				}
			})
		}
	}
	all.Wait()
	most := 10 + int64(40*time.Since(began).Seconds()) + 1
	if n := sent.Load(); n > most {
		t.Errorf("%d requests in %v, want at most %d", n, time.Since(began), most)
	}
}

func TestAGlobalRefusalHoldsAllProcessesBack(t *testing.T) {
	t.Parallel()
	s := prepareStage(t, sim.Options{RateLimits: sim.RateLimits{Off: true}, IdentifyEvery: -1})
	db := mem.New(nil)
	var bots []*discord.Bot
	for range 2 {
		s.cfg.Meter = openMeter(t, db)
		bots = append(bots, s.newBot())
	}
	read := func(which int, wantLimit string) {
		t.Helper()
		err := bots[which].ReadChannel(t.Context(), s.general.ID)
		if wantLimit == "" && err != nil || wantLimit != "" && (err == nil || !strings.Contains(err.Error(), "of kind "+wantLimit)) {
			t.Errorf("process %d: %v, want limit %q", which, err, wantLimit)
		}
	}
	read(0, "")
	s.sim.Inject(sim.Fault{Limit: sim.UserLimit, RetryAfter: 30 * time.Second})
	read(0, "user")
	read(1, "") // whoever uses that bucket next is told by its own answers
	s.sim.Inject(sim.Fault{Limit: sim.GlobalLimit, RetryAfter: 30 * time.Second})
	read(1, "global")
	read(0, "global")
}
