package bench_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
	"ltxbot/internal/redistest"
	"ltxbot/store"
	"ltxbot/store/redis"
	"ltxbot/store/storetest"
)

// callers is how many calls are under way at a time, in all processes together.
const callers = 16

// ordinary are limits as most bots have them.
var ordinary = quota.Policy{
	Waiting: 5,
	Member:  quota.Limits{Windows: []quota.WindowLimit{{Window: quota.Day, Videos: 1 << 40}, {Window: quota.Month, USD: 1 << 50}}},
	Team:    quota.Limits{Windows: []quota.WindowLimit{{Window: quota.Month, USD: 1 << 50}}},
}

// limited are ordinary limits with one on the whole bot.
var limited = quota.Policy{
	Waiting: ordinary.Waiting, Member: ordinary.Member, Team: ordinary.Team,
	Bot: quota.Limits{Windows: ordinary.Team.Windows, JobsAtATime: 1 << 30},
}

// members is how many people ask.
const members = 1000

// usualTeams is how many teams ask where nothing else is said.
const usualTeams = 50

// benchJob is the n-th job, as a person makes it, of one of so many teams.
func benchJob(n int64, teams int) generate.Job {
	return generate.Job{
		ID: fmt.Sprintf("job%012d", n), State: generate.Accepted, Event: fmt.Sprintf("discord:%018d", n),
		Team: fmt.Sprintf("discord:%d", 80351110224678000+n%int64(teams)), Member: fmt.Sprintf("discord:%d", 90351110224678000+n%members),
		Place:   generate.Place{Platform: "discord", Channel: "103735883630395392", Locale: "en-US"},
		Request: cowboy(), Endpoint: "fal-ai/ltx-2.3-22b/text-to-video/lora", Estimate: 130_000, Created: time.Now(),
	}
}

// cowboy is a request with a prompt of usual length.
var cowboy = sync.OnceValue(func() ltx.Request {
	r, err := ltx.Rules{}.Parse([]ltx.Setting{
		{Key: "prompt", Value: "a cowboy walks through a dusty town at noon, film grain"}, {Key: "camera", Value: "dolly_in"},
	})
	if err != nil {
		panic(err) // these settings are right
	}
	return r
})

func planFor(j generate.Job, p quota.Policy) quota.Plan {
	return p.Plan(j.ID, quota.Asker{Team: j.Team, Member: j.Member}, j.Estimate, j.Created)
}

// operations are what processes are asked to do with a job.
var operations = map[string]func(context.Context, *store.Store, generate.Job, quota.Policy) error{
	"accept": func(ctx context.Context, s *store.Store, j generate.Job, p quota.Policy) error {
		_, err := s.Accept(ctx, j, planFor(j, p))
		return err
	},
	"life": func(ctx context.Context, s *store.Store, j generate.Job, p quota.Policy) error {
		j, err := s.Accept(ctx, j, planFor(j, p))
		if err != nil {
			return err
		}
		for _, state := range []generate.State{generate.Submitting, generate.Queued, generate.Running, generate.Fetched, generate.Delivering} {
			j.State = state
			if j, err = s.Save(ctx, j, quota.Keep()); err != nil {
				return err
			}
		}
		_, err = s.Save(ctx, finished(j), quota.Settle(j.Estimate))
		return err
	},
}

// finished is j with a video that its requester has.
func finished(j generate.Job) generate.Job {
	now := time.Now()
	request := fmt.Sprintf("%x", sha256.Sum256([]byte(j.ID)))[:32]
	queue := "https://queue.fal.run/fal-ai/ltx-2.3-22b/requests/" + request
	j.Submission = generate.Submission{
		RequestID: request, Endpoint: j.Endpoint, StatusURL: queue + "/status", ResponseURL: queue, CancelURL: queue + "/cancel",
	}
	j.Output = ltx.Output{
		URL:         "https://v3b.fal.media/files/b/" + request + "/ltx-2.3-22b.mp4",
		ContentType: "video/mp4", FileName: "ltx-2.3-22b.mp4", FileSize: 2_345_678, Width: 1024, Height: 576, Frames: 121, FPS: 24, Seconds: 5.04,
	}
	j.Receipt = generate.Receipt{
		Message: "1203735883630395392", Link: "https://discord.com/channels/80351110224678912/103735883630395392/1203735883630395392",
		Fit: generate.FitOriginal, At: now,
	}
	j.Notes = map[string]string{"card": "1203735883630395391"}
	j.State, j.Shown, j.Charged, j.Owner = generate.Delivered, generate.Delivered, j.Estimate, request[:12]
	j.Submitted, j.Started, j.Fetched, j.Finished, j.Deadline = now, now, now, now, now
	return j
}

