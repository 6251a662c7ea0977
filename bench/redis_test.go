package bench_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
	"ltxbot/internal/need"
	"ltxbot/internal/redistest"
	"ltxbot/store/redis"
)

// callers is how many goroutines of one store ask at a time.
const callers = 16

// ordinary are limits as most bots have them.
var ordinary = quota.Policy{
	Waiting: 5,
	Member:  quota.Limits{Windows: []quota.WindowLimit{{Window: quota.Day, Videos: 1 << 40}, {Window: quota.Month, USD: 1 << 50}}},
	Team:    quota.Limits{Windows: []quota.WindowLimit{{Window: quota.Month, USD: 1 << 50}}},
}

// benchJob is the n-th job, as a person makes it.
func benchJob(r ltx.Request, n int64) generate.Job {
	return generate.Job{
		ID: fmt.Sprintf("job%09d", n), State: generate.Accepted, Event: fmt.Sprintf("discord:%018d", n),
		Team: fmt.Sprintf("discord:%d", 80351110224678000+n%50), Member: fmt.Sprintf("discord:%d", 90351110224678000+n%1000),
		Place:   generate.Place{Platform: "discord", Channel: "103735883630395392", Locale: "en-US"},
		Request: r, Endpoint: "fal-ai/ltx-2.3-22b/text-to-video/lora", Estimate: 130_000, Created: time.Now(),
	}
}

func planFor(j generate.Job) quota.Plan {
	return ordinary.Plan(j.ID, quota.Asker{Team: j.Team, Member: j.Member}, j.Estimate, j.Created)
}

// BenchmarkRedis measures what any number of processes get out of one Redis on
// this machine, against what redis-benchmark gets out of it with the very same
// script.
func BenchmarkRedis(b *testing.B) {
	b.Run("ceiling", benchCeiling)
	for _, stores := range []int{1, 2, 4} {
		b.Run(fmt.Sprintf("reserve/%d", stores), func(b *testing.B) {
			spread(b, stores, func(ctx context.Context, s *redis.Store, j generate.Job) error {
				_, err := s.Reserve(ctx, quota.Key{Job: j.ID, Team: j.Team, Member: j.Member}, planFor(j))
				return err
			})
		})
		b.Run(fmt.Sprintf("accept/%d", stores), func(b *testing.B) {
			spread(b, stores, func(ctx context.Context, s *redis.Store, j generate.Job) error {
				_, err := s.Accept(ctx, j, planFor(j))
				return err
			})
		})
	}
	b.Run("memory", func(b *testing.B) {
		server := spread(b, 1, func(ctx context.Context, s *redis.Store, j generate.Job) error {
			j, err := s.Accept(ctx, j, planFor(j))
			if err != nil {
				return err
			}
			j.State, j.Shown, j.Finished = generate.Delivered, generate.Delivered, time.Now()
			_, err = s.Save(ctx, j, quota.Settle(j.Estimate))
			return err
		})
		for line := range strings.Lines(server.CLI("INFO", "memory")) {
			if text, ok := strings.CutPrefix(strings.TrimSpace(line), "used_memory:"); ok {
				used, err := strconv.Atoi(text)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(used)/float64(b.N), "bytes/job")
			}
		}
	})
}

// spread calls do for b.N jobs from several stores at once, each with its own
// connections, as processes have.
func spread(b *testing.B, stores int, do func(context.Context, *redis.Store, generate.Job) error) *redistest.Server {
	b.Helper()
	server := redistest.Start(b, "--appendfsync", "everysec")
	request, err := ltx.Rules{}.Parse([]ltx.Setting{{Key: "prompt", Value: "a cowboy walks through a dusty town at noon, film grain"}, {Key: "camera", Value: "dolly_in"}})
	if err != nil {
		b.Fatal(err)
	}
	var next atomic.Int64
	var all sync.WaitGroup
	var open []*redis.Store
	for range stores {
		s, err := redis.Open(b.Context(), server.URL(), redis.Options{Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			b.Fatal(err)
		}
		defer s.Close()
		open = append(open, s)
	}
	b.ResetTimer()
	for _, s := range open {
		for range callers {
			all.Go(func() {
				for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
					if err := do(b.Context(), s, benchJob(request, n)); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
	}
	all.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
	reportServer(b, server)
	return server
}

// scriptTime is how long the server has spent in scripts, in microseconds.
var scriptTime = regexp.MustCompile(`cmdstat_evalsha:calls=\d+,usec=(\d+)`)

// reportServer reports the time that Redis itself needs for a job, however busy
// the machine is with others.
func reportServer(b *testing.B, server *redistest.Server) {
	b.Helper()
	found := scriptTime.FindStringSubmatch(server.CLI("INFO", "commandstats"))
	if found == nil {
		b.Fatal("redis-server does not say how long scripts took")
	}
	used, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(used/float64(b.N), "server-µs/job")
}

// benchCeiling lets redis-benchmark make holds with the script of Reserve.
func benchCeiling(b *testing.B) {
	server := redistest.Start(b, "--appendfsync", "everysec")
	tool := need.Tool(b, "redis-benchmark")
	var script strings.Builder
	for _, name := range []string{"ledger", "reserve"} {
		source, err := os.ReadFile("../store/redis/lua/" + name + ".lua")
		if err != nil {
			b.Fatal(err)
		}
		script.Write(source)
	}
	sha := strings.TrimSpace(server.CLI("SCRIPT", "LOAD", script.String()))
	count := func(field string, entry int) map[string]any {
		return map[string]any{"field": "acme\x1f" + field, "max": 1 << 50, "add": 1, "until": 1 << 51, "entry": entry}
	}
	ask, err := json.Marshal(map[string]any{
		"head": `{"job":"j","team":"acme","member":"discord:1","cost":130000,"at":"2026-01-01T00:00:00Z","since":1`,
		"team": "acme", "since": 1, "cost": 130000,
		"counts": []any{count("member/discord:1\x1fvideos/day", 8), count("member/discord:1\x1fusd/month", 9), count("team/acme\x1fusd/month", 10)},
	})
	if err != nil {
		b.Fatal(err)
	}
	entry := `{"scope":{"kind":"member","id":"discord:1"},"unit":"videos","counter":"videos/day/2026-01-01","add":1,"expires":"2026-02-01T00:00:00Z"}`
	args := []string{"-p", strconv.Itoa(server.Port), "-c", strconv.Itoa(callers), "-r", "100000000", "-n", strconv.Itoa(max(b.N, 1000)), "-q", "--csv", "EVALSHA", sha, "10"}
	for _, key := range []string{"holds", "held", "expiring", "use", "use_until", "totals", "members", "teams", "holds_by_team", "records"} {
		args = append(args, "{ltx:0}:"+key)
	}
	args = append(args, "job__rand_int__", "acme\x1fdiscord:1", "acme", "", "", "0", string(ask), entry, entry, entry)
	b.ResetTimer()
	out, err := exec.CommandContext(b.Context(), tool, args...).Output()
	if err != nil {
		b.Fatal(errors.Join(err, errors.New(string(out))))
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	fields := strings.Split(lines[len(lines)-1], `","`)
	const columns = 7 // after the command, which may hold anything: rps and latencies
	if len(fields) < columns {
		b.Fatalf("redis-benchmark says %q", out)
	}
	perSecond, err := strconv.ParseFloat(fields[len(fields)-columns], 64)
	if err != nil {
		b.Fatalf("redis-benchmark says %q", out)
	}
	b.ReportMetric(perSecond, "jobs/s")
	reportServer(b, server)
}