// BenchmarkRedis measures what one, two and four processes get out of one Redis
// on this machine, with a limit on the whole bot, and what it costs to have many
// jobs under way and a long waiting line. At the end it prints what it has found
// as tables.
func BenchmarkRedis(b *testing.B) {
	var speed, cost table
	for _, processes := range []int{1, 2, 4} {
		speed.run(b, fmt.Sprintf("accept/processes=%d", processes), func(b *testing.B) result {
			return spread(b, work{Operation: "accept", Callers: callers, Teams: usualTeams, Limited: true}, processes, b.N)
		})
	}
	speed.run(b, "accept, no limit on the bot/processes=4", func(b *testing.B) result {
		return spread(b, work{Operation: "accept", Callers: callers, Teams: usualTeams}, 4, b.N)
	})
	for _, teams := range []int{1, 100} {
		speed.run(b, fmt.Sprintf("accept, 50 a second/processes=4/teams=%d", teams), func(b *testing.B) result {
			return spread(b, work{Operation: "accept", Callers: callers, Teams: teams, Limited: true, Every: 20 * time.Millisecond}, 4, b.N)
		})
	}
	speed.run(b, "accept, save 6 times/processes=2", func(b *testing.B) result {
		return spread(b, work{Operation: "life", Callers: callers, Teams: usualTeams, Limited: true}, 2, b.N)
	})
	benchInFlight(b, &cost)
	benchWaiting(b, &cost)
	benchMemory(b, &cost)
	speed.print("what", "jobs/s", "p50", "p99", "CPU of Redis")
	cost.print("what", "p50", "CPU of Redis", "memory")
}

// result is what one case has come to. A zero is not known.
type result struct {
	perSecond float64       // jobs
	p50, p99  time.Duration // of a call
	server    time.Duration // CPU that Redis needs for a job
	bytes     float64       // of memory in Redis for a job
}

// columns are the results as people read them. Those that are not known are
// left out.
var columns = []struct {
	name, unit string
	value      func(result) float64
	text       string // format
}{
	{"jobs/s", "jobs/s", func(r result) float64 { return r.perSecond }, "%.0f"},
	{"p50", "p50-ms", func(r result) float64 { return r.p50.Seconds() * 1e3 }, "%.2f ms"},
	{"p99", "p99-ms", func(r result) float64 { return r.p99.Seconds() * 1e3 }, "%.2f ms"},
	{"CPU of Redis", "server-µs/job", func(r result) float64 { return r.server.Seconds() * 1e6 }, "%.0f µs"},
	{"memory", "bytes/job", func(r result) float64 { return r.bytes }, "%.0f B"},
}

// table collects results in the order in which they were found.
type table struct {
	names   []string
	results map[string]result
}

// run runs a case and returns what its last run has come to.
func (t *table) run(b *testing.B, name string, measure func(*testing.B) result) result {
	b.Helper()
	if t.results == nil {
		t.results = map[string]result{}
	}
	b.Run(name, func(b *testing.B) {
		r := measure(b)
		if _, again := t.results[name]; !again {
			t.names = append(t.names, name)
		}
		t.results[name] = r
		for _, c := range columns {
			if v := c.value(r); v != 0 {
				b.ReportMetric(v, c.unit)
			}
		}
		b.ReportMetric(0, "ns/op") // says less than the others
	})
	return t.results[name]
}

// print writes a table with some columns, ready for docs/scaling.md.
func (t *table) print(names ...string) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 1, ' ', 0)
	defer w.Flush()
	fmt.Fprintf(w, "\n| %s |\n|%s\n", strings.Join(names, "\t| "), strings.Repeat("---|", len(names)))
	for _, name := range t.names {
		fmt.Fprintf(w, "| %s", name)
		for _, c := range columns {
			for _, wanted := range names {
				if wanted != c.name {
					continue
				}
				text := ""
				if v := c.value(t.results[name]); v != 0 {
					text = fmt.Sprintf(c.text, v)
				}
				fmt.Fprintf(w, "\t| %s", text)
			}
		}
		fmt.Fprint(w, "\t|\n")
	}
}

// start starts a server that keeps its file as most do. It does not rewrite it
// meanwhile: when that happens to begin would be chance.
func start(b *testing.B) *redistest.Server {
	b.Helper()
	return redistest.Start(b, "--appendfsync", "everysec", "--auto-aof-rewrite-percentage", "0")
}

// openStore opens a store as one more process, without a log.
func openStore(ctx context.Context, url string, p quota.Policy) (*store.Store, error) {
	quiet := slog.New(slog.DiscardHandler)
	e, err := redis.Open(ctx, url, redis.Options{Logger: quiet})
	if err != nil {
		return nil, err
	}
	limits := storetest.Limits(func() quota.Policy { return p })
	return store.New(e, store.Options{Logger: quiet, Limits: limits}), nil
}

// mustOpen is openStore for a benchmark.
func mustOpen(b *testing.B, server *redistest.Server, p quota.Policy) *store.Store {
	b.Helper()
	s, err := openStore(b.Context(), server.URL(), p)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	return s
}

// usedCPU is what a server says of the time that its threads have worked, in
// seconds.
var usedCPU = regexp.MustCompile(`used_cpu_(?:user|sys):([0-9.]+)`)

// cpu reads how long the server has worked.
func cpu(b *testing.B, server *redistest.Server) (total time.Duration) {
	b.Helper()
	for _, found := range usedCPU.FindAllStringSubmatch(server.CLI("INFO", "cpu"), -1) {
		seconds, err := strconv.ParseFloat(found[1], 64)
		if err != nil {
			b.Fatal(err)
		}
		total += time.Duration(seconds * float64(time.Second))
	}
	return total
}

func number(b *testing.B, text string) int {
	b.Helper()
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		b.Fatal(err)
	}
	return n
}
